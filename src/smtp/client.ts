/**
 * The sending side of SMTP as a state machine: replies in, commands out (RFC 5321 4.3.2). One
 * session is one connection, with one transaction after another.
 */

import type { Mailbox } from "./address.ts";
import type { ClientEvent, Step } from "./client_event.ts";
import { type ClientLogin, tellable } from "./client_login.ts";
import {
  BAD_FORWARD_PATH,
  type Envelope,
  hasSoundPath,
  judge,
  mailCommand,
  MAX_RECIPIENTS,
  rcptCommand,
} from "./envelope.ts";
import { type ClientOptions, Introduction, isIntroduction, type Move } from "./introduction.ts";
import type { Reply } from "./reply.ts";
import { ReplyError, ReplyReader } from "./reply_reader.ts";
import { type RecipientResult, Tally } from "./tally.ts";

export { MAX_RECIPIENTS };
export type { ClientEvent, ClientOptions, Envelope, RecipientResult, Step };

const NOTHING = new Uint8Array(0);

/**
 * Takes what the server sends by `feed`, then `next` until it has no more event; what to write comes
 * out of `takeOutput`.
 */
export class ClientSession {
  readonly #introduction: Introduction;
  readonly #login: ClientLogin | undefined;
  readonly #reader = new ReplyReader();
  #input: Uint8Array = NOTHING;
  #at = 0;
  #output = "";
  #replies = 0;
  #step: Step = "greeting";
  #ready = false;
  #over = false;
  /** Whether the server still has a transaction open that came to nothing. */
  #mustReset = false;
  #envelope: Envelope | undefined;
  #tally = new Tally([]);
  /** Answers to RCPT that are still to come. */
  #awaited = 0;
  /** Settled without a word of the server. */
  #settled: ClientEvent | undefined;

  /** Throws RangeError where the own name is none, or the login too long for a command. */
  constructor(options: ClientOptions) {
    this.#login = options.login;
    this.#introduction = new Introduction(options);
  }

  /** What is going on, for the choice of how long to wait. */
  get step(): Step {
    return this.#step;
  }

  /** Replies heard so far: the wait for the next one begins anew with each. */
  get replies(): number {
    return this.#replies;
  }

  /** Whether the server has said more than was asked for, or begun to. */
  get unread(): boolean {
    return this.#at < this.#input.length || this.#reader.inReply;
  }

  /** Whether the latest EHLO offered this keyword, written in upper case. */
  offers(keyword: string): boolean {
    return this.#introduction.keywords.has(keyword);
  }

  /** Whether `begin` may be called. */
  get usable(): boolean {
    return this.#ready && !this.#over && this.#step === "idle" && !this.#settled && !this.unread;
  }

  /** Whether nothing may be said any more, not even QUIT. */
  get over(): boolean {
    return this.#over;
  }

  /** Hands in what the server sent. Everything fed before must have been worked off by `next`. */
  feed(input: Uint8Array): void {
    this.#input = input;
    this.#at = 0;
  }

  /** The next event, undefined when the input is used up. Throws ReplyError. */
  next(): ClientEvent | undefined {
    const settled = this.#settled;
    this.#settled = undefined;
    if (settled) return settled;
    while (this.#at < this.#input.length) {
      const { next, reply } = this.#read();
      this.#at = next;
      const event = reply && this.#hear(reply);
      if (event) return event;
    }
    return undefined;
  }

  /** Commands not yet written; each is handed out once. */
  takeOutput(): string {
    const output = this.#output;
    this.#output = "";
    return output;
  }

