/** How a session refuses texts, counts errors, and comes to its end. */

import assert from "node:assert/strict";
import * as replies from "../../src/smtp/reply.ts";
import type { SessionEvent } from "../../src/smtp/event.ts";
import { Session } from "../../src/smtp/session.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** A session whose owner says yes to everything, past its greeting. */
function session(maxMessageSize = 65_536): Session {
  const result = new Session({ host: "me.example", maxMessageSize, maxRecipients: 100 });
  result.takeOutput();
  return result;
}

const YES = {
  mail: replies.senderOk,
  recipient: replies.recipientOk,
  data: replies.startText,
  end: replies.stored("ID"),
};

/** Feeds the input, answers yes, and returns what happened. */
function feed(session: Session, input: string): SessionEvent[] {
  const events: SessionEvent[] = [];
  session.feed(bytes(input));
  for (let event = session.next(); event; event = session.next()) {
    events.push(event);
    if (event.kind in YES) session.answer(YES[event.kind as keyof typeof YES]);
  }
  return events;
}

const kinds = (events: SessionEvent[]) => events.map(({ kind }) => kind);

/** The first words of each reply. */
function said(session: Session): string[] {
  return session.takeOutput().split("\r\n").slice(0, -1).map((line) => line.slice(0, 9));
}

const TO_DATA = "EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<jones@x>\r\nDATA\r\n";

function inText(maxMessageSize?: number): Session {
  const result = session(maxMessageSize);
  feed(result, TO_DATA);
  result.takeOutput();
  return result;
}

Deno.test("a text with a bare line end is refused at its true end, once (BUG-1, BUG-2)", () => {
  const server = inText();
  const smuggled = "a\n.\r\nMAIL FROM:<x@y>\r\nRCPT TO:<z@x>\r\nDATA\r\nb\r\n";
  assert.deepEqual(kinds(feed(server, smuggled)).filter((kind) => kind !== "text"), []);
  assert.deepEqual(said(server), []);
  const events = feed(server, ".\r\nNOOP\r\n");
  assert.deepEqual(said(server), ["554 5.6.0", "250 2.0.0"]);
  assert.deepEqual(kinds(events), ["dropped", "refused"]);
  assert.equal(server.inText, false);
});

Deno.test("a text too big is refused at its end (788-Z8)", () => {
  const fits = inText(10);
  assert.ok(kinds(feed(fits, "..345678\r\n.\r\n")).includes("end"));
  const big = inText(10);
  assert.deepEqual(kinds(feed(big, "123456789\r\n.\r\n")), ["dropped", "refused"]);
  assert.deepEqual(said(big), ["552 5.3.4"]);
  feed(big, "MAIL FROM:<a@b>\r\n");
  assert.deepEqual(said(big), ["250 2.1.0"]);
});

Deno.test("a text with more than a hundred Received lines is a loop (53-46)", () => {
  const received = "Received: x\r\n";
  const last = inText();
  feed(last, `${received.repeat(100)}\r\n.\r\n`);
  assert.deepEqual(said(last), ["250 2.0.0"]);
  const loop = inText();
  const events = feed(loop, `${received.repeat(101)}\r\n.\r\n`);
  assert.deepEqual(said(loop), ["554 5.4.6"]);
  assert.deepEqual(kinds(events).slice(-2), ["dropped", "refused"]);
  const body = inText();
  feed(body, `\r\n${received.repeat(200)}.\r\n`);
  assert.deepEqual(said(body), ["250 2.0.0"]);
  // Each text is counted for itself.
  const again = inText();
  feed(again, `${received.repeat(60)}\r\n.\r\n${TO_DATA}${received.repeat(60)}\r\n.\r\n`);
  assert.equal(said(again).at(-1), "250 2.0.0");
  feed(again, `${TO_DATA}${received.repeat(101)}\r\n.\r\n`);
  assert.equal(said(again).at(-1), "554 5.4.6");
});

