/** The receiving side: what it answers in each state, what it asks, and how it ends. */

import assert from "node:assert/strict";
import * as replies from "../../src/smtp/reply.ts";
import type { Reply } from "../../src/smtp/reply.ts";
import type { SessionEvent } from "../../src/smtp/event.ts";
import { Session, type SessionOptions } from "../../src/smtp/session.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const text = (octets: Uint8Array) => Array.from(octets, (b) => String.fromCharCode(b)).join("");

const OPTIONS: SessionOptions = {
  host: "me.example",
  maxMessageSize: 65_536,
  maxRecipients: 100,
};

type Answers = Partial<Record<"mail" | "data" | "end", Reply>>;

/** A session past its greeting, with an owner who knows jones and smith alone. */
class Server {
  readonly session: Session;
  readonly events: SessionEvent[] = [];
  content = "";
  /** What the owner answers instead of yes. */
  answers: Answers = {};

  constructor(options: Partial<SessionOptions> = {}) {
    this.session = new Session({ ...OPTIONS, ...options });
    this.session.takeOutput();
  }

  /** Feeds this and returns what the session says to it. */
  say(input: string): string {
    this.session.feed(bytes(input));
    for (let event = this.session.next(); event; event = this.session.next()) {
      this.events.push(event);
      if (event.kind === "text") this.content += text(event.bytes);
      const answer = this.#answer(event);
      if (answer) this.session.answer(answer);
    }
    return this.session.takeOutput();
  }

  /** The codes of the replies to this, one for each reply. */
  codes(input: string): number[] {
    return codes(this.say(input));
  }

  kinds(): string[] {
    return this.events.map(({ kind }) => kind);
  }

  #answer(event: SessionEvent): Reply | undefined {
    switch (event.kind) {
      case "mail":
        return this.answers.mail ?? replies.senderOk;
      case "recipient":
        return /^(jones|smith)$/.test(event.forwardPath.localPart)
          ? replies.recipientOk
          : replies.unknownUser;
      case "data":
        return this.answers.data ?? replies.startText;
      case "end":
        return this.answers.end ?? replies.stored("ID");
      default:
        return undefined;
    }
  }
}

function codes(output: string): number[] {
  return [...output.matchAll(/^(\d{3}) .*\r\n/gm)].map((match) => Number(match[1]));
}

/** The states of a session and how to reach them. */
const STATES = {
  "0": "",
  H: "HELO c.example\r\n",
  E: "EHLO c.example\r\n",
  M: "EHLO c.example\r\nMAIL FROM:<a@b.c>\r\n",
  R: "EHLO c.example\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<jones@me.example>\r\n",
  /** After one message. */
  S: "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<jones@me.example>\r\nDATA\r\n.\r\n",
} as const;

/** The code of the reply in each of the states above (788-C*, 788-S*, 53-4 to 53-17). */
const REPLIES: readonly (readonly [command: string, ...codes: number[]])[] = [
  ["HELO d.example", 250, 250, 250, 250, 250, 250],
  ["EHLO d.example", 250, 250, 250, 250, 250, 250],
  ["HELO", 501, 501, 501, 501, 501, 501],
  ["EHLO a b", 501, 501, 501, 501, 501, 501],
  ["MAIL FROM:<x@y.z>", 503, 250, 250, 503, 503, 250],
  ["MAIL FROM:<>", 503, 250, 250, 503, 503, 250],
  ["MAIL FROM:bad", 501, 501, 501, 501, 501, 501],
  ["MAIL FROM:<x@y.z> FOO=1", 555, 555, 555, 555, 555, 555],
  ["MAIL FROM:<x@y.z> SIZE=x", 501, 501, 501, 501, 501, 501],
  ["MAIL FROM:<x@y.z> SIZE=65536", 503, 555, 250, 503, 503, 250],
  ["MAIL FROM:<x@y.z> SIZE=65537", 503, 555, 552, 503, 503, 552],
  ["MAIL FROM:<x@y.z> BODY=8BITMIME", 503, 555, 250, 503, 503, 250],
  ["RCPT TO:<smith@me.example>", 503, 503, 503, 250, 250, 503],
  ["RCPT TO:<green@me.example>", 503, 503, 503, 550, 550, 503],
  ["RCPT TO:<@a,@b:smith@me.example>", 503, 503, 503, 250, 250, 503],
  ["RCPT TO:<>", 501, 501, 501, 501, 501, 501],
  ["RCPT TO:jones", 501, 501, 501, 501, 501, 501],
  ["DATA", 503, 503, 503, 503, 354, 503],
  ["DATA x", 501, 501, 501, 501, 501, 501],
  ["RSET", 250, 250, 250, 250, 250, 250],
  ["RSET x", 501, 501, 501, 501, 501, 501],
  ["NOOP", 250, 250, 250, 250, 250, 250],
  ["NOOP x", 250, 250, 250, 250, 250, 250],
  ["VRFY jones", 252, 252, 252, 252, 252, 252],
  ["VRFY", 501, 501, 501, 501, 501, 501],
  ["EXPN list", 252, 252, 252, 252, 252, 252],
  ["HELP", 214, 214, 214, 214, 214, 214],
  ["HELP MAIL", 214, 214, 214, 214, 214, 214],
  ["HELP XYZZY", 504, 504, 504, 504, 504, 504],
  ["QUIT", 221, 221, 221, 221, 221, 221],
  ["QUIT now", 501, 501, 501, 501, 501, 501],
  ["SEND FROM:<a@b>", 502, 502, 502, 502, 502, 502],
  ["TURN", 502, 502, 502, 502, 502, 502],
  ["FOOO", 500, 500, 500, 500, 500, 500],
  ["", 500, 500, 500, 500, 500, 500],
  ["\xc0\xff", 500, 500, 500, 500, 500, 500],
  ["NOOP \x07", 501, 501, 501, 501, 501, 501],
  ["NOOP".padEnd(511, "x"), 500, 500, 500, 500, 500, 500],
  ["x".repeat(5000), 500, 500, 500, 500, 500, 500],
];

