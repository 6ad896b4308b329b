/** Passwords stay where they are: in no log, reply, report, queue, list, nor in what a machine shows of a process. */

import assert from "node:assert/strict";
import { hashPassword, SALT_LENGTH } from "../../src/config/password.ts";
import { VERSION } from "../../src/commands/help.ts";
import { makeAuthority } from "../support/authority.ts";
import { type Daemon, NOWHERE, startDaemon } from "../support/daemon.ts";
import { missing, skippable } from "../support/programs.ts";
import type { RawClient } from "../support/raw_client.ts";
import { securedClient } from "../support/secured_client.ts";
import { HOST, PASSWORD, startSecuredDaemon } from "../support/secured_daemon.ts";
import { startSecuredHost } from "../support/secured_host.ts";
import { greetedClient, submit, TEXT, transaction } from "../support/submit.ts";
import { trusting } from "../support/trusting.ts";
import { loggedLine } from "../support/until.ts";
import { deferredIn, queue } from "../support/waiting.ts";
import { toldOf } from "../support/proc.ts";

/** The text, and what it may look like elsewhere. */
function shapesOf(user: string, secret: string): string[] {
  const base64 = (text: string) => new TextEncoder().encode(text).toBase64();
  return [secret, base64(secret), base64(`\0${user}\0${secret}`), encodeURIComponent(secret)];
}

/** All files below a folder but these, as text by their paths. */
async function* texts(folder: string, but: readonly string[]): AsyncGenerator<[string, string]> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (but.includes(name)) continue;
    if (isDirectory) yield* texts(path, but);
    else yield [path, await Deno.readTextFile(path)];
  }
}

/** All that others could get to see of a daemon: what it logs, keeps, lists, and what Linux tells of it. */
async function seenOf(daemon: Daemon): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  for (const name of ["cmdline", "environ", "comm"]) {
    seen.set(`/proc/${name}`, await toldOf(daemon.process, name));
  }
  const ids = (await deferredIn(daemon)).map(({ id }) => id);
  assert.ok(ids.length > 0);
  for (const words of [["list"], ["list", "--json"], ["show", ...ids]]) {
    const { out, err } = await queue(daemon, ...words);
    seen.set(`queue ${words[0]}`, out + err);
  }
  assert.equal((await daemon.stop()).code, 0);
  const configuration = ["user.conf", "login", "tls.key"];
  for await (const [path, text] of texts(daemon.folder, configuration)) seen.set(path, text);
  return seen.set("log", daemon.log());
}

function assertUnseen(seen: ReadonlyMap<string, string>, secrets: readonly string[]): void {
  for (const secret of secrets) {
    assert.ok(secret.length > 8);
    assert.deepEqual(
      [...seen].filter(([, text]) => text.includes(secret)).map(([place]) => place),
      [],
    );
  }
}

async function say(client: RawClient, lines: readonly string[], last: RegExp): Promise<string[]> {
  const replies: string[] = [];
  for (const line of lines) replies.push(await client.command(line) ?? "");
  assert.match(replies.at(-1)!, last);
  return replies;
}

Deno.test({
  ...skippable("what users log in by is seen nowhere, right or wrong", missing(["openssl"])),
  fn: async () => {
    await using daemon = await startSecuredDaemon({ mail: "LOG_LEVEL = debug\n" });
    const wrong = "wrong horse: 51% #2";
    const base64 = (text: string) => new TextEncoder().encode(text).toBase64();
    const replies: string[] = [];
    const clear = await greetedClient(daemon.port);
    // Before TLS it is refused, and not told by that either.
    replies.push(...await say(clear, [`AUTH PLAIN ${base64(`\0jones\0${PASSWORD}`)}`], /^5/));
    clear.close();
    for (const service of ["submission", "submissions"] as const) {
      const client = await securedClient(daemon, service);
      const words = [`AUTH PLAIN ${base64(`\0jones\0${wrong}`)}`];
      if (service === "submission") replies.push(...await say(client, words, /^535 /));
      const login = service === "submission"
        ? ["AUTH LOGIN", base64("jones"), base64(PASSWORD)]
        : ["AUTH PLAIN", base64(`\0jones\0${PASSWORD}`)];
      replies.push(...await say(client, login, /^235 /));
      // As a command, where it does not belong.
      replies.push(...await say(client, [base64(PASSWORD), `VRFY ${PASSWORD}`, PASSWORD], /^5/));
      const message = { from: `jones@${HOST}`, to: ["joe@far.example", `smith@${HOST}`] };
      const text = TEXT.replaceAll("me.example", HOST);
      replies.push(await transaction(client, { ...message, text }));
      await client.command("QUIT");
      client.close();
    }
    const users = await Deno.readTextFile(`${daemon.folder}/user.conf`);
    const hashes = users.match(/\$scrypt\$\S+/g) ?? [];
    assert.equal(hashes.length, 2);
    const pieces = hashes.flatMap((hash) => [hash, ...hash.split("$").slice(-2)]);
    const key = await Deno.readTextFile(`${daemon.folder}/tls.key`);
    const seen = await seenOf(daemon);
    seen.set("replies", replies.join("\n"));
    assertUnseen(seen, [
      ...shapesOf("jones", PASSWORD),
      ...shapesOf("jones", wrong),
      ...pieces,
      ...key.split("\n").filter((line) => line.length > 20 && !line.startsWith("-")),
    ]);
    assert.match(daemon.log(), / login failed .*user=jones/);
  },
});

