/** STARTTLS and AUTH in a session: what it tells its owner, what it asks, and what it forgets. */

import assert from "node:assert/strict";
import * as replies from "../../src/smtp/reply.ts";
import type { Reply } from "../../src/smtp/reply.ts";
import type { SessionEvent } from "../../src/smtp/event.ts";
import { Session, type SessionOptions } from "../../src/smtp/session.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const OPTIONS: SessionOptions = { host: "me.example", maxMessageSize: 65_536, maxRecipients: 100 };
const OFFERED = { ...OPTIONS, tls: "offered" } as const;
const SUBMISSION = { ...OPTIONS, tls: "in use", submission: true } as const;
const HELLO = "EHLO c\r\n";
const AUTH = `AUTH PLAIN ${btoa("\0jones\0secret")}\r\n`;
const DATA = "MAIL FROM:<jones@x>\r\nRCPT TO:<jones@x>\r\nDATA\r\n";

function session(options: SessionOptions): Session {
  const session = new Session(options);
  session.takeOutput();
  return session;
}

const YES: Readonly<Partial<Record<SessionEvent["kind"], Reply>>> = {
  login: replies.loggedIn,
  mail: replies.senderOk,
  recipient: replies.recipientOk,
  data: replies.startText,
  end: replies.stored("ID"),
};

/** Feeds this, answers yes or as told, and returns what happened. */
function feed(session: Session, input: string, answers = YES): SessionEvent[] {
  const events: SessionEvent[] = [];
  session.feed(bytes(input));
  for (let event = session.next(); event; event = session.next()) {
    events.push(event);
    const answer = answers[event.kind];
    if (answer) session.answer(answer);
  }
  return events;
}

const kinds = (events: SessionEvent[]) => events.map(({ kind }) => kind);

/** The codes of the replies so far. */
function codes(session: Session): number[] {
  return [...session.takeOutput().matchAll(/^(\d{3}) .*\r\n/gm)].map((match) => Number(match[1]));
}

const last = (session: Session) => session.takeOutput().split("\r\n").at(-2);

for (
  const [behind, discarded] of [
    ["", 0],
    ["NOOP\r\n", 6],
    [DATA, DATA.length],
    ["MAIL FROM:<a", 12],
    ["\x16\x03\x01", 3],
    ["x".repeat(5000), 5000],
  ] as const
) {
  Deno.test(`behind STARTTLS ${discarded} octets are nobody's words (RFC 3207 6)`, () => {
    const server = session(OFFERED);
    const events = feed(server, `${HELLO}STARTTLS\r\n${behind}`);
    assert.deepEqual(events, [{ kind: "starttls", discarded }]);
    assert.equal(server.closed, true);
    assert.equal(server.inLine, false);
    assert.equal(last(server), "220 2.0.0 Ready for the TLS handshake");
    // Nothing follows: no more replies, no more events, no end either.
    assert.deepEqual(feed(server, "NOOP\r\n"), []);
    server.end(replies.shuttingDown("me.example"));
    assert.equal(server.next(), undefined);
    assert.equal(server.takeOutput(), "");
  });
}

Deno.test("STARTTLS drops the transaction before the handshake (RFC 3207 4.2)", () => {
  const server = session(OFFERED);
  feed(server, `${HELLO}MAIL FROM:<a@b>\r\nRCPT TO:<jones@x>\r\n`);
  assert.deepEqual(kinds(feed(server, "STARTTLS\r\n")), ["dropped", "starttls"]);
});

Deno.test("what comes before STARTTLS in its packet is answered before it", () => {
  const server = session(OFFERED);
  assert.deepEqual(kinds(feed(server, `${HELLO}MAIL FROM:<>\r\nSTARTTLS\r\nNOOP\r\n`)), [
    "mail",
    "dropped",
    "starttls",
  ]);
  assert.deepEqual(codes(server), [250, 250, 220]);
});

Deno.test("STARTTLS refused is told, and the session goes on", () => {
  for (
    const [options, input, reply] of [
      [OPTIONS, `${HELLO}STARTTLS\r\n`, replies.notImplemented],
      [OFFERED, "STARTTLS\r\n", replies.extendedHelloFirst],
      [OFFERED, "HELO c\r\nSTARTTLS\r\n", replies.extendedHelloFirst],
      [OFFERED, `${HELLO}STARTTLS x\r\n`, replies.noArgument],
      [{ ...OPTIONS, tls: "in use" }, `${HELLO}STARTTLS\r\n`, replies.securedAlready],
      [SUBMISSION, `${HELLO}STARTTLS\r\n`, replies.securedAlready],
    ] as const
  ) {
    const server = session(options);
    assert.deepEqual(feed(server, input), [{ kind: "refused", what: "STARTTLS", reply }]);
    server.takeOutput();
    feed(server, "NOOP\r\n");
    assert.deepEqual(codes(server), [250]);
  }
});

