/** One connection to one server, and the transactions that go over it. */

import type { Mailbox } from "../smtp/address.ts";
import { ClientSession, type Envelope, type RecipientResult } from "../smtp/client.ts";
import type { ClientLogin } from "../smtp/client_login.ts";
import type { Reply } from "../smtp/reply.ts";
import { blocksOf } from "./blocks.ts";
import { Channel, ChannelError, type ChannelOptions, lost } from "./channel.ts";
import type { Security, Wire } from "./wire.ts";

export { ChannelError, TIMEOUTS, type Timeouts } from "./channel.ts";

/** How to speak to a server. */
export interface ConnectionOptions extends ChannelOptions {
  /** Own name or address literal for EHLO. */
  readonly host: string;
  /** The server's name or address, which its certificate should have. */
  readonly serverName: string;
  /** Whether to go over to TLS where it is offered. */
  readonly wantsTls: boolean;
  /** Whether to go on under TLS alone, with a certificate that is valid for the server's name. */
  readonly verify?: boolean;
  /** Whether TLS begins with the connection (RFC 8314 3). */
  readonly implicitTls?: boolean;
  /** To log in by. It goes to nobody whose certificate is not verified, so that is done then. */
  readonly login?: ClientLogin;
}

/** What became of a transaction. Each recipient is in one of the lists, and in one only. */
export interface Outcome {
  readonly results: readonly RecipientResult[];
  /** Those the server wants in another transaction. */
  readonly remaining: readonly Mailbox[];
  /** The connection broke before all was decided. */
  readonly broken?: {
    /** This side's own judgement on that. */
    readonly reply: Reply;
    readonly undecided: readonly Mailbox[];
    /** Whether the text was on its way whole, so that the server may have taken it. */
    readonly textSent: boolean;
  };
}

export class Connection {
  readonly #session: ClientSession;
  readonly #channel: Channel;
  readonly #verify: boolean;
  #textSent = false;

  private constructor(wire: Wire, options: ConnectionOptions) {
    this.#verify = options.verify === true || options.login !== undefined;
    this.#session = new ClientSession({ ...options, needsTls: this.#verify });
    this.#channel = new Channel(wire, this.#session, options);
  }

  /**
   * Greets, goes over to TLS and logs in, each where wanted; when it resolves a transaction can be
   * sent. Rejects with ChannelError; the wire is closed then.
   */
  static async open(wire: Wire, options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(wire, options);
    try {
      await connection.#greet(options);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Whether another transaction can be sent. */
  get usable(): boolean {
    return this.#session.usable && !this.#channel.interrupted;
  }

  /** Whether the server is still there, as far as is known. */
  get isOpen(): boolean {
    return !this.#session.over && this.#channel.isOpen;
  }

  /** Whether TLS was offered and is not in use. */
  get declinedTls(): boolean {
    return this.#session.offers("STARTTLS") && !this.security;
  }

  /** How the connection is protected, undefined where it is not. */
  get security(): Security | undefined {
    return this.#channel.security;
  }

  /**
   * Sends one message to up to MAX_RECIPIENTS recipients. `text` has lines that end in CR LF; it is
   * read only if the server wants it. Whatever the server does is in the outcome; rejects only with
   * the error of reading the text. The connection is closed then, so the server drops the half.
   */
  async send(envelope: Envelope, text: AsyncIterable<Uint8Array>): Promise<Outcome> {
    if (!this.usable) return neverBegun(envelope);
    this.#session.begin(envelope);
    this.#textSent = false;
    try {
      const { results, remaining } = await this.#transact(text);
      if (this.#session.over) this.close();
      // A server that tires of waiting for the next transaction says so, or closes.
      else this.#channel.listen();
      return { results, remaining };
    } catch (error) {
      const { results, remaining, undecided } = this.#session.abandon();
      this.close();
      if (!(error instanceof ChannelError)) throw error;
      return {
        results,
        remaining,
        broken: { reply: error.reply, undecided, textSent: this.#textSent },
      };
    }
  }

  /** Says goodbye, waits a little for the answer, and closes. Never rejects. */
  async quit(): Promise<void> {
    try {
      if (this.#session.step === "idle" && !this.#session.over) {
        this.#session.quit();
        await this.#channel.event();
      }
    } catch (error) {
      // All that matters is done.
      if (!(error instanceof ChannelError)) throw error;
    } finally {
      this.close();
    }
  }

  /** Closes without a word; what is being sent breaks. */
  close(): void {
    this.#channel.close();
  }

  async #greet({ serverName, implicitTls }: ConnectionOptions): Promise<void> {
    const verify = { verify: this.#verify };
    if (implicitTls) await this.#channel.secure(serverName, verify);
    for (;;) {
      const event = await this.#channel.event();
      switch (event.kind) {
        case "ready":
          return this.#channel.listen();
        case "starttls":
          await this.#channel.secure(serverName, verify);
          this.#session.secured();
          break;
        case "refused":
          throw await this.#leave("refused", event.reply, true);
        case "login refused":
          throw await this.#leave("login", event.reply, true);
        case "unsuitable":
          throw await this.#leave("tls", event.reply, false);
      }
    }
  }

  /** Says goodbye, and returns why. */
  async #leave(kind: ChannelError["kind"], reply: Reply, heard: boolean): Promise<ChannelError> {
    const security = this.security ?? PLAIN;
    await this.quit();
    return new ChannelError(kind, reply, heard, security);
  }

  async #transact(text: AsyncIterable<Uint8Array>) {
    for (;;) {
      const event = await this.#channel.event();
      if (event.kind === "results") return event;
      if (event.kind === "text") await this.#write(text);
    }
  }

  /** Writes the text, or as much of it as the server lets come. */
  async #write(text: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#session.unread) return;
    this.#channel.listen();
    for await (const block of blocksOf(text)) {
      // From here on the server may take it, whether or not it can say so.
      this.#textSent = block.last && !this.#channel.interrupted;
      if (!await this.#channel.write(block)) return;
    }
    this.#session.textSent();
  }
}

/** The security of a connection that has none. */
export const PLAIN: Security = { protocol: "none", verified: false };

function neverBegun({ forwardPaths }: Envelope): Outcome {
  const { reply } = lost("the server closed the connection");
  return {
    results: [],
    remaining: [],
    broken: { reply, undecided: forwardPaths, textSent: false },
  };
}
