/** Servers that hang up, babble and never end: the daemon goes on, and the mail waits. */

import assert from "node:assert/strict";
import { readMailbox, startDaemon } from "../support/daemon.ts";
import { type MailHost, type Peer, startMailHost } from "../support/mail_host.ts";
import { startMailNetwork } from "../support/mail_network.ts";
import { startRecordingServer } from "../support/recording_server.ts";
import { submit, TEXT } from "../support/submit.ts";
import { loggedLine } from "../support/until.ts";
import { emptied, retryAll, waitingIn } from "../support/waiting.ts";

type Serve = (peer: Peer) => Promise<void>;

/** Plays a server up to some point: it hears a line, then says one. */
function says(...replies: readonly string[]): Serve {
  return async (peer) => {
    for (const [i, reply] of ["220 nasty.test ESMTP", ...replies].entries()) {
      if (i > 0) await peer.hear();
      await peer.say(`${reply}\r\n`);
    }
  };
}

/** Waits for the end of what the client says, so that nothing is closed before it is read. */
function thenHears(serve: Serve, mark: string): Serve {
  return async (peer) => {
    await serve(peer);
    await peer.hear(mark);
  };
}

/** Without end, until the client has had enough. */
function forever(serve: Serve, piece: string): Serve {
  return async (peer) => {
    await serve(peer);
    for (;;) await peer.say(piece);
  };
}

const HIGH = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => 128 + i));
const UP_TO_DATA = ["250 nasty.test", "250 OK", "250 OK", "354 Go on"];
const NEVER_MIND: Serve = (peer) => peer.say("");

/** Whatever these do, the message waits. */
const NASTY: Readonly<Record<string, Serve>> = {
  "closes at once": NEVER_MIND,
  "closes after its greeting": thenHears(says(), "\r\n"),
  "closes in the middle of its greeting": (peer) => peer.say("220-nasty.test\r\n220-"),
  "closes after EHLO": thenHears(says("250 nasty.test"), "\r\n"),
  "closes after MAIL": thenHears(says("250 nasty.test", "250 OK"), "\r\n"),
  "closes after RCPT": thenHears(says("250 nasty.test", "250 OK", "250 OK"), "\r\n"),
  "closes after DATA": says(...UP_TO_DATA),
  "closes after the text": thenHears(says(...UP_TO_DATA), "\r\n.\r\n"),
  "closes in the middle of its last reply": async (peer) => {
    await thenHears(says(...UP_TO_DATA), "\r\n.\r\n")(peer);
    await peer.say("250-2.0.0 nearly\r\n25");
  },
  "speaks another protocol": (peer) => peer.say("HTTP/1.1 400 Bad Request\r\n\r\n"),
  "sends octets at random": (peer) => peer.say(`\0\x01\xff${HIGH}\r\n`.repeat(100)),
  "sends a line without end": forever(NEVER_MIND, "2".repeat(64 * 1024)),
  "sends a reply of lines without end": forever(NEVER_MIND, "220-nasty.test\r\n".repeat(1000)),
  "answers EHLO without end": forever(says("250-nasty.test"), "250-SIZE\r\n".repeat(1000)),
  "answers RCPT without end": forever(
    says("250 nasty.test", "250 OK", "250-OK"),
    "250-OK\r\n".repeat(1000),
  ),
  "answers the text without end": forever(
    thenHears(says(...UP_TO_DATA), "\r\n.\r\n"),
    "250-OK\r\n".repeat(1000),
  ),
  "answers with codes that are none": says("999 nasty.test"),
  "changes the code within a reply": says("250-nasty.test\r\n550 SIZE"),
  "fails in 8-bit words": says("250 nasty.test", `451 4.3.0 ${HIGH}`),
  "fails with escape sequences": says("250 nasty.test", "451 4.3.0 \x1b[2J\x07\x9b2J\0\u0085"),
  "fails with line ends of other kinds": says("250 nasty.test", "451 4.3.0 one\rtwo"),
};

const ALL = Object.entries(NASTY).map(([name, serve], i) => {
  return { name, serve, domain: `d${i}.test`, hostname: `127.0.0.${10 + i}` };
});
const GOOD = { "x.test": "127.0.0.2" };

