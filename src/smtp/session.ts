/**
 * The receiving side of SMTP as a state machine: bytes in, replies and events out. It reads no
 * clock and waits for nothing. Whatever it cannot know, it asks its owner by an event.
 *
 *     session.feed(bytes);
 *     for (let event = session.next(); event; event = session.next()) … session.answer(reply) …
 *     write(session.takeOutput());
 */

import { Admission, type AdmissionFacts } from "./admission.ts";
import { Budget } from "./budget.ts";
import {
  type Command,
  LONGEST_LINE,
  LONGEST_LINE_WITH_AUTH,
  type Mail,
  parseCommand,
  type Rcpt,
} from "./command.ts";
import type { SessionEvent } from "./event.ts";
import type { IncomingText } from "./incoming_text.ts";
import { LineReader } from "./line.ts";
import type { LoginStep } from "./login.ts";
import { MailTransaction, type TransactionLimits } from "./mail_transaction.ts";
import * as replies from "./reply.ts";
import { encodeReply, isPositive, type Reply } from "./reply.ts";
import { isHttp, nameOf } from "./stranger.ts";

export interface SessionOptions extends AdmissionFacts, TransactionLimits {
  /** Whether another session, before the handshake, has said the greeting. */
  readonly greeted?: boolean;
}

/** Commands that are worked off in a row: one packet holds hundreds of them. */
const MAX_COMMANDS = 16;
/** Characters of replies that may pile up: many commands in one packet must not cost much memory. */
const MAX_OUTPUT = 16 * 1024;
const NOTHING: Uint8Array = new Uint8Array(0);

export class Session {
  readonly #options: SessionOptions;
  readonly #admission: Admission;
  readonly #lines: LineReader;
  readonly #events: SessionEvent[] = [];
  #input = NOTHING;
  #at = 0;
  /** Worked off since the last pause. */
  #commands = 0;
  #output = "";
  /** That waits for its answer: what the answer does, saying it included. */
  #question: ((reply: Reply) => void) | undefined;
  readonly #transaction: MailTransaction;
  readonly #budget = new Budget();
  #closed = false;
  #quit = false;

  constructor(options: SessionOptions) {
    const { host, submission, greeted } = options;
    this.#options = options;
    this.#admission = new Admission(options);
    this.#transaction = new MailTransaction(options);
    this.#lines = new LineReader(submission ? LONGEST_LINE_WITH_AUTH : LONGEST_LINE);
    if (!greeted) this.#say(replies.greeting(host));
  }

  /** Whether a text is coming in: between 354 and the reply to its end. */
  get inText(): boolean {
    return this.#transaction.text !== undefined;
  }

  /** Whether that is too big already, and read to its end all the same. */
  get inVain(): boolean {
    return this.#transaction.text?.isTooBig ?? false;
  }

  /** Whether a command line has begun that has not ended yet. */
  get inLine(): boolean {
    return this.#lines.begun;
  }

  /** Whether the session is over: it takes no more input. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether the client ended it, and has said nothing behind that. */
  get parted(): boolean {
    return this.#quit && this.#at >= this.#input.length;
  }

