/** One connection, whatever the server does: every wait ends, and no result is lost. */

import assert from "node:assert/strict";
import { ChannelError, Connection, type Outcome, TIMEOUTS } from "../../src/relay/connection.ts";
import type { Mailbox } from "../../src/smtp/address.ts";
import { replyText } from "../../src/smtp/reply.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeWire } from "../support/fake_wire.ts";

const encoder = new TextEncoder();

const JONES = { localPart: "jones", domain: "x.y" };
const SMITH = { localPart: "smith", domain: "x.y" };
const GREEN = { localPart: "green", domain: "x.y" };

const TEXT = "Subject: Hi\r\n\r\n.body\r\n";
const OK = "250 OK\r\n";

/** The replies of a server that takes one message for one recipient, the first unasked. */
const REPLIES = ["220 s\r\n", "250 s\r\n", OK, OK, "354 go\r\n", "250 2.0.0 taken\r\n"] as const;
/** What each of them answers. */
const STEPS = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "end"] as const;

interface Conversation {
  readonly server: FakeWire;
  readonly clock: FakeClock;
  /** A connection with one message on its way. */
  readonly done: Promise<{ connection: Connection; outcome: Outcome }>;
}

/** Opens a connection to a server that is the test, and sends a message over it. */
function converse(forwardPaths: readonly Mailbox[] = [JONES], text = TEXT): Conversation {
  const server = new FakeWire();
  const clock = new FakeClock();
  const start = async () => {
    const connection = await open(server, clock);
    return { connection, outcome: await send(connection, forwardPaths, text) };
  };
  return { server, clock, done: start() };
}

function open(server: FakeWire, clock: FakeClock): Promise<Connection> {
  const options = { host: "me.example", serverName: "mx.test", wantsTls: false, clock };
  return Connection.open(server, options);
}

function send(connection: Connection, forwardPaths = [JONES] as readonly Mailbox[], text = TEXT) {
  const envelope = { reversePath: null, forwardPaths, size: text.length, eightBit: false };
  return connection.send(envelope, pieces(text));
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(encoder.encode(text));
}

/** Says each reply when it has heard what it answers. */
async function answer(server: FakeWire, ...replies: string[]): Promise<void> {
  for (const reply of replies) {
    await server.hear();
    server.say(reply);
  }
}

/** A connection that is greeted and has not sent anything. */
async function greeted(offered = "250 s\r\n") {
  const server = new FakeWire();
  const clock = new FakeClock();
  const opening = open(server, clock);
  server.say("220 s\r\n");
  await answer(server, offered);
  return { server, clock, connection: await opening };
}

function words({ results, remaining, broken }: Outcome): string[] {
  return [
    ...results.map(({ forwardPath, reply }) => `${forwardPath.localPart} ${replyText(reply)}`),
    ...remaining.map(({ localPart }) => `${localPart} remains`),
    ...broken?.undecided.map(({ localPart }) => `${localPart}? ${replyText(broken.reply)}`) ?? [],
  ];
}

/** What opening the connection, or else the outcome, says of a server that fails. */
async function failure({ done }: Conversation) {
  try {
    const { connection, outcome } = await done;
    assert.ok(!connection.usable);
    assert.ok(outcome.broken);
    return { reply: replyText(outcome.broken.reply), textSent: outcome.broken.textSent };
  } catch (error) {
    assert.ok(error instanceof ChannelError);
    return { reply: replyText(error.reply), kind: error.kind, heard: error.heard };
  }
}

/** Plays a server up to where it has heard everything and not yet given the answer to `step`. */
async function playTo(conversation: Conversation, step: number): Promise<void> {
  const { server } = conversation;
  for (let at = 0; at < step; at++) {
    if (at > 0) await server.hear();
    server.say(REPLIES[at]!);
  }
  if (step > 0) await server.hear();
  await server.settled();
}