Deno.test("a refused command is told with its verb where it has one, and nothing else of it (BUG-29)", () => {
  const rows: [string, string, number][] = [
    ["mail FROM:bad", "MAIL", 501],
    ["DATA", "DATA", 503],
    ["send FROM:<a@b>", "SEND", 502],
    // What is no verb might be half of a password.
    ["Xyzzy secret", "line", 500],
    ["c2VjcmV0", "line", 500],
    ["mailFROM:bad", "line", 500],
    // Known, though not offered here.
    ["AUTH PLAIN AGpvbmVzAHNlY3JldA==", "AUTH", 502],
    ["STARTTLS", "STARTTLS", 502],
    ["\x1b[2J", "line", 500],
    ["NOOP\x07", "line", 501],
    ["NOOP \x07", "NOOP", 501],
    ["AVERYLONGWORDINDEED", "line", 500],
    ["", "line", 500],
    ["x".repeat(5000), "line", 500],
  ];
  for (const [line, what, code] of rows) {
    const server = session();
    const [event, ...more] = feed(server, `${line}\r\n`);
    assert.ok(event?.kind === "refused" && more.length === 0, line);
    assert.equal(event.what, what, line);
    if (line !== "\x1b[2J") assert.equal(event.reply.code, code, line);
  }
});

Deno.test("the eleventh error in a row closes the channel (53-28, BUG-31)", () => {
  const server = session();
  feed(server, "BAD\r\n".repeat(10));
  assert.deepEqual(said(server), Array(10).fill("500 5.5.1"));
  assert.equal(server.closed, false);
  const events = feed(server, "BAD\r\nNOOP\r\n");
  assert.deepEqual(said(server), ["421 4.7.0"]);
  assert.deepEqual(kinds(events), ["refused", "close"]);
  assert.equal(server.closed, true);
});

Deno.test("errors of order and of parameters count as well, NOOP between does not help", () => {
  const server = session();
  feed(server, "DATA\r\nNOOP\r\nRCPT TO:<a@b>\r\nNOOP\r\nMAIL FROM:<> X=1\r\n".repeat(4));
  assert.equal(server.closed, true);
  assert.equal(said(server).at(-1), "421 4.7.0");
});

Deno.test("a message taken forgives the errors before it", () => {
  const server = session();
  const message = `${TO_DATA}x\r\n.\r\n`;
  feed(server, `${"BAD\r\n".repeat(10)}${message}${"BAD\r\n".repeat(10)}`);
  assert.equal(server.closed, false);
  feed(server, "BAD\r\n");
  assert.equal(server.closed, true);
});

Deno.test("what is refused for its content is no error of the client's", () => {
  const server = session(10);
  feed(server, "EHLO c\r\n");
  feed(server, "MAIL FROM:<a@b> SIZE=99\r\n".repeat(20));
  assert.equal(server.closed, false);
  for (let i = 0; i < 20; i++) feed(server, `${TO_DATA}too big for ten\r\n.\r\n`);
  assert.equal(server.closed, false);
});

Deno.test("QUIT drops the transaction, says goodbye and closes (788-T7, 788-S12)", () => {
  const server = session();
  const events = feed(server, "EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<jones@x>\r\nQUIT\r\nNOOP\r\n");
  assert.deepEqual(kinds(events), ["mail", "recipient", "dropped", "close"]);
  assert.match(server.takeOutput(), /\r\n221 2\.0\.0 me\.example [ -~]*\r\n$/);
  assert.equal(server.closed, true);
});

Deno.test("after the end nothing is read and nothing said", () => {
  const server = session();
  feed(server, "QUIT\r\n");
  server.takeOutput();
  assert.deepEqual(feed(server, "NOOP\r\nMAIL FROM:<a@b>\r\n"), []);
  assert.deepEqual(feed(server, "NOOP\r\n"), []);
  server.end(replies.shuttingDown("me.example"));
  assert.equal(server.next(), undefined);
  assert.equal(server.takeOutput(), "");
});

Deno.test("the owner may end it between commands (53-54)", () => {
  const server = session();
  feed(server, "EHLO c\r\n");
  server.takeOutput();
  server.end(replies.shuttingDown("me.example"));
  assert.equal(server.takeOutput(), "421 4.3.2 me.example is shutting down, try again later\r\n");
  assert.deepEqual(server.next(), { kind: "close" });
  assert.equal(server.next(), undefined);
  assert.equal(server.closed, true);
});

Deno.test("the owner may end it in the text: the transaction is dropped (53-51)", () => {
  const server = inText();
  feed(server, "half a te");
  server.end(replies.timedOut("me.example"));
  assert.equal(server.inText, false);
  assert.deepEqual([server.next(), server.next(), server.next()], [
    { kind: "dropped" },
    { kind: "close" },
    undefined,
  ]);
});

