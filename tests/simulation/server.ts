/** A simulated server: this project's own receiving core, which judges all it hears, and its faults. */

import type { Clock } from "../../src/clock.ts";
import { type Mailbox, printMailbox } from "../../src/smtp/address.ts";
import type { SessionEvent, Transaction } from "../../src/smtp/event.ts";
import * as replies from "../../src/smtp/reply.ts";
import { isPositive, type Reply } from "../../src/smtp/reply.ts";
import { Session } from "../../src/smtp/session.ts";
import { asReply, type Fault, type Faults, type Step } from "./fault.ts";
import type { Pace, Peer, SimulatedWire } from "./wire.ts";

/** A message that a server took. */
export interface Arrival {
  /** The server's name. */
  readonly host: string;
  readonly time: number;
  readonly reversePath: Mailbox | null;
  readonly recipients: readonly string[];
  /** One character for each octet, lines end in CR LF. */
  readonly text: string;
  /** Whether the server could say so. */
  readonly confirmed: boolean;
}

export interface ServerOptions {
  readonly pace?: Partial<Pace>;
  /** Keywords of EHLO that it does not know. */
  readonly without?: readonly string[];
  readonly maxMessageSize?: number;
  readonly maxRecipients?: number;
  readonly faults?: Faults;
}

/** A reply that refuses for good. */
export interface Refusal {
  readonly step: Step;
  /** "" is the null reverse-path. Undefined outside of transactions. */
  readonly sender?: string;
  /** Whom it is about, as far as the server has heard of them. */
  readonly recipients: readonly string[];
}

const LINE_END = 10;

export class SimulatedServer {
  faults: Faults;
  readonly pace: Pace;
  readonly arrivals: Arrival[] = [];
  /** Every command, without its line end; before each connection `connect`. */
  readonly commands: string[] = [];
  /** When each recipient was asked for. */
  readonly asked = new Map<string, number[]>();
  /** Told of each reply that refuses for good. */
  refused: (refusal: Refusal) => void = () => {};
  connections = 0;

  constructor(
    readonly name: string,
    readonly clock: Clock,
    readonly options: ServerOptions,
  ) {
    this.faults = options.faults ?? (() => undefined);
    this.pace = { there: 0, back: 0, octet: 0, ...options.pace };
  }

  /** Its domain: `mx1.a.example` is a host of `a.example`. */
  get destination(): string {
    return this.name.replace(/^mx\d+\./, "");
  }

  /** What happens to a connection that is tried. */
  connect(): Fault | undefined {
    this.connections++;
    this.commands.push("connect");
    return this.faultAt("connect", this.connections);
  }

  accept(wire: SimulatedWire): void {
    wire.attach(new Conversation(this, wire, this.connections));
  }

  faultAt(
    step: Step,
    connection: number,
    rest: { recipient?: string; count?: number } = {},
  ): Fault | undefined {
    return this.faults({ step, time: this.clock.now(), connection, ...rest });
  }

  /** Every recipient who got a message, with all its texts. */
  textsFor(recipient: string): string[] {
    return this.arrivals.filter(({ recipients }) => recipients.includes(recipient))
      .map(({ text }) => text);
  }
}

class Conversation implements Peer {
  readonly #session: Session;
  readonly #server: SimulatedServer;
  readonly #wire: SimulatedWire;
  readonly #number: number;
  #unread: Uint8Array = new Uint8Array(0);
  #text = "";
  #over = false;
  /** Recipients of this transaction. */
  #all: string[] = [];
  #sender: { readonly sender?: string } = {};