Deno.test("a session after the handshake says no greeting, and knows of no EHLO (BUG-9)", () => {
  const server = new Session({ ...OPTIONS, tls: "in use", greeted: true });
  assert.equal(server.takeOutput(), "");
  feed(server, `MAIL FROM:<>\r\n${HELLO}MAIL FROM:<>\r\n`);
  assert.deepEqual(codes(server), [503, 250, 250]);
  assert.match(new Session({ ...OPTIONS, tls: "in use" }).takeOutput(), /^220 me\.example /);
});

Deno.test("the trace says how a message came (RFC 3848)", () => {
  const rows: [SessionOptions, string, string][] = [
    [OPTIONS, "EHLO c\r\n", "ESMTP"],
    [OFFERED, "EHLO c\r\n", "ESMTP"],
    [OFFERED, "HELO c\r\n", "SMTP"],
    [{ ...OPTIONS, tls: "in use" }, "EHLO c\r\n", "ESMTPS"],
    [{ ...OPTIONS, tls: "in use" }, "HELO c\r\n", "SMTP"],
    [SUBMISSION, `EHLO c\r\n${AUTH}`, "ESMTPSA"],
    [SUBMISSION, `EHLO c\r\n${AUTH}EHLO d\r\n`, "ESMTPSA"],
    [SUBMISSION, `EHLO c\r\n${AUTH}HELO d\r\n`, "SMTP"],
  ];
  for (const [options, input, protocol] of rows) {
    const event = feed(session(options), `${input}MAIL FROM:<>\r\n`).at(-1);
    assert.ok(event?.kind === "mail", input);
    assert.equal(event.transaction.protocol, protocol, input);
  }
});

Deno.test("credentials are asked about, and a yes is a login", () => {
  const server = session(SUBMISSION);
  feed(server, HELLO);
  server.takeOutput();
  assert.deepEqual(feed(server, AUTH), [
    { kind: "login", credentials: { name: "jones", password: bytes("secret") } },
  ]);
  assert.equal(server.takeOutput(), "235 2.7.0 Logged in\r\n");
});

Deno.test("the challenge of PLAIN is empty, but a blank stands before it (RFC 4954 4)", () => {
  const server = session(SUBMISSION);
  feed(server, `${HELLO}AUTH PLAIN\r\n`);
  assert.match(server.takeOutput(), /\r\n334 \r\n$/);
});

const NO = { ...YES, login: replies.loginRefused };

Deno.test("a no is none, and does not end the session", () => {
  const server = session(SUBMISSION);
  feed(server, HELLO);
  server.takeOutput();
  for (let i = 0; i < 5; i++) feed(server, `${AUTH}MAIL FROM:<>\r\n`, NO);
  assert.deepEqual(codes(server), Array.from({ length: 5 }, () => [535, 530]).flat());
  feed(server, `${AUTH}MAIL FROM:<>\r\n`);
  assert.deepEqual(codes(server), [235, 250]);
});

for (
  const [what, command] of [
    ["a login that is refused", AUTH],
    ["acting for somebody else", `AUTH PLAIN ${btoa("smith\0jones\0secret")}\r\n`],
    ["mail without a login", "MAIL FROM:<>\r\n"],
  ] as const
) {
  Deno.test(`${what} ends the session the eleventh time`, () => {
    const server = session(SUBMISSION);
    feed(server, HELLO);
    server.takeOutput();
    feed(server, command.repeat(12), NO);
    const heard = codes(server);
    assert.equal(heard.length, 11);
    assert.equal(heard.at(-1), 421);
    assert.equal(server.closed, true);
  });
}

Deno.test("what is refused for its content ends the session after a thousand times", () => {
  const server = session({ ...SUBMISSION, submission: false });
  feed(server, `${HELLO}MAIL FROM:<a@b.example>\r\n`);
  server.takeOutput();
  const heard = Array.from({ length: 1001 }, () => {
    feed(server, "RCPT TO:<nobody@x>\r\n", { ...YES, recipient: replies.unknownUser });
    return codes(server)[0];
  });
  assert.deepEqual([heard[0], heard[999], heard[1000]], [550, 550, 421]);
});

Deno.test("421 to a login closes the channel, and what stands behind it is not read", () => {
  const server = session(SUBMISSION);
  feed(server, HELLO);
  server.takeOutput();
  const limited = { ...YES, login: replies.tooManyLogins("me.example") };
  assert.deepEqual(kinds(feed(server, `${AUTH}NOOP\r\n`, limited)), ["login", "close"]);
  assert.deepEqual(codes(server), [421]);
  assert.equal(server.closed, true);
});

Deno.test("an owner that ends the session while a login is judged need not answer", () => {
  const server = session(SUBMISSION);
  feed(server, HELLO);
  server.takeOutput();
  server.feed(bytes(AUTH));
  assert.equal(server.next()?.kind, "login");
  server.end(replies.shuttingDown("me.example"));
  assert.deepEqual(server.next(), { kind: "close" });
  assert.equal(server.next(), undefined);
  assert.deepEqual(codes(server), [421]);
});

