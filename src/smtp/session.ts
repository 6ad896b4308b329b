/**
 * The receiving side of SMTP as a state machine: bytes in, replies and events out. It reads no
 * clock and waits for nothing. Whatever it cannot know, it asks its owner by an event.
 *
 *     session.feed(bytes);
 *     for (let event = session.next(); event; event = session.next()) … session.answer(reply) …
 *     write(session.takeOutput());
 */

import type { Mailbox } from "./address.ts";
import {
  type Command,
  type Hello,
  LONGEST_LINE,
  type Mail,
  parseCommand,
  type Rcpt,
} from "./command.ts";
import { type TextFlaw, TextReader } from "./data.ts";
import type { SessionEvent, Transaction } from "./event.ts";
import { HopCounter } from "./hops.ts";
import { LineReader } from "./line.ts";
import * as replies from "./reply.ts";
import { encodeReply, isPositive, type Reply } from "./reply.ts";

export interface SessionOptions {
  /** Own name as replies show it: a domain name or an address literal. */
  readonly host: string;
  /** Octets a text may have. */
  readonly maxMessageSize: number;
  /** Recipients a transaction may have. */
  readonly maxRecipients: number;
}

/**
 * What a client may do wrong without a message between, before the channel is closed (RFC 5321
 * 7.8): ten bad commands, or a thousand recipients that are refused, or some of each.
 */
const BUDGET = 1000;
const BAD_COMMAND = 100;
const REFUSED_RECIPIENT = 1;
/** Received lines beyond which a text is taken to go in circles (RFC 5321 6.3). */
const MAX_HOPS = 100;

/** Characters of replies that may pile up: many commands in one packet must not cost much memory. */
const MAX_OUTPUT = 16 * 1024;

const NOTHING = new Uint8Array(0);

interface OpenTransaction extends Transaction {
  readonly forwardPaths: Mailbox[];
}

/** The question that waits for its answer: what the answer does, saying it included. */
type Question = (reply: Reply) => void;

