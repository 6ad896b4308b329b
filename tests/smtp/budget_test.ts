/** How much a session bears that leads to no message. */

import assert from "node:assert/strict";
import * as replies from "../../src/smtp/reply.ts";
import type { Reply } from "../../src/smtp/reply.ts";
import type { SessionEvent } from "../../src/smtp/event.ts";
import { Session } from "../../src/smtp/session.ts";

/** Commands without a message between. */
const MOST = 100;
/** Refusals, of whatever is no error: for good, and for now. */
const FOR_GOOD = 1000;
const FOR_NOW = 10_000;
const MAX_RECIPIENTS = 100;

const MESSAGE = "MAIL FROM:<a@b>\r\nRCPT TO:<jones@x>\r\nDATA\r\nx\r\n.\r\n";

type Answers = Partial<Record<SessionEvent["kind"], Reply>>;

/** A session past its greeting, and what it has told. */
class Server {
  readonly session = new Session({
    host: "me.example",
    maxMessageSize: 65_536,
    maxRecipients: MAX_RECIPIENTS,
  });
  readonly events: SessionEvent[] = [];
  readonly #answers: Answers;

  constructor(answers: Answers = {}) {
    this.#answers = {
      mail: replies.senderOk,
      recipient: replies.recipientOk,
      data: replies.startText,
      end: replies.stored("ID"),
      ...answers,
    };
    this.session.takeOutput();
  }

  /** The codes of the replies to this, one for each reply. */
  codes(input: string): number[] {
    const { session } = this;
    session.feed(new TextEncoder().encode(input));
    let output = "";
    for (let event = session.next(); event; event = session.next()) {
      this.events.push(event);
      const answer = this.#answers[event.kind];
      if (answer) session.answer(answer);
      output += session.takeOutput();
    }
    output += session.takeOutput();
    return [...output.matchAll(/^(\d{3}) .*\r\n/gm)].map((match) => Number(match[1]));
  }

  /** What went with the events in which the session refused. */
  get refused(): string[] {
    return this.events.flatMap((event) => event.kind === "refused" ? event.what : []);
  }
}

for (
  const [command, code] of [
    ["NOOP", 250],
    ["RSET", 250],
    ["HELO c", 250],
    ["EHLO c", 250],
    ["VRFY jones", 252],
    ["EXPN list", 252],
    ["HELP", 214],
  ] as const
) {
  Deno.test(`${command} may be said ${MOST} times, then comes 421 and the end`, () => {
    const server = new Server();
    const heard = server.codes(`${command}\r\n`.repeat(100_000));
    assert.deepEqual(heard, [...Array(MOST).fill(code), 421]);
    assert.equal(server.session.closed, true);
    // However many there were, the log hears of it once.
    assert.deepEqual(server.refused, [command.slice(0, 4)]);
  });
}

Deno.test("senders without a message are such commands too, whatever they are answered", () => {
  for (const mail of [replies.senderOk, replies.storageFull, replies.notYourReversePath]) {
    const server = new Server({ mail });
    const heard = server.codes(`EHLO c\r\n${"MAIL FROM:<a@b>\r\nRSET\r\n".repeat(MOST)}`);
    assert.equal(heard.length, MOST + 1);
    assert.equal(heard.at(-1), 421);
  }
});

Deno.test("so are texts that are begun in vain, and those that cannot be stored", () => {
  const begun = new Server({ data: replies.storageTrouble });
  assert.equal(
    begun.codes(`EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@x>\r\n${"DATA\r\n".repeat(FOR_NOW + 1)}`).at(
      -1,
    ),
    421,
  );
  const full = new Server({ end: replies.storageFull });
  const heard = full.codes(`EHLO c\r\n${MESSAGE.repeat(MOST)}`);
  // Whoever was let begin a transaction hears what becomes of it.
  assert.equal(heard.filter((code) => code === 452).length, MOST - 1);
  assert.deepEqual(heard.slice(-2), [452, 421]);
});

Deno.test("a message that is stored gives all of them back", () => {
  const server = new Server();
  const between = "NOOP\r\n".repeat(MOST - 2);
  server.codes("EHLO c\r\n");
  for (let i = 0; i < 5; i++) server.codes(`${MESSAGE}${between}`);
  assert.equal(server.session.closed, false);
  assert.deepEqual(server.codes("NOOP\r\nNOOP\r\nNOOP\r\n"), [250, 250, 421]);
});

Deno.test("a client that resets after each of thousands of messages is never turned out", () => {
  const server = new Server();
  const heard = server.codes(`EHLO c\r\n${`${MESSAGE}RSET\r\nNOOP\r\n`.repeat(3000)}`);
  assert.equal(server.session.closed, false);
  assert.equal(heard.length, 1 + 3000 * 6);
});

Deno.test("QUIT is still said goodbye to", () => {
  const server = new Server();
  server.codes("NOOP\r\n".repeat(MOST));
  assert.deepEqual(server.codes("QUIT\r\n"), [221]);
});

Deno.test("recipients that are taken cost nothing, those beyond the limit are ten thousand at most", () => {
  const server = new Server();
  const heard = server.codes(
    `EHLO c\r\nMAIL FROM:<a@b>\r\n${"RCPT TO:<jones@x>\r\n".repeat(1_000_000)}`,
  );
  const taken = Array(2 + MAX_RECIPIENTS).fill(250);
  assert.deepEqual(heard, [...taken, ...Array(FOR_NOW).fill(452), 421]);
  // The first one and the end: nobody fills the log by it.
  assert.deepEqual(server.refused, ["RCPT", "RCPT"]);
});

Deno.test("recipients that are refused are a thousand at most for good, ten thousand for now", () => {
  for (const recipient of [replies.unknownUser, replies.relayDenied, replies.mailboxAway]) {
    const server = new Server({ recipient });
    const heard = server.codes(
      `EHLO c\r\nMAIL FROM:<a@b>\r\n${"RCPT TO:<green@x>\r\n".repeat(1_000_000)}`,
    );
    const most = recipient.code >= 500 ? FOR_GOOD : FOR_NOW;
    assert.deepEqual(heard, [250, 250, ...Array(most).fill(recipient.code), 421]);
  }
});

Deno.test("what is over is not read: the rest of a flood costs nothing", () => {
  const server = new Server();
  server.codes("NOOP\r\n".repeat(MOST + 1));
  assert.deepEqual(server.codes("BAD\r\n".repeat(100_000)), []);
});
