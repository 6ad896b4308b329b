/** A wire and the session that speaks over it, with an end to every wait. */

import type { Clock } from "../clock.ts";
import type { ClientEvent, ClientSession, Step } from "../smtp/client.ts";
import { withoutSecrets } from "../smtp/client_login.ts";
import type { Reply } from "../smtp/reply.ts";
import { ReplyError } from "../smtp/reply_reader.ts";
import type { Block } from "./blocks.ts";
import type { SecureOptions, Security, Wire } from "./wire.ts";

/** Milliseconds to wait at each step; at `text` for the writing of one block. */
export type Timeouts = Readonly<Record<Exclude<Step, "idle">, number>>;

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** The least that RFC 5321 4.5.3.2 asks for, where it asks. */
export const TIMEOUTS: Timeouts = {
  greeting: 5 * MINUTE,
  EHLO: 5 * MINUTE,
  HELO: 5 * MINUTE,
  STARTTLS: 5 * MINUTE,
  handshake: MINUTE,
  AUTH: 5 * MINUTE,
  RSET: 5 * MINUTE,
  MAIL: 5 * MINUTE,
  RCPT: 5 * MINUTE,
  DATA: 2 * MINUTE,
  text: 3 * MINUTE,
  end: 10 * MINUTE,
  QUIT: 10 * SECOND,
};

/** Why nothing more comes of a connection. */
export class ChannelError extends Error {
  override name = "ChannelError";

  /**
   * `reply` is what the server said, where `heard`, or else this side's own judgement. The server
   * refuses to talk or the login, closes, does not answer in time, says what is no SMTP, cannot do TLS
   * or lacks something else that it must have. `security` is that of the connection, where there was
   * one to hear something over.
   */
  constructor(
    readonly kind: "refused" | "login" | "lost" | "late" | "nonsense" | "tls",
    readonly reply: Reply,
    readonly heard = false,
    readonly security?: Security,
  ) {
    super(reply.lines.join(" "));
  }
}

function judgement(kind: ChannelError["kind"], code: number, status: string, why: string) {
  return new ChannelError(kind, { code, status, lines: [why.replace(/[^ -~]/g, "?")] });
}

/** What both sides say goes by here, all but the text and the secret of a login. */
export type Observe = (who: "client" | "server", bytes: Uint8Array) => void;

/** What a channel needs besides its wire and its session. */
export interface ChannelOptions {
  readonly clock: Clock;
  /** Those not given are the ones of TIMEOUTS. */
  readonly timeouts?: Partial<Timeouts>;
  readonly observe?: Observe;
}

/** Characters of a reason for which a handshake failed. */
const MOST_REASON = 200;

const encoder = new TextEncoder();

export class Channel {
  readonly #session: ClientSession;
  readonly #clock: Clock;
  readonly #timeouts: Timeouts;
  readonly #observe: Observe | undefined;
  #wire: Wire;
  #open = true;
  #late = false;
  #callOff = () => {};
  /** A read that is under way while nothing is asked. */
  #listening: Promise<Uint8Array | null> | undefined;
  #interrupted = false;

  constructor(wire: Wire, session: ClientSession, options: ChannelOptions) {
    this.#wire = wire;
    this.#session = session;
    this.#clock = options.clock;
    this.#timeouts = { ...TIMEOUTS, ...options.timeouts };
    this.#observe = options.observe;
  }

  get security(): Security | undefined {
    return this.#wire.security;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether the server, listened to, has said something or closed. */
  get interrupted(): boolean {
    return this.#interrupted || !this.#open;
  }

  /**
   * Says what the session has to say and waits for what comes of it. Rejects with ChannelError.
   * Each reply has one deadline, in however many pieces it comes.
   */
  async event(): Promise<ClientEvent> {
    const session = this.#session;
    try {
      for (let replies = -1;;) {
        const event = session.next();
        if (event) return event;
        if (session.replies > replies) this.#limit(session.step);
        replies = session.replies;
        await this.#say();
        session.feed(await this.#read());
      }
    } catch (error) {
      throw error instanceof ReplyError
        ? judgement("nonsense", 451, "4.5.0", error.message)
        : error;
    } finally {
      this.#callOff();
    }
  }

  /** Listens to the server from now on: `interrupted` tells when it speaks or closes unasked. */
  listen(): void {
    if (this.#listening) return;
    const interrupt = () => void (this.#interrupted = true);
    this.#listening = this.#wire.read();
    this.#listening.then(interrupt, interrupt);
  }

  /**
   * Writes a part of the text, while listening. Resolves with whether to go on: not when the server
   * speaks before its end or the connection breaks, and what that was is for `event` to find out.
   */
  async write({ bytes, last }: Block): Promise<boolean> {
    if (this.interrupted) return false;
    this.#limit("text");
    const written = this.#wire.write(bytes).then(() => true, () => false);
    const interrupted = this.#listening?.then(() => false, () => false);
    try {
      // The answer to a whole text may overtake the news that it is written.
      return await (last ? written : Promise.race([written, interrupted ?? written]));
    } finally {
      this.#callOff();
    }
  }

  /** Does the handshake. Rejects with ChannelError. */
  async secure(name: string, options: SecureOptions): Promise<void> {
    this.#limit("handshake");
    try {
      this.#wire = await this.#wire.secure(name, options);
    } catch (error) {
      const why = this.#late ? "the handshake takes too long" : reason(error);
      throw judgement("tls", 454, "4.7.5", `TLS failed: ${why}`);
    } finally {
      this.#callOff();
    }
  }

  /** Ends every wait. Closing twice is no error. */
  close(): void {
    this.#open = false;
    this.#callOff();
    this.#wire.close();
  }

  async #say(): Promise<void> {
    const output = this.#session.takeOutput();
    if (output === "") return;
    this.#observe?.("client", encoder.encode(withoutSecrets(output)));
    // A server that is gone may have said why, and reading finds out.
    await this.#wire.write(encoder.encode(output)).catch(() => {});
  }

  async #read(): Promise<Uint8Array> {
    let bytes;
    try {
      bytes = await (this.#listening ?? this.#wire.read());
    } catch {
      throw this.#late ? this.#lateness() : lost("the connection to the server broke");
    }
    this.#listening = undefined;
    this.#interrupted = false;
    if (!bytes) throw this.#late ? this.#lateness() : lost("the server closed the connection");
    this.#observe?.("server", bytes);
    return bytes;
  }

  #lateness(): ChannelError {
    // Before its first word it may be no server at all.
    const status = this.#session.step === "greeting" ? "4.4.1" : "4.4.2";
    return judgement("late", 451, status, "the server does not answer");
  }

  /** Begins a wait; closing is what ends it. */
  #limit(step: Step): void {
    if (step === "idle") return;
    this.#callOff();
    this.#callOff = this.#clock.after(this.#timeouts[step], () => {
      this.#late = true;
      this.close();
    });
  }
}

/** Of an error's words the first: a certificate that is not the host's may have many names. */
function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MOST_REASON);
}

/** The connection is no more. */
export function lost(why: string): ChannelError {
  return judgement("lost", 451, "4.4.2", why);
}