Deno.test("one message after another over one connection, and QUIT at the end (CL-27)", async () => {
  const { server, connection } = await greeted();
  for (const id of ["one", "two"]) {
    const sending = send(connection);
    await answer(server, OK, OK, "354 go\r\n", `250 2.0.0 ${id}\r\n`);
    assert.deepEqual(words(await sending), [`jones 250 2.0.0 ${id}`]);
    assert.ok(connection.usable);
  }
  const quitting = connection.quit();
  assert.equal(await server.hear(), "QUIT\r\n");
  assert.ok(!server.closed, "the server closes first, or has said 221");
  server.say("221 bye\r\n");
  await quitting;
  assert.ok(server.closed);
  assert.equal(server.written.at(-1), "QUIT\r\n");
  assert.ok(!connection.usable);
});

Deno.test("all recipients of one server are in one transaction, in few writes (CL-23, CL-17)", async () => {
  const { server, connection } = await greeted("250-s\r\n250 PIPELINING\r\n");
  const sending = send(connection, [JONES, SMITH, GREEN]);
  await answer(server, OK + OK + "450 4.2.1 busy\r\n550 5.1.1 no\r\n", "354 go\r\n", OK);
  assert.deepEqual(words(await sending), [
    "smith 450 4.2.1 busy",
    "green 550 5.1.1 no",
    "jones 250 OK",
  ]);
  assert.deepEqual(server.written, [
    "EHLO me.example\r\n",
    "MAIL FROM:<>\r\nRCPT TO:<jones@x.y>\r\nRCPT TO:<smith@x.y>\r\nRCPT TO:<green@x.y>\r\n",
    "DATA\r\n",
    "Subject: Hi\r\n\r\n..body\r\n.\r\n",
  ]);
  connection.close();
});

/** What is read, in pieces, and what goes over the wire. */
const TEXTS: readonly (readonly [pieces: readonly string[], wire: string])[] = [
  [[".\r\n..a"], "..\r\n...a\r\n.\r\n"],
  [["a\r\n"], "a\r\n.\r\n"],
  [["a\r\n", ".b\r\n"], "a\r\n..b\r\n.\r\n"],
  [["a\r", "\n.", "b"], "a\r\n..b\r\n.\r\n"],
  [[], ".\r\n"],
];

for (const [text, wire] of TEXTS) {
  Deno.test(`the text ${JSON.stringify(text)} leaves in one write (CL-24, CL-25, BUG-5)`, async () => {
    const { server, connection } = await greeted();
    const sending = connection.send(
      { reversePath: null, forwardPaths: [JONES], size: 1, eightBit: false },
      pieces(...text),
    );
    await answer(server, OK, OK, "354 go\r\n", OK);
    assert.deepEqual(words(await sending), ["jones 250 OK"]);
    assert.equal(server.written.at(-1), wire);
    connection.close();
  });
}

for (const more of [-5, -4, -3, -2, -1, 0, 1, 2]) {
  Deno.test(`a text of about two blocks (${more}) leaves whole (CL-24, CL-25)`, async () => {
    const { server, connection } = await greeted();
    const text = "x".repeat(2 * 65536 + more);
    const sending = send(connection, [JONES], text);
    await answer(server, OK, OK, "354 go\r\n");
    while (!server.written.at(-1)!.endsWith("\r\n.\r\n")) await server.hear();
    server.say(OK);
    assert.deepEqual(words(await sending), ["jones 250 OK"]);
    const blocks = server.written.slice(4);
    assert.equal(blocks.join(""), `${text}\r\n.\r\n`);
    assert.ok(blocks.length <= 3);
    connection.close();
  });
}

Deno.test("where nobody is accepted the text is not even read (CL-16, BUG-12)", async () => {
  const { server, connection } = await greeted();
  const sending = send(connection, [JONES, SMITH]);
  await answer(server, OK, "550 a\r\n", "452 b\r\n");
  assert.deepEqual(words(await sending), ["jones 550 a", "smith 452 b"]);
  const again = send(connection);
  assert.equal(await server.hear(), "RSET\r\n");
  server.say(OK);
  await answer(server, "550 no\r\n");
  assert.deepEqual(words(await again), ["jones 550 no"]);
  assert.ok(!server.written.includes("DATA\r\n"));
  connection.close();
});

Deno.test("the timeouts are those of RFC 5321 4.5.3.2 at least (CL-14)", () => {
  const minute = 60_000;
  const { greeting, MAIL, RCPT, DATA, text, end } = TIMEOUTS;
  const least = [5 * minute, 5 * minute, 5 * minute, 2 * minute, 3 * minute, 10 * minute];
  [greeting, MAIL, RCPT, DATA, text, end].forEach((limit, i) => assert.ok(limit >= least[i]!));
});