Deno.test("an answer to a challenge is never told, whatever it looks like", () => {
  for (
    const line of ["QUIT", "MAIL FROM:<a@b>", "c2VjcmV0", "GET / HTTP/1.1", "x".repeat(20_000)]
  ) {
    const server = session(SUBMISSION);
    const [event, ...more] = feed(server, `${HELLO}AUTH PLAIN\r\n${line}\r\n`);
    assert.ok(event?.kind === "refused" && more.length === 0, line.slice(0, 20));
    assert.equal(event.what, "AUTH");
    assert.equal(server.closed, false);
  }
});

Deno.test("half an answer is a line that has begun", () => {
  const server = session(SUBMISSION);
  feed(server, `${HELLO}AUTH PLAIN\r\n`);
  assert.equal(server.inLine, false);
  feed(server, "AGpv");
  assert.equal(server.inLine, true);
  feed(server, "bmVzAHNlY3JldA==\r\n");
  assert.equal(server.inLine, false);
  assert.equal(last(server), "235 2.7.0 Logged in");
});

Deno.test("what AUTH is refused for, and in which order that is looked at", () => {
  const rows: [SessionOptions, string, number][] = [
    [OPTIONS, `${HELLO}${AUTH}`, 502],
    [OFFERED, `${HELLO}${AUTH}`, 502],
    [{ ...OPTIONS, tls: "in use" }, `${HELLO}${AUTH}`, 502],
    [{ ...SUBMISSION, tls: "offered" }, AUTH, 530],
    [{ ...SUBMISSION, tls: "offered" }, `${HELLO}${AUTH}`, 530],
    [{ ...SUBMISSION, tls: "offered" }, `${HELLO}AUTH FOO\r\n`, 504],
    [SUBMISSION, AUTH, 503],
    [SUBMISSION, `HELO c\r\n${AUTH}`, 503],
    [SUBMISSION, `${HELLO}${AUTH}${AUTH}`, 503],
    [SUBMISSION, `${HELLO}${AUTH}MAIL FROM:<>\r\n${AUTH}`, 503],
  ];
  for (const [options, input, code] of rows) {
    const server = session(options);
    feed(server, input);
    assert.equal(codes(server).at(-1), code, `${code} for ${input}`);
  }
});

Deno.test("MAIL is refused for TLS first, then for the login, and for its order before both", () => {
  const rows: [SessionOptions, string, Reply][] = [
    [{ ...SUBMISSION, tls: "offered" }, "MAIL FROM:<>\r\n", replies.helloFirst],
    [{ ...SUBMISSION, tls: "offered" }, `${HELLO}MAIL FROM:<>\r\n`, replies.startTlsFirst],
    [SUBMISSION, "MAIL FROM:<>\r\n", replies.helloFirst],
    [SUBMISSION, `${HELLO}MAIL FROM:<>\r\n`, replies.loginFirst],
    [SUBMISSION, `${HELLO}MAIL FROM:<> SIZE=99999999\r\n`, replies.loginFirst],
    // A service for users without TLS to begin lets nobody in.
    [{ ...OPTIONS, submission: true }, `${HELLO}MAIL FROM:<>\r\n`, replies.startTlsFirst],
  ];
  for (const [options, input, reply] of rows) {
    assert.deepEqual(feed(session(options), input), [{ kind: "refused", what: "MAIL", reply }]);
  }
});

Deno.test("without a login there is no way to a text (RFC 6409 4.3)", () => {
  for (const tls of ["offered", "in use"] as const) {
    const server = session({ ...SUBMISSION, tls });
    const events = feed(server, `${HELLO}${DATA}`);
    assert.deepEqual(kinds(events), ["refused", "refused", "refused"]);
    assert.equal(server.inText, false);
  }
});

Deno.test("lines too long: 500 in a login and for AUTH, and the next line is whole", () => {
  const server = session(SUBMISSION);
  feed(server, HELLO);
  server.takeOutput();
  feed(server, `AUTH PLAIN\r\n${"A".repeat(12_287)}\r\nNOOP\r\n`);
  assert.match(server.takeOutput(), /^334 \r\n500 5\.5\.6 [^\r]*\r\n250 2\.0\.0 OK\r\n$/);
  feed(server, `AUTH PLAIN ${"A".repeat(12_276)}\r\nNOOP\r\n`);
  assert.match(server.takeOutput(), /^500 5\.5\.2 [^\r]*\r\n250 2\.0\.0 OK\r\n$/);
  // Ten million octets are one line too long.
  for (let i = 0; i < 100; i++) feed(server, "A".repeat(100_000));
  assert.equal(server.takeOutput(), "");
  feed(server, "\r\nNOOP\r\n");
  assert.deepEqual(codes(server), [500, 250]);
});

Deno.test("where there is no login no line but MAIL is longer than 512 octets", () => {
  const server = session(OFFERED);
  feed(server, `${HELLO}AUTH PLAIN ${"A".repeat(501)}\r\nAUTH PLAIN ${"A".repeat(499)}\r\n`);
  assert.deepEqual(codes(server), [250, 500, 502]);
});
