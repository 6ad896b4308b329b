/** A client's octets played to a session whose owner answers by chance; what must hold on the way. */

import assert from "node:assert/strict";
import { printPath } from "../../src/smtp/address.ts";
import type { SessionEvent, Transaction } from "../../src/smtp/event.ts";
import * as replies from "../../src/smtp/reply.ts";
import { isPositive, type Reply } from "../../src/smtp/reply.ts";
import { Session, type SessionOptions } from "../../src/smtp/session.ts";
import { receivedField, returnPathField } from "../../src/smtp/trace.ts";
import { Random } from "../support/random.ts";
import { checkMailbox } from "./address.ts";
import { characters } from "./octets.ts";
import { checkFields } from "./trace.ts";

/** Characters of replies that a session may hold: 16 Ki, and what one more command gets. */
const MOST_OUTPUT = 18_000;
/** Replies before others have their turn: to 16 commands, and to a text behind each third of them. */
const MOST_IN_A_ROW = 16 + 6;

/** What came of a conversation, however it was cut. */
export interface Course {
  /** All that the server said. */
  readonly output: string;
  /** The events in order, with the whole text at `end`. */
  readonly told: readonly string[];
}

/** One end of a conversation: feed it, and it holds what it says to what it may say. */
export class Host {
  readonly session: Session;
  readonly told: string[] = [];
  output = "";
  /** The text so far, while one comes. */
  text: string | undefined;
  /** Whether the latest event ended everything. */
  #over = false;
  #loggedIn = false;
  /** Those whom the owner took in this transaction. */
  #recipients: string[] = [];
  /** Whether what is said is taken at each event, or only when it is time for it. */
  readonly #eager: boolean;
  readonly #options: SessionOptions;
  readonly #chance: Random;

  /** `chance` is the number that the owner's answers come from. */
  constructor(options: SessionOptions, chance: number) {
    this.#options = options;
    this.#chance = new Random(chance);
    this.#eager = this.#chance.chance(0.5);
    this.session = new Session(options);
    this.#take();
  }