Deno.test("the daemon outlives nasty servers:", async (t) => {
  const domains = Object.fromEntries(ALL.map(({ domain, hostname }) => [domain, hostname]));
  await using network = await startMailNetwork({ ...domains, ...GOOD });
  const { port } = network;
  await using good = startRecordingServer({ hostname: GOOD["x.test"], port });
  await using daemon = await startDaemon({ mail: network.mail });
  const hosts = new AsyncDisposableStack();
  try {
    for (const { hostname, serve } of ALL) hosts.use(startMailHost({ hostname, port }, serve));
    await Promise.all(ALL.map(({ domain }) => submit(daemon.port, { to: [`joe@${domain}`] })));

    for (const { name, domain } of ALL) {
      await t.step(`one that ${name}`, async () => {
        const line = await loggedLine(daemon, "message deferred", `to=<joe@${domain}>`);
        assert.match(line, /^[ -~]+$/);
        assert(line.length < 4000, `${line.length} characters`);
        assert.match(line, / reply="4\d\d 4\.\d\.\d /);
      });
    }
  } finally {
    await hosts.disposeAsync();
  }

  await t.step("and still sends to others", async () => {
    await submit(daemon.port, { to: ["joe@x.test"] });
    await loggedLine(daemon, "message sent", "to=<joe@x.test>");
    assert.equal(good.connections, 1);
  });
  await t.step("and keeps every message once", async () => {
    const waiting = await waitingIn(daemon);
    assert.deepEqual(
      waiting.flatMap(({ recipients }) => recipients.map(({ to }) => to)).sort(),
      ALL.map(({ domain }) => `joe@${domain}`).sort(),
    );
    for (const { recipients: [recipient] } of waiting) assert.equal(recipient?.attempts, 1);
  });
  await t.step("which arrive when the servers have calmed down", async () => {
    const calm = ALL.map(({ hostname }) => startRecordingServer({ hostname, port }));
    try {
      await retryAll(daemon);
      await emptied(daemon);
      for (const { conversations } of calm) {
        assert.equal(conversations.flatMap(({ texts }) => texts).length, 1);
      }
    } finally {
      for (const host of calm) await host[Symbol.asyncDispose]();
    }
  });
  for (const line of daemon.log().split("\n")) assert.match(line, /^([ -~]+)?$/);
  assert.doesNotMatch(daemon.log(), / error /);
});

Deno.test("a server that refuses in 8-bit words has them returned as ASCII (DSN-3)", async () => {
  await using network = await startMailNetwork(GOOD);
  const { port } = network;
  const serve = says("250 x.test", "250 OK", `550-5.1.1 ${HIGH}\x1b[2J\r\n550 5.1.1 Gr\xfc\xdfe`);
  await using _x: MailHost = startMailHost({ hostname: GOOD["x.test"], port }, async (peer) => {
    await serve(peer);
    await peer.hear("QUIT\r\n").catch(() => {});
  });
  await using daemon = await startDaemon({ mail: network.mail });
  await submit(daemon.port, { to: ["joe@x.test"], text: TEXT });
  await emptied(daemon);
  for (const line of daemon.log().split("\n")) assert.match(line, /^([ -~]+)?$/);
  const [{ bytes } = assert.fail()] = await readMailbox(`${daemon.folder}/mail/jones`);
  const report = new TextDecoder().decode(bytes);
  assert.match(report, /^[\n\t -~]+$/);
  assert.match(report, /^Status: 5\.1\.1$/m);
});

for (const sent of [true, false]) {
  const when = sent ? "after a text no other host" : "before a text another host";
  Deno.test(`where the connection is cut ${when} is asked at once (CL-20, BUG-30)`, async () => {
    const domains = { ...GOOD, "y.test": "127.0.0.3" };
    await using network = await startMailNetwork(domains, {
      "z.test": { MX: [[10, "mx.x.test"], [20, "mx.y.test"]] },
    });
    const { port } = network;
    const cut = sent
      ? thenHears(says(...UP_TO_DATA), "\r\n.\r\n")
      : thenHears(says("250 nasty.test", "250 OK"), "\r\n");
    await using x = startMailHost({ hostname: domains["x.test"], port }, cut);
    await using y = startRecordingServer({ hostname: domains["y.test"], port });
    await using daemon = await startDaemon({ mail: network.mail });
    await submit(daemon.port, { to: ["joe@z.test"] });
    if (sent) await loggedLine(daemon, "message deferred", "to=<joe@z.test>", " 4.4.2 ");
    else await emptied(daemon);
    assert.deepEqual([x.connections, y.connections], [1, sent ? 0 : 1]);
  });
}