  constructor(server: SimulatedServer, wire: SimulatedWire, number: number) {
    this.#server = server;
    this.#wire = wire;
    this.#number = number;
    this.#session = new Session({
      host: server.name,
      maxMessageSize: server.options.maxMessageSize ?? 50_000_000,
      maxRecipients: server.options.maxRecipients ?? 1000,
    });
    const greeting = this.#session.takeOutput();
    if (!this.#instead("greeting")) wire.say(greeting);
  }

  hear(bytes: Uint8Array): void {
    this.#unread = this.#unread.length === 0 ? bytes : concat(this.#unread, bytes);
    while (this.#unread.length > 0 && !this.#over) {
      const end = this.#unread.indexOf(LINE_END);
      if (!this.#session.inText && end < 0) return;
      const length = this.#session.inText ? this.#unread.length : end + 1;
      const piece = this.#unread.subarray(0, length);
      this.#unread = this.#unread.subarray(length);
      this.#hearPiece(piece);
    }
  }

  #hearPiece(bytes: Uint8Array): void {
    const verb = this.#session.inText ? "" : this.#note(latin1(bytes).trimEnd());
    const own = verb === "EHLO" || verb === "HELO" || verb === "RSET" || verb === "QUIT";
    if (own && this.#instead(verb)) return;
    this.#session.feed(bytes);
    for (let event = this.#session.next(); event; event = this.#session.next()) {
      this.#handle(event);
      if (this.#over) return;
    }
    this.#flush(verb === "EHLO");
  }

  /** Returns the command's verb. */
  #note(line: string): string {
    this.#server.commands.push(line);
    const [verb = ""] = line.split(" ");
    return verb;
  }

  #handle(event: SessionEvent): void {
    switch (event.kind) {
      case "mail":
        this.#all = [];
        this.#sender = { sender: senderOf(event.transaction) };
        return this.#answer("MAIL", replies.senderOk);
      case "recipient":
        return this.#recipient(event.forwardPath);
      case "data":
        this.#text = "";
        return this.#answer("DATA", replies.startText);
      case "text":
        if (this.#text === "" && this.#instead("text")) return;
        this.#text += latin1(event.bytes);
        return;
      case "end":
        return this.#end(event.transaction);
      case "refused":
        if (event.reply === replies.tooBig) this.#refuse("MAIL");
        return;
      case "close":
        this.#flush();
        this.#over = true;
        return this.#wire.end();
    }
  }

  #recipient(forwardPath: Mailbox): void {
    const recipient = printMailbox(forwardPath);
    const { asked, clock } = this.#server;
    this.#all.push(recipient);
    asked.set(recipient, [...asked.get(recipient) ?? [], clock.now()]);
    this.#answer("RCPT", replies.recipientOk, { recipient, count: this.#all.length });
  }

  #end({ reversePath, forwardPaths }: Transaction): void {
    const { name, clock } = this.#server;
    const fault = this.#server.faultAt("end", this.#number);
    if (!fault || fault.stored) {
      this.#server.arrivals.push({
        host: name,
        time: clock.now(),
        reversePath,
        recipients: forwardPaths.map(printMailbox),
        text: this.#text,
        confirmed: !fault,
      });
    }
    if (fault) return this.#do("end", fault);
    this.#session.answer(replies.stored("it"));
  }

  #answer(step: Step, reply: Reply, rest: { recipient?: string; count?: number } = {}): void {
    const fault = this.#server.faultAt(step, this.#number, rest);
    if (!fault) return this.#session.answer(reply);
    this.#do(step, fault, rest.recipient);
  }

  /** Does what goes wrong at a step the session is not asked about; whether anything does. */
  #instead(step: Step): boolean {
    const fault = this.#server.faultAt(step, this.#number);
    if (fault) this.#do(step, fault);
    return fault !== undefined;
  }

  #do(step: Step, fault: Fault, recipient?: string): void {
    if (fault.kind === "say") return this.#say(step, fault.text, recipient);
    this.#flush();
    this.#over = true;
    if (fault.kind === "close") this.#wire.end();
    if (fault.kind === "reset") this.#wire.reset();
  }

  #say(step: Step, text: string, recipient?: string): void {
    const reply = asReply(text);
    if (reply && reply.code >= 500) this.#refuse(step, recipient);
    const asked = step === "MAIL" || step === "RCPT" || step === "DATA" || step === "end";
    const closes = !reply || reply.code === 421;
    if (reply && asked && !closes && (step !== "DATA" || !isPositive(reply))) {
      return this.#session.answer(reply);
    }
    this.#flush();
    this.#wire.say(`${text}\r\n`);
    this.#over = closes || step === "QUIT";
    if (this.#over) this.#wire.end();
  }

  #refuse(step: Step, recipient?: string): void {
    const recipients = recipient === undefined ? this.#all : [recipient];
    this.#server.refused({ step, recipients, ...this.#sender });
  }

  #flush(extended = false): void {
    const output = this.#session.takeOutput();
    if (output !== "") this.#wire.say(extended ? this.#offered(output) : output);
  }

  /** The answer to EHLO without what is not offered. */
  #offered(output: string): string {
    const { without = [] } = this.#server.options;
    const lines = output.trimEnd().split("\r\n").map((line) => line.slice(4));
    const left = lines.filter((line) => !without.includes(line.split(" ")[0]!));
    return replies.encodeReply({ code: 250, status: "", lines: left });
  }
}

function senderOf({ reversePath }: Transaction): string {
  return reversePath === null ? "" : printMailbox(reversePath);
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
