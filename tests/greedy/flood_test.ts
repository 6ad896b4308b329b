/** Clients that send without end: what that costs is bounded, it is soon over, and others are served. */

import assert from "node:assert/strict";
import type { Daemon } from "../support/daemon.ts";
import { testWith } from "../support/programs.ts";
import { RawClient } from "../support/raw_client.ts";
import { securedClient } from "../support/secured_client.ts";
import { PASSWORD, type SecuredDaemon, startSecuredDaemon } from "../support/secured_daemon.ts";
import { envelope, greetedClient, submit } from "../support/submit.ts";
import { memoryOf } from "../support/proc.ts";

const MB = 1024 * 1024;
const MUCH = 10 * MB;
/** Octets by which the daemon may grow whatever it is sent, its own garbage included. */
const MEMORY = 60 * MB;
const AUTH = `AUTH PLAIN ${btoa(`\0jones\0${PASSWORD}`)}`;

/** Sends so many octets without a line end. */
async function babble(client: RawClient, octets: number): Promise<void> {
  const piece = new Uint8Array(64 * 1024).fill(120);
  for (let sent = 0; sent < octets; sent += piece.length) await client.send(piece);
}

/** Sends a line again and again, reads all replies, and returns their codes, as far as they come. */
async function repeat(client: RawClient, line: string, times: number): Promise<string[]> {
  const sending = client.send(`${line}\r\n`.repeat(times)).catch(() => {});
  const codes: string[] = [];
  try {
    for (let reply; (reply = await client.reply()) !== null;) codes.push(reply.slice(0, 3));
  } catch (error) {
    // Who goes on sending to who has closed may find the connection reset.
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
  client.close();
  await sending;
  return codes;
}

const mary = (daemon: Daemon) =>
  submit(daemon.port, { from: "mary@a.example", to: ["smith@mx.test"] });

testWith(["openssl"], "floods:", async (t) => {
  await using daemon: SecuredDaemon = await startSecuredDaemon({ mail: "MAX_RECIPIENTS = 1000" });
  const { port } = daemon;
  // What it needs anyway is there before.
  await mary(daemon);
  (await securedClient(daemon, "submissions")).close();
  const before = (await memoryOf(daemon.process)).resident;

  await t.step("10 MB without a line end, as a command", async () => {
    const client = await greetedClient(port);
    await babble(client, MUCH);
    assert.match(await client.command("") ?? "", /^500 5\.5\.2 Line too long/);
    assert.match(await client.command("NOOP") ?? "", /^250 /);
    client.close();
  });

  await t.step("the same under TLS, and as the answer of a login", async () => {
    const client = await securedClient(daemon, "submissions");
    await babble(client, MUCH);
    assert.match(await client.command("") ?? "", /^500 5\.5\.2 Line too long/);
    assert.match(await client.command("AUTH LOGIN") ?? "", /^334 /);
    await babble(client, MUCH);
    assert.match(await client.command("") ?? "", /^500 5\.5\.6 /);
    assert.match(await client.command(AUTH) ?? "", /^235 /);
    client.close();
  });

  await t.step("the same as a line of a text, which is stored as it came", async () => {
    const client = await greetedClient(port);
    await envelope(client, { from: "mary@a.example", to: ["jones@mx.test"] });
    await babble(client, MUCH);
    assert.match(await client.command("\r\n.") ?? "", /^250 /);
    client.close();
  });

  await t.step("100,000 NOOPs in one go", async () => {
    const codes = await repeat(await RawClient.connect(port), "NOOP", 100_000);
    assert.deepEqual(codes, ["220", ...Array(100).fill("250"), "421"]);
  });

  await t.step("100,000 NOOPs in one go under TLS", async () => {
    const codes = await repeat(await securedClient(daemon, "submissions"), "NOOP", 100_000);
    // EHLO was one of the hundred.
    assert.deepEqual(codes, [...Array(99).fill("250"), "421"]);
  });

  await t.step("100,000 bad commands", async () => {
    const codes = await repeat(await greetedClient(port), "BAD", 100_000);
    assert.deepEqual(codes, [...Array(10).fill("500"), "421"]);
  });

  const RECIPIENTS = [["jones", 1000, "452", 10_000], ["nobody", 0, "550", 1000]] as const;
  for (const [to, taken, refused, most] of RECIPIENTS) {
    await t.step(`1,000,000 recipients, ${taken} of whom are taken`, async () => {
      const client = await greetedClient(port);
      assert.match(await client.command("MAIL FROM:<mary@a.example>") ?? "", /^250 /);
      const codes = await repeat(client, `RCPT TO:<${to}@mx.test>`, 1_000_000);
      // The end of it may be lost to who does not stop.
      const all = [...Array(taken).fill("250"), ...Array(most).fill(refused), "421"];
      assert.deepEqual(codes, all.slice(0, codes.length));
      assert.ok(codes.length >= 2, `${codes.length} replies`);
    });
  }

  await t.step(
    "a browser is turned out at its first line, whatever it goes on to say",
    async () => {
      for (const method of ["GET", "POST"]) {
        const client = await RawClient.connect(port);
        const codes = await repeat(client, `${method} / HTTP/1.1`, 10_000);
        assert.deepEqual(codes, ["220", "421"]);
      }
    },
  );

  await t.step("have cost little memory, and few lines of the log", async () => {
    const grown = (await memoryOf(daemon.process)).resident - before;
    assert.ok(grown < MEMORY, `${grown} octets more`);
    const lines = daemon.log().split("\n").length;
    assert.ok(lines < 1200, `${lines} lines`);
    assert.doesNotMatch(daemon.log(), / error /);
  });

  await t.step("and mail comes in as ever", async () => {
    await mary(daemon);
  });
});