for (const [command, ...expected] of REPLIES) {
  for (const [i, [state, way]] of Object.entries(STATES).entries()) {
    const shown = JSON.stringify(command.length > 40 ? `${command.slice(0, 40)}…` : command);
    Deno.test(`[${state}] ${shown}: ${expected[i]}`, () => {
      const server = new Server();
      server.say(way);
      // 788-S13: one reply, and the session goes on.
      assert.deepEqual(server.codes(`${command}\r\n`), [expected[i]]);
      if (expected[i] === 221) assert.equal(server.session.closed, true);
      else if (expected[i] === 354) assert.equal(server.session.inText, true);
      else assert.deepEqual(server.codes("NOOP\r\n"), [250]);
    });
  }
}

Deno.test("a wrong command changes nothing (53-5, 53-9, 53-12)", () => {
  for (const [command, ...expected] of REPLIES) {
    if (expected[4]! < 400) continue;
    const server = new Server();
    server.say(STATES.R);
    server.say(`${command}\r\n`);
    assert.deepEqual(server.codes("DATA\r\n"), [354], command);
    assert.deepEqual(server.codes(".\r\n"), [250], command);
    const end = server.events.findLast(({ kind }) => kind === "end");
    assert.ok(end?.kind === "end");
    assert.deepEqual(end.transaction.reversePath, { localPart: "a", domain: "b.c" }, command);
    assert.deepEqual(end.transaction.forwardPaths, [{ localPart: "jones", domain: "me.example" }]);
  }
});

for (const reset of ["RSET", "HELO d", "EHLO d"]) {
  Deno.test(`${reset} drops the transaction (788-T5, 53-4)`, () => {
    const server = new Server();
    server.say(STATES.R);
    assert.deepEqual(server.codes(`${reset}\r\nDATA\r\n`), [250, 503]);
    assert.ok(server.kinds().includes("dropped"));
    assert.deepEqual(server.codes("MAIL FROM:<>\r\n"), [250]);
  });
}

Deno.test("RSET without a transaction drops nothing and greets nobody (BUG-20)", () => {
  const server = new Server();
  assert.deepEqual(server.codes("RSET\r\nRSET\r\nMAIL FROM:<>\r\n"), [250, 250, 503]);
  assert.ok(!server.kinds().includes("dropped"));
});

Deno.test("the greeting stands ready at once (788-T0)", () => {
  assert.match(new Session(OPTIONS).takeOutput(), /^220 me\.example [ -~]*\r\n$/);
});

Deno.test("HELO hears one line, EHLO the extensions (53-2, 53-3)", () => {
  const server = new Server();
  assert.equal(server.say("HELO c\r\n"), "250 me.example\r\n");
  const lines = server.say("EHLO c\r\n").trimEnd().split("\r\n");
  assert.equal(lines[0], "250-me.example");
  const keywords = lines.slice(1).map((line) => line.slice(4));
  for (const keyword of ["PIPELINING", "SIZE 65536", "8BITMIME", "ENHANCEDSTATUSCODES"]) {
    assert.ok(keywords.includes(keyword), keyword);
  }
  for (const keyword of keywords) assert.match(keyword, /^[A-Z0-9][A-Z0-9-]*( [!-~]+)*$/);
  assert.equal(new Set(keywords).size, keywords.length);
});

Deno.test("a message is asked for step by step, told in pieces, and asked for at its end", () => {
  const server = new Server();
  server.say("EHLO [192.0.2.7]\r\nMAIL FROM:<@x:Fred@Far.example> BODY=8BITMIME\r\n");
  server.say("RCPT TO:<jones@me.example>\r\nRCPT TO:<green@me.example>\r\nRCPT TO:<smith@x>\r\n");
  assert.equal(server.session.inText, false);
  assert.deepEqual(server.codes("DATA\r\n"), [354]);
  assert.equal(server.session.inText, true);
  assert.equal(server.say("..a\r\nb"), "");
  assert.equal(server.say("\xe9\r\n.\r\n"), "250 2.0.0 OK, stored as ID\r\n");
  assert.equal(server.session.inText, false);
  assert.equal(server.content, ".a\r\nb\xe9\r\n");
  assert.deepEqual(server.kinds().filter((kind) => kind !== "text"), [
    "mail",
    "recipient",
    "recipient",
    "recipient",
    "data",
    "end",
  ]);
  const end = server.events.at(-1);
  assert.deepEqual(end, {
    kind: "end",
    size: 8,
    transaction: {
      client: "[192.0.2.7]",
      protocol: "ESMTP",
      reversePath: { localPart: "Fred", domain: "Far.example" },
      forwardPaths: [
        { localPart: "jones", domain: "me.example" },
        { localPart: "smith", domain: "x" },
      ],
      body: "8BITMIME",
    },
  });
});