for (const [at, step] of STEPS.entries()) {
  Deno.test(`a server that is silent at ${step} is waited for, but not for ever (CL-14, CL-20)`, async () => {
    const conversation = converse();
    const { server, clock } = conversation;
    await playTo(conversation, at);
    clock.advance(TIMEOUTS[step] - 1);
    assert.ok(!server.closed);
    clock.advance(1);
    assert.ok(server.closed);
    const { reply, kind = "late", textSent = false } = await failure(conversation);
    const status = step === "greeting" ? "4.4.1" : "4.4.2";
    assert.equal(reply, `451 ${status} the server does not answer`);
    assert.equal(kind, "late");
    assert.equal(textSent, step === "end");
    assert.equal(clock.pending, 0);
  });

  Deno.test(`a reply to ${step} that trickles in has no longer (CL-14)`, async () => {
    const conversation = converse();
    const { server, clock } = conversation;
    await playTo(conversation, at);
    for (let i = 0; i < 9; i++) {
      server.say("250-ok OK "[i]!);
      await server.settled();
      clock.advance(TIMEOUTS[step] / 10);
      assert.ok(!server.closed);
    }
    clock.advance(TIMEOUTS[step] / 10);
    assert.ok(server.closed);
    assert.match((await failure(conversation)).reply, /does not answer/);
  });

  for (const how of ["end", "reset"] as const) {
    Deno.test(`a server that closes at ${step} (${how}) has decided nothing (CL-20)`, async () => {
      const conversation = converse();
      await playTo(conversation, at);
      conversation.server[how]();
      const { reply, kind = "lost", textSent = false } = await failure(conversation);
      assert.match(reply, /^451 4\.4\.2 the (server closed the connection|connection .* broke)$/);
      assert.equal(kind, "lost");
      assert.equal(textSent, step === "end");
      assert.ok(conversation.server.closed);
      assert.equal(conversation.clock.pending, 0);
    });
  }

  for (
    const [what, bytes] of [
      ["another language", "SSH-2.0-OpenSSH_9.2\r\n"],
      ["a code out of range", "650 x\r\n"],
      ["octets", "\xff\xfe\x00\x80\r\n"],
      ["a line without end", "250 ".padEnd(70_000, "x")],
      ["lines without end", "250-x\r\n".repeat(10_000)],
    ] as const
  ) {
    Deno.test(`${what} at ${step} is no reply (CL-15)`, async () => {
      const conversation = converse();
      await playTo(conversation, at);
      conversation.server.say(bytes);
      const { reply, kind = "nonsense" } = await failure(conversation);
      assert.match(reply, /^451 4\.5\.0 the server's reply [ -~]{5,120}$/);
      assert.equal(kind, "nonsense");
      assert.ok(conversation.server.closed);
    });
  }

  Deno.test(`a reply to ${step} may have lines, octets and come byte by byte (CL-15)`, async () => {
    const conversation = converse();
    const { server, done } = conversation;
    await playTo(conversation, at);
    const code = REPLIES[at]!.slice(0, 3);
    for (const byte of `${code}-\xe9\r\n${code}-\r\n${code}\r\n`) server.say(byte);
    await answer(server, ...REPLIES.slice(at + 1));
    const { connection, outcome } = await done;
    assert.ok(outcome.results[0]!.reply.code === 250);
    assert.ok(connection.usable);
    connection.close();
  });
}

Deno.test("with PIPELINING each reply has its own time (CL-14)", async () => {
  const { server, clock, connection } = await greeted("250-s\r\n250 PIPELINING\r\n");
  const sending = send(connection, [JONES, SMITH, GREEN]);
  await server.hear();
  for (const reply of [OK, OK, "550 no\r\n", OK]) {
    clock.advance(TIMEOUTS.RCPT - 1);
    assert.ok(!server.closed);
    server.say(reply);
    await server.settled();
  }
  await answer(server, "354 go\r\n", OK);
  assert.deepEqual(words(await sending), ["smith 550 no", "jones 250 OK", "green 250 OK"]);
  connection.close();
});

Deno.test("what was decided stays so when the connection breaks (CL-17, CL-18, CL-20)", async () => {
  const { server, connection } = await greeted();
  const sending = send(connection, [JONES, SMITH, GREEN]);
  await answer(server, OK, OK, "550 5.1.1 no\r\n", "452 too many\r\n");
  await server.hear();
  server.end();
  const outcome = await sending;
  assert.deepEqual(words(outcome), [
    "smith 550 5.1.1 no",
    "green remains",
    "jones? 451 4.4.2 the server closed the connection",
  ]);
  assert.equal(outcome.broken?.textSent, false);
  assert.ok(server.closed);
});

Deno.test("a server that closes after it accepted has accepted (CL-19)", async () => {
  const { server, connection } = await greeted();
  const sending = send(connection);
  await answer(server, OK, OK, "354 go\r\n", OK);
  server.end();
  assert.deepEqual(words(await sending), ["jones 250 OK"]);
  await connection.quit();
  assert.ok(server.closed);
});

for (const code of [554, 521, 450]) {
  Deno.test(`a greeting of ${code} is refusal, and left by QUIT (CL-13, CL-27)`, async () => {
    const conversation = converse();
    const { server } = conversation;
    server.say(`${code} no mail here\r\n`);
    assert.equal(await server.hear(), "QUIT\r\n");
    server.say("221 bye\r\n");
    assert.deepEqual(await failure(conversation), {
      reply: `${code} no mail here`,
      kind: "refused",
      heard: true,
    });
    assert.ok(server.closed);
  });
}

Deno.test("after a greeting of 421 there is nothing to say (CL-13)", async () => {
  const conversation = converse();
  conversation.server.say("421 4.3.2 full\r\n");
  const { reply, kind } = await failure(conversation);
  assert.deepEqual([reply, kind], ["421 4.3.2 full", "refused"]);
  assert.deepEqual(conversation.server.written, []);
  assert.ok(conversation.server.closed);
});

Deno.test("421 in a transaction is its result, and the end", async () => {
  const { server, connection } = await greeted();
  const sending = send(connection);
  await answer(server, OK, "421 4.3.2 leaving\r\n");
  const outcome = await sending;
  assert.deepEqual(words(outcome), ["jones 421 4.3.2 leaving"]);
  assert.equal(outcome.broken, undefined);
  assert.ok(server.closed);
  assert.ok(!connection.usable);
  await connection.quit();
});

for (
  const [what, act] of [
    ["closes", (server: FakeWire) => server.end()],
    ["says 421", (server: FakeWire) => server.say("421 4.4.2 waited too long\r\n")],
    ["adds something", (server: FakeWire) => server.say(OK)],
  ] as const
) {
  Deno.test(`a server that ${what} between transactions is not sent another one`, async () => {
    const { server, connection } = await greeted();
    act(server);
    await server.settled();
    assert.ok(!connection.usable);
    const outcome = await send(connection, [JONES, SMITH]);
    assert.deepEqual(outcome.broken?.undecided, [JONES, SMITH]);
    assert.equal(outcome.broken?.textSent, false);
    assert.deepEqual(server.written, ["EHLO me.example\r\n"]);
    const quitting = connection.quit();
    await quitting;
    assert.ok(server.closed);
  });
}

Deno.test("QUIT is not waited for long, and nothing about it is an error (CL-27)", async () => {
  for (const act of ["silent", "end", "reset"] as const) {
    const { server, clock, connection } = await greeted();
    const quitting = connection.quit();
    await server.hear();
    if (act === "silent") clock.advance(TIMEOUTS.QUIT);
    else server[act]();
    await quitting;
    assert.ok(server.closed);
    await connection.quit();
    connection.close();
  }
});

Deno.test("closing breaks what is being sent", async () => {
  const { server, connection } = await greeted();
  const sending = send(connection);
  await server.hear();
  connection.close();
  assert.deepEqual(words(await sending), ["jones? 451 4.4.2 the connection to the server broke"]);
});

Deno.test("a text that cannot be read is its reader's error, and the server never sees an end", async () => {
  for (const before of ["", "Subject: Hi\r\n", "x".repeat(100_000)]) {
    const { server, connection } = await greeted();
    const trouble = new Deno.errors.NotFound("the text");
    const torn = async function* () {
      yield* pieces(before);
      throw trouble;
    };
    const sending = connection.send(
      { reversePath: null, forwardPaths: [JONES], size: 1, eightBit: false },
      torn(),
    );
    const [rejected] = await Promise.all([
      sending.catch((error) => error),
      answer(server, OK, OK, "354 go\r\n"),
    ]);
    assert.equal(rejected, trouble);
    assert.ok(server.closed);
    assert.doesNotMatch(server.written.join(""), /\r\n\.\r\n/);
  }
});

const LARGE = "x".repeat(1_000_000);

/** As far as the first block of a large text. */
async function inText() {
  const { server, clock, connection } = await greeted();
  const sending = send(connection, [JONES], LARGE);
  await answer(server, OK, OK);
  await server.hear();
  server.stalled = true;
  server.say("354 go\r\n");
  assert.match(await server.hear(), /^x+$/);
  return { server, clock, connection, sending };
}

Deno.test("a server that does not read the text has its time for each block (CL-14)", async () => {
  const { server, clock, sending } = await inText();
  clock.advance(TIMEOUTS.text - 1);
  assert.ok(!server.closed);
  clock.advance(1);
  const outcome = await sending;
  assert.deepEqual(words(outcome), ["jones? 451 4.4.2 the server does not answer"]);
  assert.equal(outcome.broken?.textSent, false);
  assert.equal(clock.pending, 0);
});

for (const then of ["stays", "closes", "resets"] as const) {
  Deno.test(`552 in the middle of the text is heard, though the server ${then} (CL-19)`, async () => {
    const { server, sending, connection } = await inText();
    server.say("552 5.3.4 too big\r\n");
    if (then === "closes") server.end();
    if (then === "resets") server.reset();
    const outcome = await sending;
    assert.deepEqual(words(outcome), ["jones 552 5.3.4 too big"]);
    assert.equal(outcome.broken, undefined);
    assert.ok(server.closed);
    assert.ok(!connection.usable);
    assert.doesNotMatch(server.written.join(""), /\r\n\.\r\n|QUIT/);
  });
}

for (const how of ["end", "reset"] as const) {
  Deno.test(`a server that leaves in the middle of the text (${how}) has not taken it (CL-20)`, async () => {
    const { server, sending } = await inText();
    server[how]();
    const outcome = await sending;
    assert.match(words(outcome)[0]!, /^jones\? 451 4\.4\.2 /);
    assert.equal(outcome.broken?.textSent, false);
    assert.ok(server.closed);
  });
}

Deno.test("250 in the middle of the text is not believed", async () => {
  const { server, sending } = await inText();
  server.say(OK);
  assert.match(words(await sending)[0]!, /^jones\? 451 4\.5\.0 /);
});

Deno.test("an answer to the text that comes before the text", async () => {
  for (
    const [early, expected] of [["250 OK", /^jones\? 451 4\.5\.0 /], ["554 no", /^jones 554 no$/]]
  ) {
    const { server, connection } = await greeted();
    const sending = send(connection);
    await answer(server, OK, OK, `354 go\r\n${early}\r\n`);
    assert.match(words(await sending)[0]!, expected as RegExp);
    assert.equal(server.written.at(-1), "DATA\r\n");
    assert.ok(server.closed);
  }
});

Deno.test("both sides are shown, all but the text", async () => {
  const server = new FakeWire();
  const seen: string[] = [];
  const opening = Connection.open(server, {
    host: "me.example",
    serverName: "mx.test",
    wantsTls: false,
    clock: new FakeClock(),
    observe: (who, bytes) => seen.push(`${who} ${new TextDecoder().decode(bytes).trim()}`),
  });
  server.say("220 s\r\n");
  await answer(server, "250 s\r\n");
  const connection = await opening;
  const sending = send(connection);
  await answer(server, OK, OK, "354 go\r\n", OK);
  await sending;
  assert.deepEqual(seen, [
    ...["server 220 s", "client EHLO me.example", "server 250 s"],
    ...["client MAIL FROM:<>", "server 250 OK", "client RCPT TO:<jones@x.y>", "server 250 OK"],
    ...["client DATA", "server 354 go", "server 250 OK"],
  ]);
  connection.close();
});