  /**
   * Hands in what the peer sent, to be read and changed by the session until `next` has worked it off.
   * Everything fed before must have been.
   */
  feed(input: Uint8Array): void {
    if (this.#at < this.#input.length && !this.#closed) throw new Error("input is still unread");
    this.#input = input;
    this.#at = 0;
  }

  /** The next event, undefined when the input is used up. */
  next(): SessionEvent | undefined {
    for (;;) {
      const event = this.#events.shift();
      if (event) return event;
      if (this.#question) throw new Error("the last event wants an answer first");
      if (this.#closed || this.#at >= this.#input.length) return undefined;
      if (this.#output.length > MAX_OUTPUT) return { kind: "output" };
      if (this.#commands >= MAX_COMMANDS) {
        this.#commands = 0;
        return { kind: "pause" };
      }
      const { text } = this.#transaction;
      if (text) this.#readText(text);
      else this.#readLine();
    }
  }

  /** Answers the last event: a positive reply lets it happen, a negative one does not. */
  answer(reply: Reply): void {
    const question = this.#question;
    if (!question) throw new Error("no event wants an answer");
    this.#question = undefined;
    question(reply);
  }

  /** Ends the session from this side, between any two events (RFC 5321 3.8). */
  end(reply: Reply): void {
    if (this.#closed) return;
    this.#say(reply);
    this.#question = undefined;
    this.#close();
  }

  /** Replies not yet written, in order; each is handed out once. All of them are ASCII. */
  takeOutput(): string {
    const output = this.#output;
    this.#output = "";
    return output;
  }

  #say(reply: Reply): void {
    this.#output += encodeReply(reply);
  }

  #ask(event: SessionEvent, question: (reply: Reply) => void): void {
    this.#events.push(event);
    this.#question = question;
  }

  #readLine(): void {
    const { next, line } = this.#lines.read(this.#input, this.#at);
    this.#at = next;
    if (line === undefined) return;
    this.#commands++;
    if (this.#admission.asking) return this.#follow(this.#admission.answer(line));
    if (isHttp(line ?? this.#lines.start)) {
      return this.#turnOut("line", replies.notHttp(this.#options.host));
    }
    const parsed = line === null
      ? replies.lineTooLong
      : parseCommand(line, this.#admission.extensions);
    if ("code" in parsed) this.#refuse(line === null ? "line" : nameOf(line), parsed);
    else this.#obey(parsed);
  }

  #refuse(what: string, reply: Reply): void {
    if (this.#isSpent(reply, what)) return;
    this.#say(reply);
    // Recipients too many are each answered, but told once: there may be many (RFC 5321 4.5.3.1.10).
    if (reply === replies.tooManyRecipients && this.#transaction.surplusRepeated) return;
    this.#events.push({ kind: "refused", what, reply });
  }

  /** Whether that was more than a client may be refused; the channel is closed then. */
  #isSpent(reply: Reply, what: string): boolean {
    if (this.#budget.pay(reply)) return false;
    this.#turnOut(what, replies.tooManyErrors(this.#options.host));
    return true;
  }

  /** Says the owner's answer, and whether it lets happen what was asked. */
  #decide(reply: Reply, what: string): boolean {
    const positive = isPositive(reply);
    if (positive || !this.#isSpent(reply, what)) this.#say(reply);
    return positive;
  }

  #turnOut(what: string, farewell: Reply): void {
    this.#events.push({ kind: "refused", what, reply: farewell });
    this.end(farewell);
  }

  #obey(command: Command): void {
    if (!this.#budget.take(command.verb)) {
      return this.#turnOut(command.verb, replies.tooManyCommands(this.#options.host));
    }
    switch (command.verb) {
      case "HELO":
      case "EHLO":
        // May come again at any time and then resets like RSET (RFC 5321 4.1.4).
        this.#drop();
        return this.#say(this.#admission.greet(command));
      case "MAIL":
        return this.#mail(command);
      case "RCPT":
        return this.#rcpt(command);
      case "DATA":
        return this.#data();
      case "RSET":
        this.#drop();
        return this.#say(replies.ok);
      case "NOOP":
        return this.#say(replies.ok);
      case "VRFY":
      case "EXPN":
        // Neither tells who has a mailbox here, and 252 is the only honest reply then (RFC 5321 7.3).
        return this.#say(replies.cannotVerify);
      case "HELP":
        return this.#say(replies.help(...command.lines));
      case "QUIT":
        this.#quit = true;
        return this.end(replies.goodbye(this.#options.host));
      case "STARTTLS":
        return this.#startTls();
      case "AUTH":
        if (!this.#transaction.open) return this.#follow(this.#admission.auth(command));
        return this.#refuse("AUTH", replies.loginInTransaction);
    }
  }

  #startTls(): void {
    const refusal = this.#admission.refuseStartTls();
    if (refusal) return this.#refuse("STARTTLS", refusal);
    this.#say(replies.readyForTls);
    this.#drop();
    // Nothing of this session outlives it: not what was said, and not what stands behind this command.
    this.#closed = true;
    this.#events.push({ kind: "starttls", discarded: this.#input.length - this.#at });
  }

  #follow(step: LoginStep): void {
    switch (step.kind) {
      case "ask":
        return this.#say(step.reply);
      case "refuse":
        return this.#refuse("AUTH", step.reply);
      case "judge":
        return this.#ask({ kind: "login", credentials: step.credentials }, (reply) => {
          if (reply.code === 421) return this.end(reply);
          if (this.#decide(reply, "AUTH")) this.#admission.logIn();
        });
    }
  }

  #mail(mail: Mail): void {
    const refusal = this.#admission.refuseMail(mail) ?? this.#transaction.refuseMail(mail);
    if (refusal) return this.#refuse("MAIL", refusal);
    const { client, protocol } = this.#admission;
    const { reversePath, body } = mail;
    const transaction = { client, protocol, reversePath, body, forwardPaths: [] };
    this.#ask({ kind: "mail", transaction }, (reply) => {
      if (this.#decide(reply, "MAIL")) this.#transaction.begin(transaction);
    });
  }

  #rcpt({ forwardPath }: Rcpt): void {
    const refusal = this.#transaction.refuseRcpt();
    if (refusal) return this.#refuse("RCPT", refusal);
    this.#ask({ kind: "recipient", forwardPath }, (reply) => {
      if (this.#decide(reply, "RCPT")) this.#transaction.add(forwardPath);
    });
  }

  #data(): void {
    const refusal = this.#transaction.refuseData();
    if (refusal) return this.#refuse("DATA", refusal);
    this.#ask({ kind: "data", transaction: this.#transaction.open! }, (reply) => {
      if (this.#decide(reply, "DATA")) this.#transaction.beginText();
    });
  }

  #readText(text: IncomingText): void {
    const part = text.read(this.#input, this.#at);
    this.#at = part.next;
    if (part.bytes.length > 0) this.#events.push({ kind: "text", bytes: part.bytes });
    if (part.end) this.#endOfText(text);
  }

  #endOfText(text: IncomingText): void {
    const { refusal } = text;
    if (refusal) {
      this.#drop();
      this.#refuse("text", refusal);
      return;
    }
    const transaction = this.#transaction.open!;
    this.#ask({ kind: "end", transaction, size: text.size }, (reply) => {
      if (this.#decide(reply, "text")) this.#budget.refill();
      // Whatever the answer, the owner knows it: all buffers are clear now (RFC 5321 4.1.1.4).
      this.#transaction.end();
    });
  }

  /** Forgets the transaction, and says so if there was one. */
  #drop(): void {
    if (this.#transaction.end()) this.#events.push({ kind: "dropped" });
  }

  #close(): void {
    this.#drop();
    this.#closed = true;
    this.#events.push({ kind: "close" });
  }
}