Deno.test("HELO makes it SMTP, and MAIL has no parameters then (53-35, 53-17)", () => {
  const server = new Server();
  server.say("HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<jones@x>\r\nDATA\r\n.\r\n");
  const end = server.events.at(-1);
  assert.ok(end?.kind === "end");
  assert.equal(end.transaction.protocol, "SMTP");
  assert.equal(end.transaction.reversePath, null);
  assert.equal(end.size, 0);
});

Deno.test("two messages in one session (788-S7)", () => {
  const server = new Server();
  server.say("EHLO c\r\n");
  const message = "MAIL FROM:<a@b>\r\nRCPT TO:<jones@x>\r\nDATA\r\nx\r\n.\r\n";
  assert.deepEqual(server.codes(message + message), [250, 250, 354, 250, 250, 250, 354, 250]);
});

Deno.test("everything in one packet is answered in order (BUG-10, BUG-11, 788-S13)", () => {
  const server = new Server();
  const input = "EHLO c\r\nMAIL FROM:<a@b>\r\nBAD\r\nRCPT TO:<green@x>\r\nRCPT TO:<jones@x>\r\n" +
    "DATA\r\nSubject: x\r\n\r\nQUIT\r\n.\r\nNOOP\r\nQUIT\r\nNOOP\r\n";
  assert.deepEqual(server.codes(input), [250, 250, 500, 550, 250, 354, 250, 250, 221]);
  assert.equal(server.content, "Subject: x\r\n\r\nQUIT\r\n");
  const slow = new Server();
  const output = [...input.slice(0, -6)].map((character) => slow.say(character)).join("");
  assert.deepEqual(codes(output), [250, 250, 500, 550, 250, 354, 250, 250, 221]);
});

Deno.test("what the owner refuses does not happen", () => {
  const server = new Server();
  server.say("EHLO c\r\n");
  server.answers = { mail: replies.storageFull };
  assert.deepEqual(server.codes("MAIL FROM:<a@b>\r\nRCPT TO:<jones@x>\r\n"), [452, 503]);
  server.answers = { data: replies.storageTrouble };
  assert.deepEqual(server.codes("MAIL FROM:<a@b>\r\nRCPT TO:<jones@x>\r\nDATA\r\n"), [
    250,
    250,
    451,
  ]);
  assert.equal(server.session.inText, false);
  server.answers = { end: replies.storageFull };
  assert.deepEqual(server.codes("DATA\r\nx\r\n.\r\n"), [354, 452]);
  // 788-S8: whatever the answer, the buffers are clear.
  assert.deepEqual(server.codes("DATA\r\nMAIL FROM:<a@b>\r\n"), [503, 250]);
});

Deno.test("no recipient was accepted: 554, none was named: 503 (53-11, 788-S9)", () => {
  const server = new Server();
  server.say("EHLO c\r\nMAIL FROM:<a@b>\r\n");
  assert.deepEqual(server.codes("DATA\r\n"), [503]);
  assert.deepEqual(server.codes("RCPT TO:<green@x>\r\nDATA\r\n"), [550, 554]);
  assert.deepEqual(server.codes("RCPT TO:<jones@x>\r\nDATA\r\n.\r\n"), [250, 354, 250]);
  assert.deepEqual(server.codes("MAIL FROM:<a@b>\r\nDATA\r\n"), [250, 503]);
});

Deno.test("one recipient too many is 452, the others stay (53-39, 788-Z7)", () => {
  const server = new Server({ maxRecipients: 3 });
  server.say("EHLO c\r\nMAIL FROM:<a@b>\r\n");
  const rcpt = "RCPT TO:<jones@x>\r\n";
  assert.deepEqual(server.codes(rcpt.repeat(5)), [250, 250, 250, 452, 452]);
  assert.deepEqual(server.codes("DATA\r\n.\r\n"), [354, 250]);
  const end = server.events.at(-1);
  assert.ok(end?.kind === "end");
  assert.equal(end.transaction.forwardPaths.length, 3);
});

Deno.test("many recipients too many do not close the channel (RFC 5321 4.5.3.1.10)", () => {
  const server = new Server({ maxRecipients: 100 });
  server.say("EHLO c\r\nMAIL FROM:<a@b>\r\n");
  const replied = server.codes("RCPT TO:<jones@x>\r\n".repeat(150));
  assert.deepEqual(replied, [...Array(100).fill(250), ...Array(50).fill(452)]);
  assert.deepEqual(server.codes("DATA\r\n.\r\n"), [354, 250]);
});