Deno.test("the owner may end it instead of answering: the question is void", () => {
  for (const input of ["MAIL FROM:<a@b>\r\n", "DATA\r\n.\r\n"]) {
    const server = session();
    feed(server, input.startsWith("DATA") ? TO_DATA.replace("DATA\r\n", "") : "EHLO c\r\n");
    server.takeOutput();
    server.feed(bytes(input));
    let event = server.next();
    if (event?.kind === "data") {
      server.answer(replies.startText);
      event = server.next();
    }
    assert.ok(event?.kind === "mail" || event?.kind === "end");
    server.takeOutput();
    server.end(replies.shuttingDown("me.example"));
    assert.deepEqual(said(server), ["421 4.3.2"]);
    const rest = [server.next(), server.next(), server.next()].map((event) => event?.kind);
    assert.deepEqual(
      rest,
      event.kind === "end" ? ["dropped", "close", undefined] : ["close", undefined, undefined],
    );
    assert.throws(() => server.answer(replies.ok), /no event wants an answer/);
  }
});

Deno.test("misuse throws", () => {
  const server = session();
  assert.throws(() => server.answer(replies.ok), /no event wants an answer/);
  server.feed(bytes("EHLO c\r\nMAIL FROM:<a@b>\r\nNOOP\r\n"));
  assert.throws(() => server.feed(bytes("NOOP\r\n")), /input is still unread/);
  assert.equal(server.next()?.kind, "mail");
  assert.throws(() => server.next(), /wants an answer first/);
  assert.throws(() => server.feed(bytes("NOOP\r\n")), /input is still unread/);
  server.answer(replies.senderOk);
  assert.throws(() => server.answer(replies.senderOk), /no event wants an answer/);
  assert.equal(server.next(), undefined);
  server.feed(bytes("NOOP\r\n"));
  assert.equal(server.next(), undefined);
  const replied = said(server);
  assert.deepEqual(replied.slice(-3), ["250 2.1.0", "250 2.0.0", "250 2.0.0"]);
});

Deno.test("output is handed out once, and is ASCII whatever came in (53-41)", () => {
  const server = session();
  feed(server, "EHLO c\r\nMAIL FROM:<\xe9@\x07>\r\n\x1b]0;x\x07\r\nVRFY <>&\r\nHELP\r\n");
  assert.match(server.takeOutput(), /^(?:[ -~]+\r\n)+$/);
  assert.equal(server.takeOutput(), "");
});

Deno.test("replies to many commands in one packet are handed out in pieces", () => {
  const many = 10_000;
  const server = new Session({ host: "me.example", maxMessageSize: 65536, maxRecipients: many });
  feed(server, "EHLO c\r\nMAIL FROM:<a@b>\r\n");
  server.takeOutput();
  server.feed(bytes("RCPT TO:<a@b>\r\n".repeat(many)));
  let replied = 0;
  let pieces = 0;
  const take = () => {
    const output = server.takeOutput();
    assert.ok(output.length < 17_000, `${output.length} characters at once`);
    replied += output.split("250 2.1.5 ").length - 1;
    pieces++;
  };
  let pauses = 0;
  for (let event = server.next(); event; event = server.next()) {
    if (event.kind === "output") take();
    else if (event.kind === "recipient") server.answer(replies.recipientOk);
    else if (event.kind === "pause") pauses++;
    else assert.fail(event.kind);
  }
  take();
  assert.equal(replied, many);
  assert.ok(pauses > 500, "others have their turns meanwhile");
  assert.ok(pieces > 10);
});

Deno.test("recipients too many are each answered, and told once in a transaction (BUG-31)", () => {
  const server = new Session({ host: "me.example", maxMessageSize: 65536, maxRecipients: 1 });
  server.takeOutput();
  const told: string[] = [];
  const say = (text: string) => {
    server.feed(new TextEncoder().encode(text));
    for (let event = server.next(); event; event = server.next()) {
      if (event.kind === "mail") server.answer(replies.senderOk);
      else if (event.kind === "recipient") server.answer(replies.recipientOk);
      else if (event.kind === "refused") told.push(event.what);
    }
    return server.takeOutput();
  };
  say("EHLO c\r\n");
  for (const round of [1, 2]) {
    const output = say(`RSET\r\nMAIL FROM:<a@b>\r\n${"RCPT TO:<jones@x>\r\n".repeat(50)}`);
    assert.equal(output.split("\r\n452 ").length - 1, 49);
    assert.equal(told.length, round);
  }
});