  /** Begins a transaction, where the session is usable. It ends with the event `results`. */
  begin(envelope: Envelope): void {
    const { forwardPaths } = envelope;
    if (!this.usable) throw new Error("no transaction can begin here");
    if (forwardPaths.length < 1 || forwardPaths.length > MAX_RECIPIENTS) {
      throw new RangeError(`no transaction has ${forwardPaths.length} recipients`);
    }
    this.#envelope = envelope;
    this.#tally = new Tally(forwardPaths);
    const judgement = judge(envelope, this.#introduction.keywords);
    if (judgement) this.#tally.decide(judgement, false);
    else this.#tally.sift(hasSoundPath, BAD_FORWARD_PATH);
    if (this.#tally.open.length === 0) this.#settled = this.#finish();
    else if (this.#mustReset) this.#say("RSET", "RSET");
    else this.#mail(envelope);
  }

  /** The handshake is done. What the server said before it counts no more (RFC 3207 4.2). */
  secured(): void {
    this.#move(this.#introduction.secured());
  }

  /** The text and its end mark have been written. */
  textSent(): void {
    this.#step = "end";
  }

  /** Says goodbye, between transactions or after a refusal. It ends with the event `closed`. */
  quit(): void {
    if (this.#over || this.#step !== "idle") throw new Error("this is no time for QUIT");
    this.#say("QUIT", "QUIT");
  }

  /** The connection is broken: what is known about the transaction it broke in, if in one. */
  abandon(): {
    readonly results: readonly RecipientResult[];
    readonly remaining: readonly Mailbox[];
    readonly undecided: readonly Mailbox[];
  } {
    this.#over = true;
    const { results, remaining, undecided } = this.#tally;
    return { results, remaining, undecided };
  }

  /** Throws ReplyError. What answers AUTH ends in logs and reports like any other reply. */
  #read(): { next: number; reply?: Reply } {
    if (this.#step !== "AUTH") return this.#reader.read(this.#input, this.#at);
    try {
      const { next, reply } = this.#reader.read(this.#input, this.#at);
      return reply ? { next, reply: tellable(reply, this.#login!) } : { next };
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      throw new ReplyError("the server's answer to AUTH is no reply");
    }
  }

  #hear(reply: Reply): ClientEvent | undefined {
    this.#replies++;
    if (this.#step === "QUIT") return this.#close();
    // The server closes the connection after it, whatever it was asked (RFC 5321 3.8).
    if (reply.code === 421) return this.#leave(reply);
    if (this.#step === "idle" || this.#step === "handshake" || this.#output !== "") {
      throw new ReplyError("the server answers what it was not asked");
    }
    // After DATA comes 354, at the end of each other step 2yz; before the text's end nothing good can.
    const positive = this.#step === "DATA"
      ? reply.code === 354
      : this.#step !== "text" && reply.code < 300;
    if (!positive && reply.code < 400) {
      throw new ReplyError(`the server answers ${reply.code} where that makes no sense`);
    }
    return positive ? this.#goOn(this.#step, reply) : this.#turnBack(this.#step, reply);
  }

  /** After a positive reply. */
  #goOn(step: Step, reply: Reply): ClientEvent | undefined {
    if (isIntroduction(step)) return this.#move(this.#introduction.goOn(step, reply));
    switch (step) {
      case "RSET":
        this.#mustReset = false;
        return this.#mail(this.#envelope!);
      case "MAIL":
        this.#mustReset = true;
        return this.#rcpt();
      case "RCPT":
        return this.#recipient(reply);
      case "DATA":
        this.#step = "text";
        return { kind: "text" };
      default:
        this.#mustReset = false;
        return this.#decide(reply);
    }
  }

  /** After a negative one. */
  #turnBack(step: Step, reply: Reply): ClientEvent | undefined {
    if (isIntroduction(step)) return this.#move(this.#introduction.turnBack(step, reply));
    switch (step) {
      case "RSET":
        throw new ReplyError("the server refuses RSET");
      case "MAIL":
        this.#tally.decide(reply, true);
        // The commands behind it are on their way and will be answered.
        return this.#awaited > 0 ? this.#rcpt() : this.#finish();
      case "RCPT":
        return this.#recipient(reply);
      case "text":
        // The text stays half written, so nothing can follow it.
        this.#over = true;
        return this.#decide(reply);
      default:
        return this.#decide(reply);
    }
  }

  #move(move: Move): ClientEvent | undefined {
    if ("line" in move) return this.#say(move.step, move.line);
    // What came with the answer was not said by whom the handshake is with (RFC 3207 6).
    if (move.kind === "starttls") this.#input = NOTHING;
    if (move.kind === "ready") this.#ready = true;
    this.#step = move.kind === "starttls" ? "handshake" : "idle";
    return move;
  }

  #mail(envelope: Envelope): undefined {
    const { keywords } = this.#introduction;
    this.#say("MAIL", mailCommand(envelope, keywords));
    // DATA never goes with them: it waits for who is accepted (RFC 5321 3.3, RFC 2920 3.1).
    if (keywords.has("PIPELINING")) this.#ask(this.#tally.open);
  }

  /** On to RCPT, unless that has been said together with MAIL. */
  #rcpt(): undefined {
    this.#step = "RCPT";
    if (this.#awaited === 0) this.#ask(this.#tally.open.slice(0, 1));
  }

  #ask(forwardPaths: readonly Mailbox[]): void {
    this.#awaited = forwardPaths.length;
    for (const path of forwardPaths) this.#write(rcptCommand(path));
  }

  #recipient(reply: Reply): ClientEvent | undefined {
    this.#awaited--;
    this.#tally.answer(reply);
    if (this.#awaited > 0) return undefined;
    if (this.#tally.open.length > 0) return this.#rcpt();
    // Without a recipient there is nothing to send (RFC 5321 3.3).
    return this.#tally.hasAccepted ? this.#say("DATA", "DATA") : this.#finish();
  }

  /** The reply to DATA or to the text is for all that are accepted (RFC 5321 4.2.5). */
  #decide(reply: Reply): ClientEvent {
    this.#tally.decide(reply, true);
    return this.#finish();
  }

  #finish(): ClientEvent {
    const { results, remaining } = this.#tally;
    this.#tally = new Tally([]);
    this.#envelope = undefined;
    this.#step = "idle";
    return { kind: "results", results, remaining };
  }

  #leave(reply: Reply): ClientEvent {
    this.#over = true;
    if (this.#envelope) return this.#decide(reply);
    if (this.#ready) return this.#close();
    this.#step = "idle";
    return { kind: "refused", reply };
  }

  #close(): ClientEvent {
    this.#over = true;
    return { kind: "closed" };
  }

  #say(step: Step, line: string): undefined {
    this.#step = step;
    this.#write(line);
  }

  #write(line: string): void {
    // Behind all other checks: nothing may end its line and begin another.
    if (/[^ -~]/.test(line)) throw new RangeError(`no command: ${JSON.stringify(line)}`);
    this.#output += `${line}\r\n`;
  }
}