export class Session {
  readonly #options: SessionOptions;
  readonly #lines = new LineReader(LONGEST_LINE);
  readonly #events: SessionEvent[] = [];
  #input: Uint8Array = NOTHING;
  #at = 0;
  #output = "";
  #question: Question | undefined;
  #hello: Hello | undefined;
  #transaction: OpenTransaction | undefined;
  #recipientsTried = false;
  #text: TextReader | undefined;
  #hops = new HopCounter();
  #spent = 0;
  #closed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#say(replies.greeting(options.host));
  }

  /** Whether a text is coming in: between 354 and the reply to its end. */
  get inText(): boolean {
    return this.#text !== undefined;
  }

  /** Whether a command line has begun that has not ended yet. */
  get inLine(): boolean {
    return this.#lines.begun;
  }

  /** Whether the session is over: it takes no more input. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Hands in what the peer sent. Everything fed before must have been worked off by `next`. */
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
      if (this.#text) this.#readText(this.#text);
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

  #ask(event: SessionEvent, question: Question): void {
    this.#events.push(event);
    this.#question = question;
  }

  #readLine(): void {
    const { next, line } = this.#lines.read(this.#input, this.#at);
    this.#at = next;
    if (line === undefined) return;
    if (isHttp(line ?? this.#lines.start)) {
      return this.#turnOut("line", replies.notHttp(this.#options.host));
    }
    const parsed = line === null ? replies.lineTooLong : parseCommand(line);
    if ("code" in parsed) this.#refuse(line === null ? "line" : nameOf(line), parsed);
    else this.#obey(parsed);
  }

  #refuse(what: string, reply: Reply): void {
    // Errors of syntax and order count (50z and 555), what is refused for its content does not.
    const counts = reply.code >= 500 && reply.code < 510 || reply.code === 555;
    if (counts && this.#spend(BAD_COMMAND, what)) return;
    this.#say(reply);
    this.#events.push({ kind: "refused", what, reply });
  }

  /** Whether that was more than there was; the channel is closed then. */
  #spend(amount: number, what: string): boolean {
    this.#spent += amount;
    if (this.#spent <= BUDGET) return false;
    this.#turnOut(what, replies.tooManyErrors(this.#options.host));
    return true;
  }

  #turnOut(what: string, farewell: Reply): void {
    this.#events.push({ kind: "refused", what, reply: farewell });
    this.end(farewell);
  }

  #obey(command: Command): void {
    switch (command.verb) {
      case "HELO":
      case "EHLO":
        return this.#greet(command);
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
        return this.end(replies.goodbye(this.#options.host));
    }
  }

  /** May come again at any time and then resets like RSET (RFC 5321 4.1.4). */
  #greet(hello: Hello): void {
    this.#drop();
    this.#hello = hello;
    const { host, maxMessageSize } = this.#options;
    this.#say(
      hello.verb === "HELO" ? replies.hello(host) : replies.extendedHello(host, [
        "PIPELINING",
        `SIZE ${maxMessageSize}`,
        "8BITMIME",
        "ENHANCEDSTATUSCODES",
        "HELP",
      ]),
    );
  }

  #mail(mail: Mail): void {
    const hello = this.#hello;
    if (!hello) return this.#refuse("MAIL", replies.helloFirst);
    if (this.#transaction) return this.#refuse("MAIL", replies.nestedMail);
    if (mail.extended && hello.verb === "HELO") {
      return this.#refuse("MAIL", replies.unknownParameter);
    }
    if ((mail.size ?? 0) > this.#options.maxMessageSize) {
      return this.#refuse("MAIL", replies.tooBig);
    }
    const transaction: OpenTransaction = {
      client: hello.domain,
      protocol: hello.verb === "HELO" ? "SMTP" : "ESMTP",
      reversePath: mail.reversePath,
      forwardPaths: [],
      body: mail.body,
    };
    this.#ask({ kind: "mail", transaction }, (reply) => {
      this.#say(reply);
      if (!isPositive(reply)) return;
      this.#transaction = transaction;
      this.#recipientsTried = false;
    });
  }

  #rcpt({ forwardPath }: Rcpt): void {
    const transaction = this.#transaction;
    if (!transaction) return this.#refuse("RCPT", replies.mailFirst);
    this.#recipientsTried = true;
    if (transaction.forwardPaths.length >= this.#options.maxRecipients) {
      return this.#refuse("RCPT", replies.tooManyRecipients);
    }
    this.#ask({ kind: "recipient", forwardPath }, (reply) => {
      if (isPositive(reply)) transaction.forwardPaths.push(forwardPath);
      else if (this.#spend(REFUSED_RECIPIENT, "RCPT")) return;
      this.#say(reply);
    });
  }

  #data(): void {
    const transaction = this.#transaction;
    if (!transaction) return this.#refuse("DATA", replies.mailFirst);
    if (transaction.forwardPaths.length === 0) {
      return this.#refuse(
        "DATA",
        this.#recipientsTried ? replies.noValidRecipients : replies.rcptFirst,
      );
    }
    this.#ask({ kind: "data", transaction }, (reply) => {
      this.#say(reply);
      if (!isPositive(reply)) return;
      this.#text = new TextReader(this.#options.maxMessageSize);
      this.#hops = new HopCounter();
    });
  }

  #readText(text: TextReader): void {
    const part = text.read(this.#input, this.#at);
    this.#at = part.next;
    if (part.bytes.length > 0) {
      if (this.#hops.inHeader) this.#hops.feed(part.bytes);
      this.#events.push({ kind: "text", bytes: part.bytes });
    }
    if (part.end) this.#endOfText(text);
  }

  #endOfText(text: TextReader): void {
    const transaction = this.#transaction!;
    const flaw = text.flaw ? FLAWS[text.flaw] : this.#hops.count > MAX_HOPS && replies.mailLoop;
    if (flaw) {
      this.#drop();
      this.#refuse("text", flaw);
      return;
    }
    this.#ask({ kind: "end", transaction, size: text.size }, (reply) => {
      this.#say(reply);
      if (isPositive(reply)) this.#spent = 0;
      // Whatever the answer, the owner knows it: all buffers are clear now (RFC 5321 4.1.1.4).
      this.#text = this.#transaction = undefined;
    });
  }

  /** Forgets the transaction, and says so if there was one. */
  #drop(): void {
    if (this.#transaction) this.#events.push({ kind: "dropped" });
    this.#text = this.#transaction = undefined;
  }

  #close(): void {
    this.#drop();
    this.#closed = true;
    this.#events.push({ kind: "close" });
  }
}

const FLAWS: Readonly<Record<TextFlaw, Reply>> = {
  "bare line end": replies.bareLineEnd,
  "too big": replies.tooBig,
};

/**
 * A browser that is made to post mail speaks like this (RFC 9110 9.3, RFC 4918 9). What it says
 * further must not be read as commands. No command of SMTP is called like its methods.
 */
function isHttp(line: string): boolean {
  return /^(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PROPFIND)[ \t]/i.test(line);
}

/** The verb of a refused line for the log; nothing else of it is worth keeping. */
function nameOf(line: string): string {
  return /^[A-Za-z]{1,12}(?=[ \t]|$)/.exec(line)?.[0].toUpperCase() ?? "line";
}
