/** The whole daemon's start and end, as whoever runs it sees them. */

import assert from "node:assert/strict";
import { readMailbox, startDaemon } from "../support/daemon.ts";
import { namesIn } from "../support/names_in.ts";
import { RawClient } from "../support/raw_client.ts";

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal}: 421 to an idle client, a last line in the log, exit code 0`, async () => {
    await using daemon = await startDaemon();
    const client = await RawClient.connect(daemon.port);
    assert.match(await client.reply() ?? "", /^220 /);
    daemon.process.kill(signal);
    assert.match(await client.reply() ?? "", /^421 4\.3\.2 me\.example /);
    assert.equal(await client.line(), null);
    client.close();
    assert.equal((await daemon.process.status).code, 0);
    await daemon.logged(" info stopped");
    assert.match(daemon.log(), new RegExp(` info stopping signal=${signal}\n`));
  });
}

async function inText(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await client.reply();
  for (const line of ["HELO a.example", "MAIL FROM:<>", "RCPT TO:<jones@me.example>", "DATA"]) {
    assert.match(await client.command(line) ?? "", /^(250|354) /);
  }
  return client;
}

Deno.test("a second signal does not wait for a text that is coming in", async () => {
  await using daemon = await startDaemon();
  const client = await inText(daemon.port);
  daemon.process.kill("SIGTERM");
  await daemon.logged("stopping");
  await new Promise((resolve) => setTimeout(resolve, 1200));
  daemon.process.kill("SIGTERM");
  assert.equal((await daemon.process.status).code, 1);
  client.close();
});

Deno.test("a signal that comes twice at once, as Ctrl-C does through npx, counts once", async () => {
  await using daemon = await startDaemon();
  const client = await inText(daemon.port);
  daemon.process.kill("SIGINT");
  await daemon.logged("stopping");
  daemon.process.kill("SIGINT");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.match(await client.command("Hello\r\n.") ?? "", /^250 /);
  assert.match(await client.reply() ?? "", /^421 /);
  client.close();
  assert.equal((await daemon.process.status).code, 0);
});

Deno.test("a second daemon on the same files and port leaves the first one's texts alone", async () => {
  await using daemon = await startDaemon();
  const client = await inText(daemon.port);
  await client.send(`${"x".repeat(998)}\r\n`.repeat(200));
  const mailbox = `${daemon.folder}/mail/jones`;
  const mail = `LISTEN_PORT = ${daemon.port}`;
  await assert.rejects(startDaemon({ mail, users: `jones:${mailbox}` }), /listens there already/);
  assert.match(await client.command(".") ?? "", /^250 /);
  client.close();
});

Deno.test("two spellings of one directory are one mailbox", async () => {
  await using daemon = await startDaemon({
    users: "jones:mail/jones\nsmith:./mail//jones\nboth:jones@me.example, smith@me.example\n",
  });
  const client = await RawClient.connect(daemon.port);
  await client.reply();
  for (const line of ["HELO a.example", "MAIL FROM:<>", "RCPT TO:<both@me.example>", "DATA"]) {
    assert.match(await client.command(line) ?? "", /^(250|354) /);
  }
  assert.match(await client.command("Hello\r\n.") ?? "", /^250 /);
  client.close();
  assert.equal((await readMailbox(`${daemon.folder}/mail/jones`)).length, 1);
});

Deno.test("what a crash left under tmp is swept at the next start", async () => {
  await using daemon = await startDaemon();
  const mailbox = `${daemon.folder}/mail/jones`;
  const names = [`1.M0P1Q1R00000000.${Deno.hostname()}`, "1.M0P1.elsewhere"];
  for (const name of names) await Deno.writeTextFile(`${mailbox}/tmp/${name}`, "half");
  await daemon.stop();
  await using again = await startDaemon({ users: `jones:${mailbox}` });
  assert.match(again.log(), / warn unfinished messages removed files=1\n/);
  assert.deepEqual(await namesIn(`${mailbox}/tmp`), ["1.M0P1.elsewhere"]);
  assert.equal((await again.stop()).code, 0);
});

Deno.test("LOG_FORMAT = json logs one object in each line", async () => {
  await using daemon = await startDaemon({ mail: "LOG_FORMAT = json\nLISTEN_PORT = 0" });
  await daemon.stop();
  const events = daemon.log().trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(events.map(({ event }) => event), [
    "mailbox made",
    "mailbox made",
    "started",
    "stopping",
    "stopped",
  ]);
  assert.equal(events[2].host, "me.example");
});
