/**
 * The sending side of SMTP as a state machine: replies in, commands out. It sends one message over
 * one connection, a command at a time (RFC 5321 4.3.2).
 */

import { type Mailbox, printPath } from "./address.ts";
import type { Reply } from "./reply.ts";
import { ReplyError, ReplyReader } from "./reply_reader.ts";

export interface Envelope {
  /** Own name or address literal for EHLO. */
  readonly host: string;
  readonly reversePath: Mailbox | null;
  /** One at least. */
  readonly forwardPaths: readonly Mailbox[];
  /** Octets of the text. */
  readonly size: number;
  /** Whether the text has octets above 127. */
  readonly eightBit: boolean;
}

/** What became of one recipient: the reply that decided it. */
export interface RecipientResult {
  readonly forwardPath: Mailbox;
  readonly reply: Reply;
}

export type ClientEvent =
  /** The server wants the text: write it and its end mark, then call `textSent`. */
  | { readonly kind: "text" }
  /** It is over, every recipient has a reply: write the output, then close. */
  | { readonly kind: "done"; readonly results: readonly RecipientResult[] };

type Step = "greeting" | "EHLO" | "HELO" | "MAIL" | "RCPT" | "DATA" | "text" | "end" | "QUIT";

const NO_EIGHT_BIT: Reply = {
  code: 554,
  status: "5.6.3",
  lines: ["The text has 8-bit octets and the server does not offer 8BITMIME"],
};

const NOTHING = new Uint8Array(0);

export class ClientSession {
  readonly #envelope: Envelope;
  readonly #replies = new ReplyReader();
  #input: Uint8Array = NOTHING;
  #at = 0;
  #output = "";
  #step: Step = "greeting";
  #keywords = new Set<string>();
  #refused: RecipientResult[] = [];
  #accepted: Mailbox[] = [];
  #results: readonly RecipientResult[] | undefined;

  constructor(envelope: Envelope) {
    this.#envelope = envelope;
  }

  /** Hands in what the server sent. Everything fed before must have been worked off by `next`. */
  feed(input: Uint8Array): void {
    this.#input = input;
    this.#at = 0;
  }

  /** The next event, undefined when the input is used up. Throws ReplyError. */
  next(): ClientEvent | undefined {
    while (this.#at < this.#input.length) {
      const { next, reply } = this.#replies.read(this.#input, this.#at);
      this.#at = next;
      const event = reply && this.#hear(reply);
      if (event) return event;
    }
    return undefined;
  }

  /** What became of every recipient, as soon as that is settled: only QUIT is left then. */
  get results(): readonly RecipientResult[] | undefined {
    return this.#results;
  }

  /** The text and its end mark have been written. */
  textSent(): void {
    this.#step = "end";
  }

  /** Commands not yet written; each is handed out once. */
  takeOutput(): string {
    const output = this.#output;
    this.#output = "";
    return output;
  }

  #hear(reply: Reply): ClientEvent | undefined {
    const step = this.#step;
    if (step === "QUIT") return { kind: "done", results: this.#results! };
    // After DATA comes 354, at the end of each other step 2yz; before the text's end nothing good can.
    const positive = step === "DATA" ? reply.code === 354 : step !== "text" && reply.code < 300;
    if (!positive && reply.code < 400) {
      throw new ReplyError(`the server answers ${reply.code} where that makes no sense`);
    }
    switch (step) {
      case "greeting":
        return positive ? this.#say("EHLO", `EHLO ${this.#envelope.host}`) : this.#decide(reply);
      case "EHLO":
        if (positive) return this.#begin(reply);
        // A server that does not know EHLO is asked the old way (RFC 5321 3.2).
        if (reply.code >= 500) return this.#say("HELO", `HELO ${this.#envelope.host}`);
        return this.#decide(reply);
      case "HELO":
        return positive ? this.#mail() : this.#decide(reply);
      case "MAIL":
        return positive ? this.#rcpt(0) : this.#decide(reply);
      case "RCPT":
        return this.#recipient(reply);
      case "DATA":
        if (!positive) return this.#decide(reply);
        this.#step = "text";
        return { kind: "text" };
      case "text":
      case "end":
        return this.#decide(reply);
    }
  }

  #begin(reply: Reply): undefined {
    this.#keywords = new Set(
      reply.lines.slice(1).map((line) => line.split(" ")[0]!.toUpperCase()),
    );
    return this.#mail();
  }

  #mail(): undefined {
    const { reversePath, size, eightBit } = this.#envelope;
    if (eightBit && !this.#keywords.has("8BITMIME")) return this.#decide(NO_EIGHT_BIT);
    const sizeParameter = this.#keywords.has("SIZE") ? ` SIZE=${size}` : "";
    const bodyParameter = eightBit ? " BODY=8BITMIME" : "";
    return this.#say("MAIL", `MAIL FROM:${printPath(reversePath)}${sizeParameter}${bodyParameter}`);
  }

  #rcpt(index: number): undefined {
    return this.#say("RCPT", `RCPT TO:${printPath(this.#envelope.forwardPaths[index]!)}`);
  }

  /** Each recipient has its own fate (RFC 5321 4.2.1). */
  #recipient(reply: Reply): undefined {
    const { forwardPaths } = this.#envelope;
    const done = this.#accepted.length + this.#refused.length;
    const forwardPath = forwardPaths[done]!;
    if (reply.code < 300) this.#accepted.push(forwardPath);
    else this.#refused.push({ forwardPath, reply });
    if (done + 1 < forwardPaths.length) return this.#rcpt(done + 1);
    // Without a recipient there is nothing to send (RFC 5321 3.3).
    return this.#accepted.length > 0 ? this.#say("DATA", "DATA") : this.#quit(this.#refused);
  }

  /** The same reply for everyone who has none yet: a failure, or the reply to the text. */
  #decide(reply: Reply): undefined {
    const refused = new Set(this.#refused.map(({ forwardPath }) => forwardPath));
    const open = this.#envelope.forwardPaths.filter((path) => !refused.has(path));
    return this.#quit([...this.#refused, ...open.map((forwardPath) => ({ forwardPath, reply }))]);
  }

  #quit(results: readonly RecipientResult[]): undefined {
    this.#results = results;
    return this.#say("QUIT", "QUIT");
  }

  #say(step: Step, line: string): undefined {
    // The last gate: nothing in an envelope may end its line and begin another.
    if (/[^ -~]/.test(line)) throw new RangeError(`no command: ${JSON.stringify(line)}`);
    this.#step = step;
    this.#output += `${line}\r\n`;
  }
}