  /** Spoils `piece`, as the next read does. */
  feed(piece: Uint8Array): void {
    const { session } = this;
    session.feed(piece);
    let said = 0;
    for (let event = session.next(); event; event = session.next()) {
      assert.ok(!this.#over, "nothing happens after the end");
      if (this.#eager || event.kind === "output") said += this.#take();
      if (event.kind === "pause" || event.kind === "output") said = 0;
      assert.ok(said <= MOST_IN_A_ROW, "others have their turn");
      this.#hear(event);
    }
    this.#take();
    assert.equal(session.inText, this.text !== undefined);
    piece.fill(88);
  }

  get course(): Course {
    return { output: this.output, told: this.told };
  }

  /** Takes what the session says; returns how many replies that were. */
  #take(): number {
    const said = this.session.takeOutput();
    assert.ok(said.length <= MOST_OUTPUT, `${said.length} characters of replies at once`);
    this.output += said;
    return repliesIn(said);
  }

  #hear(event: SessionEvent): void {
    switch (event.kind) {
      case "text":
        assert.ok(this.text !== undefined, "a text comes after 354 alone");
        this.text += characters(event.bytes);
        return;
      case "login": {
        const { name, password } = event.credentials;
        assert.ok(this.#options.submission && this.#options.tls === "in use" && !this.#loggedIn);
        assert.ok(name !== "" && password.length > 0 && !password.includes(0));
        this.told.push(`login ${JSON.stringify(name)} ${password.toHex()}`);
        if (this.#answers(replies.loggedIn, LOGIN)) this.#loggedIn = true;
        return;
      }
      case "mail":
        if (this.#options.submission) assert.ok(this.#loggedIn, "a login comes first");
        this.#recipients = [];
        this.#checkTransaction(event.transaction);
        assert.equal(event.transaction.forwardPaths.length, 0);
        this.told.push(`mail ${JSON.stringify(event.transaction)}`);
        this.#answers(replies.senderOk, MAIL);
        return;
      case "recipient":
        checkMailbox(event.forwardPath);
        this.told.push(`recipient ${printPath(event.forwardPath)}`);
        if (this.#answers(replies.recipientOk, RECIPIENT)) {
          this.#recipients.push(printPath(event.forwardPath));
        }
        return;
      case "data":
        this.#checkTransaction(event.transaction);
        assert.ok(event.transaction.forwardPaths.length > 0);
        this.told.push("data");
        if (this.#answers(replies.startText, DATA)) this.text = "";
        return;
      case "end":
        this.#checkTransaction(event.transaction);
        assert.equal(this.text?.length, event.size);
        assert.doesNotMatch(
          this.text ?? "",
          /\r(?!\n)|(?<!\r)\n/,
          "a bare CR or LF is never stored",
        );
        this.told.push(`end ${JSON.stringify(event.transaction)} ${JSON.stringify(this.text)}`);
        this.text = undefined;
        this.#answers(replies.stored("1m828dtfh00fgn1"), END);
        return;
      case "dropped":
        this.text = undefined;
        this.told.push("dropped");
        return;
      case "refused":
        assert.match(event.what, /^(?:[A-Z]+|line|text)$/, "nothing of the client's is told");
        this.told.push(`refused ${event.what} ${event.reply.code} ${event.reply.status}`);
        return;
      case "starttls":
        assert.ok(this.#options.tls === "offered");
        this.#over = true;
        this.told.push("starttls");
        return;
      case "close":
        this.#over = true;
        this.told.push("close");
    }
  }

  /** Answers the last event, or ends the session instead; whether it lets happen what was asked. */
  #answers(good: Reply, bad: readonly Reply[]): boolean {
    if (this.#chance.chance(0.02)) {
      this.session.end(replies.shuttingDown(this.#options.host));
      return false;
    }
    const reply = this.#chance.chance(0.85) ? good : this.#chance.pick(bad);
    this.session.answer(reply);
    return isPositive(reply);
  }

  #checkTransaction(transaction: Transaction): void {
    const { client, reversePath, forwardPaths } = transaction;
    assert.match(client, /^[!-~]{1,255}$/);
    if (reversePath) checkMailbox(reversePath);
    assert.ok(forwardPaths.length <= this.#options.maxRecipients);
    assert.deepEqual(
      forwardPaths.map(printPath),
      this.#recipients,
      "who was accepted, and nobody else",
    );
    const receipt = { transaction, peer: "192.0.2.1", host: this.#options.host, id: "i", time: 0 };
    checkFields(receivedField(receipt), ["Received"]);
    checkFields(returnPathField(reversePath), ["Return-Path"]);
  }
}

const LOGIN = [replies.loginRefused, replies.loginRefused, replies.tooManyLogins("me.example")];
const MAIL = [replies.notYourReversePath, replies.storageFull];
const RECIPIENT = [replies.unknownUser, replies.relayDenied, replies.mailboxAway];
const DATA = [replies.storageTrouble, replies.mailboxAway];
const END = [replies.storageTrouble, replies.storageFull, replies.notYourAddress("From")];

/** How many replies these are; each is well-formed. */
export function repliesIn(output: string): number {
  if (output === "") return 0;
  assert.ok(output.endsWith("\r\n"));
  const lines = output.slice(0, -2).split("\r\n");
  let code: string | undefined;
  for (const line of lines) {
    // RFC 5321 4.5.3.1.5.
    assert.ok(line.length <= 510, `a reply of ${line.length} octets`);
    const match = /^([2-5][0-5]\d)([ -])[ -~]*$/.exec(line);
    assert.ok(match, `no line of a reply: ${JSON.stringify(line)}`);
    assert.ok(code === undefined || code === match[1], "a reply has one code");
    code = match[2] === "-" ? match[1] : undefined;
  }
  assert.equal(code, undefined, "a reply is whole");
  return lines.filter((line) => line[3] === " ").length;
}
