/** Whoever is no client of ours cannot send through us, however the recipient is written. */

import assert from "node:assert/strict";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { startMailNetwork } from "../support/mail_network.ts";
import { namesIn } from "../support/names_in.ts";
import { run, testWith } from "../support/programs.ts";
import type { RawClient } from "../support/raw_client.ts";
import { startRecordingServer } from "../support/recording_server.ts";
import { greetedClient, TEXT } from "../support/submit.ts";
import { emptied } from "../support/waiting.ts";
import { arrived } from "./relay_report.ts";

/** Mailboxes elsewhere. */
const ELSEWHERE = [
  "<a@y.test>",
  "<a@Y.TEST>",
  "<A@y.TesT>",
  '<"a"@y.test>',
  '<"a@me.example"@y.test>',
  '<"a\\"@me.example"@y.test>',
  "<a%me.example@y.test>",
  "<me.example!a@y.test>",
  "<a+me.example@y.test>",
  "<postmaster@y.test>",
  "<@me.example:a@y.test>",
  "<@me.example,@z.test:a@y.test>",
  "<@y.test:a@y.test>",
  "<a@[127.0.0.3]>",
  "<a@[192.0.2.1]>",
  "<a@[IPv6:::1]>",
  "<a@[IPv6:::ffff:127.0.0.3]>",
  "<a@me.example.y.test>",
  "<a@y.test.me.example>",
  "<a@notme.example>",
  "<a@example>",
  "<a@localhost>",
];

/** No mailboxes at all. */
const NONSENSE = [
  "<a@y.test.>",
  "<a@me.example.>",
  "<a@y.test@me.example>",
  "<a@me.example@y.test>",
  '<"a"@y.test"@me.example>',
  '<""a@y.test""@me.example>',
  "<@me.example:@y.test:a@me.example>",
  "<@me.example:>",
  "<a@[127.0.0.1]@y.test>",
  "<a@[127.0.0.1:y.test]>",
  "<a@[127.0.0.1%y.test]>",
  "<a@[@y.test:127.0.0.1]>",
  "<a@me.example,a@y.test>",
  "<a@me.example>,<a@y.test>",
  "<a@me.example> <a@y.test>",
  "<<a@y.test>>",
  "<a@y.test",
  "<a(@y.test)@me.example>",
  "<a @y.test>",
  "<a@me.example\0@y.test>",
  "<a@y_test>",
  "<y.test:a>",
  "<>",
];

/** Local-parts that seem to say more are just names, and nobody here is called so. */
const STRANGE_NAMES = [
  "<a%y.test@me.example>",
  "<a%y.test@[127.0.0.1]>",
  "<a%y.test@ME.EXAMPLE>",
  '<"a%y.test"@me.example>',
  "<y.test!a@me.example>",
  "<y.test!a@[127.0.0.1]>",
  '<"a@y.test"@me.example>',
  '<"a@y.test"@[127.0.0.1]>',
  '<"\\"a@y.test\\""@me.example>',
  '<"@y.test:a"@me.example>',
  '<"<a@y.test>"@me.example>',
  '<"a\\@y.test"@me.example>',
  "<@y.test:nobody@me.example>",
  "<a=y.test@me.example>",
];

const DENIED = /^550 5\.7\.1 /;
const SYNTAX = /^5(00|01|53|55) 5\./;
const UNKNOWN = /^550 5\.1\.1 /;

Deno.test("an outsider cannot relay by any spelling", async () => {
  await using network = await startMailNetwork({ "y.test": "127.0.0.3" });
  await using y = startRecordingServer({ hostname: "127.0.0.3", port: network.port });
  await using daemon = await startDaemon({ mail: `${network.mail}RELAY_FROM = none\n` });
  await assertRefused(daemon, ELSEWHERE, DENIED);
  await assertRefused(daemon, NONSENSE, SYNTAX);
  await assertRefused(daemon, STRANGE_NAMES, UNKNOWN);
  await nothingQueued(daemon);
  assert.equal(y.connections, 0);
});