for (const accepted of [true, false]) {
  Deno.test({
    ...skippable(
      `the login at RELAY_HOST is seen nowhere, ${accepted ? "accepted" : "refused and repeated"}`,
      missing(["openssl"]),
    ),
    fn: async () => {
      await using authority = await makeAuthority();
      await using trust = await trusting(authority);
      const secret = "battery staple 7";
      const [, base64 = "", response = ""] = shapesOf("jones", secret);
      await using host = startSecuredHost({
        hostname: "127.0.0.1",
        issued: await authority.issue(["127.0.0.1"]),
        keywords: ["AUTH PLAIN"],
        reply: (line) => {
          if (line.startsWith("AUTH")) {
            return accepted ? "235 OK" : `535-No ${secret}\r\n535 ${line} ${base64}`;
          }
          return line.startsWith("RCPT") ? "450 4.2.0 Later" : undefined;
        },
      });
      await using daemon = await startDaemon({
        mail: `RELAY_HOST = 127.0.0.1:${host.port}\nRELAY_LOGIN_FILE = login\nLOG_LEVEL = debug\n`,
        files: { login: `jones:${secret}\n` },
        command: trust.command,
      });
      await submit(daemon.port, { to: ["joe@far.example"] });
      await loggedLine(daemon, "message deferred");
      assert(host.heard.some((line) => line.includes(response)), "it has logged in");
      assertUnseen(await seenOf(daemon), shapesOf("jones", secret));
    },
  });
}

Deno.test("a wrong line of user.conf is told without its hash", async () => {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_LENGTH));
  const hash = await hashPassword(new TextEncoder().encode(PASSWORD), salt);
  await assert.rejects(
    startDaemon({ users: `jones:mail/jones:${hash}x!\n` }),
    ({ message }: Error) => {
      assert.match(message, /user\.conf:1: /);
      assertUnseen(new Map([["error", message]]), [...hash.split("$").slice(-2), PASSWORD]);
      return true;
    },
  );
});

Deno.test("trouble of ours is answered without a word about it, and logged without a stack", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  // Where texts come in there is a file now.
  for (const place of ["mail/jones/tmp", "spool/tmp"]) {
    await Deno.remove(`${daemon.folder}/${place}`);
    await Deno.writeTextFile(`${daemon.folder}/${place}`, "");
  }
  const large = `${TEXT}${`${"x".repeat(70)}\r\n`.repeat(2000)}`;
  for (const to of ["jones@me.example", "joe@far.example"]) {
    for (const text of [TEXT, large]) {
      const client = await greetedClient(daemon.port);
      const reply = await transaction(client, { to: [to], text });
      assert.equal(reply, "451 4.3.0 Local trouble, nothing was stored, try again later");
      client.close();
    }
  }
  assert.equal((await daemon.stop()).code, 0);
  assert.equal(daemon.log().match(/ error message refused .*Not a directory/g)?.length, 4);
  assert.doesNotMatch(daemon.log(), /\.ts:\d+|file:\/\/|^ +at /m);
});

Deno.test("which version this is nobody is told over the wire", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  const client = await greetedClient(daemon.port);
  const replies: (string | null)[] = [];
  for (const line of ["HELO a.example", "HELP", "NOOP", "x", "QUIT"]) {
    replies.push(await client.command(line));
  }
  client.close();
  const greeted = await greetedClient(daemon.port);
  replies.push(await transaction(greeted, { to: ["jones@me.example", "joe@far.example"] }));
  greeted.close();
  const seen = await seenOf(daemon);
  const stored = [...seen].filter(([path]) => /\/(new|queue)\//.test(path)).map(([, text]) => text);
  assert.equal(stored.length, 3);
  for (const text of [...replies, ...stored]) {
    assert(text && !text.replace(/\[?127\.0\.0\.1\]?/g, "").includes(VERSION), text ?? "no reply");
    assert.doesNotMatch(text, /deno(?!smtpd)|v8|typescript/i);
  }
});