Deno.test("local-parts are no routes for those who may relay, either", async () => {
  await using network = await startMailNetwork({ "y.test": "127.0.0.3" });
  await using y = startRecordingServer({ hostname: "127.0.0.3", port: network.port });
  await using daemon = await startDaemon({ mail: network.mail });
  await assertRefused(daemon, NONSENSE, SYNTAX);
  await assertRefused(daemon, STRANGE_NAMES, UNKNOWN);
  await nothingQueued(daemon);
  assert.equal(y.connections, 0);
});

Deno.test("whoever takes the rest here takes strange names too, and nothing goes on", async () => {
  await using network = await startMailNetwork({ "y.test": "127.0.0.3" });
  await using y = startRecordingServer({ hostname: "127.0.0.3", port: network.port });
  await using daemon = await startDaemon({
    mail: `${network.mail}RELAY_FROM = none\n`,
    users: "*:mail/rest\n",
  });
  await assertRefused(daemon, ELSEWHERE, DENIED);
  const client = await begun(daemon);
  try {
    for (const path of STRANGE_NAMES) {
      assert.match(await client.command(`RCPT TO:${path}`) ?? "", /^250 /, path);
    }
    assert.match(await client.command("DATA") ?? "", /^354 /);
    assert.match(await client.command(`${TEXT}.`) ?? "", /^250 /);
  } finally {
    client.close();
  }
  await arrived(daemon, "rest");
  await nothingQueued(daemon);
  assert.equal(y.connections, 0);
});

testWith(["swaks"], "an address beside the one in RELAY_FROM is an outsider's", async () => {
  await using network = await startMailNetwork({ "y.test": "127.0.0.3" });
  await using y = startRecordingServer({ hostname: "127.0.0.3", port: network.port });
  await using daemon = await startDaemon({ mail: `${network.mail}RELAY_FROM = 127.0.0.8\n` });
  const send = (address: string, to: string) => {
    const args = ["--server", "127.0.0.1", "--port", String(daemon.port), "--to", to];
    args.push("--from", "jones@me.example", "--ehlo", "client.example", "--timeout", "20s");
    return run("swaks", [...args, "--local-interface", address]);
  };
  const denied = await send("127.0.0.9", "a@y.test");
  assert.notEqual(denied.code, 0);
  assert.match(denied.words, /550 5\.7\.1 /);
  await nothingQueued(daemon);
  assert.equal(y.connections, 0);

  assert.equal((await send("127.0.0.9", "jones@me.example")).code, 0);
  assert.equal((await send("127.0.0.8", "a@y.test")).code, 0);
  await emptied(daemon);
  assert.equal(y.conversations.flatMap(({ texts }) => texts).length, 1);
});

/** Too many errors end a session. */
const AT_ONCE = 5;

/** Refused in transactions that nothing comes of. */
async function assertRefused(
  daemon: Daemon,
  paths: readonly string[],
  reply: RegExp,
): Promise<void> {
  for (let at = 0; at < paths.length; at += AT_ONCE) {
    const client = await begun(daemon);
    try {
      for (const path of paths.slice(at, at + AT_ONCE)) {
        const said = await client.command(`RCPT TO:${path}`);
        assert.match(said ?? "", reply, `${JSON.stringify(path)} got ${said}`);
      }
      assert.match(await client.command("DATA") ?? "", /^(503|554) 5\.5\.1 /);
      assert.match(await client.command("QUIT") ?? "", /^221 /);
    } finally {
      client.close();
    }
  }
}

async function begun({ port }: Daemon): Promise<RawClient> {
  const client = await greetedClient(port);
  assert.match(await client.command("MAIL FROM:<stranger@z.test>") ?? "", /^250 /);
  return client;
}

async function nothingQueued({ folder, log }: Daemon): Promise<void> {
  for (const part of ["queue", "tmp"]) {
    assert.deepEqual(await namesIn(`${folder}/spool/${part}`), []);
  }
  assert.doesNotMatch(log(), /message queued/);
}
