/** One connection: bytes between the socket and its session, and what the session asks for. */

import type { SecureContext } from "node:tls";
import type { SessionEvent, Transaction } from "../smtp/event.ts";
import * as replies from "../smtp/reply.ts";
import { type Reply, replyText } from "../smtp/reply.ts";
import type { Credentials } from "../smtp/sasl.ts";
import { Session, type SessionOptions } from "../smtp/session.ts";
import type { Backend, Ends } from "./backend.ts";
import { ClientSocket, type TcpSocket } from "./client_socket.ts";
import { Intake } from "./intake.ts";
import { HandshakeError } from "../tls/handshake_error.ts";
import { octetsOf } from "./octets.ts";
import { isConnectionEnd } from "./socket.ts";

/** How a connection may be secured. */
export interface ServerSecurity {
  /** What to do the handshake with, just now. */
  context(): SecureContext;
  /** Whether it begins with the handshake (RFC 8314 3.3). Otherwise STARTTLS is offered. */
  readonly implicit: boolean;
}

/** Why a connection ended, where it was not the client's wish. */
const LEAVING = "shutting down";

/** Serves one client from its first byte to its last. */
export class Connection {
  readonly #backend: Backend;
  readonly #ends: Ends;
  readonly #options: SessionOptions;
  readonly #security: ServerSecurity | undefined;
  readonly #socket: ClientSocket;
  #session: Session;
  readonly #intake: Intake;
  #leaving: "after the text" | "now" | undefined;
  /** Why this side ended the connection, for the log. */
  #reason: string | undefined;

  /** `timeout` is in seconds. Without `security` there is no TLS. */
  constructor(
    socket: TcpSocket,
    ends: Ends,
    options: Omit<SessionOptions, "tls">,
    timeout: number,
    backend: Backend,
    security?: ServerSecurity,
  ) {
    this.#socket = new ClientSocket(socket, timeout, () => this.#timeOut(), backend.waits);
    this.#backend = backend;
    this.#ends = ends;
    this.#options = options;
    this.#security = security;
    this.#session = new Session({
      ...options,
      ...security ? { tls: security.implicit ? "in use" : "offered" } : {},
    });
    this.#intake = new Intake(backend, ends);
  }

  /** Serves the client until either side ends; never rejects. The socket is closed then. */
  async run(): Promise<void> {
    const { log } = this.#backend;
    const { peer } = this.#ends;
    log.info("connection accepted", { peer });
    try {
      this.#socket.hurry();
      if (this.#security?.implicit) await this.#handshake(this.#security);
      await this.#serve();
    } catch (error) {
      if (error instanceof HandshakeError) this.#handshakeFailed(error);
      else if (!isConnectionEnd(error)) await this.#giveUp(error);
      // After the last reply it does not matter how the peer leaves.
      else if (!this.#session.closed) this.#reason ??= "connection lost";
    } finally {
      this.#socket.end();
      const dropped = this.#intake.drop();
      if (dropped) await dropped;
      this.#socket.close();
      log.info("connection closed", { peer, reason: this.#reason });
    }
  }

  /** Ends the connection with 421 as soon as no text is coming in (RFC 5321 3.8). */
  stop(): void {
    this.#leaving = "after the text";
    const { waiting } = this.#socket;
    if (waiting && waiting !== "to write" && this.#mustLeave()) this.#shutDown();
  }

  /**
   * Ends the connection with 421 now; a text that is coming in is lost to its sender's next try.
   * Only one that has come in whole is still stored and answered.
   */
  abort(): void {
    this.#leaving = "now";
    if (this.#socket.waiting) this.#shutDown();
  }

  #mustLeave(): boolean {
    return this.#leaving === "now" ||
      this.#leaving === "after the text" && !this.#session.inText;
  }

  #shutDown(): void {
    this.#reason ??= LEAVING;
    this.#cutOff(replies.shuttingDown(this.#backend.host));
  }

  async #serve(): Promise<void> {
    for (;;) {
      // After the handshake it is another one.
      const session = this.#session;
      if (this.#mustLeave() && !session.closed) {
        this.#reason = LEAVING;
        session.end(replies.shuttingDown(this.#backend.host));
      }
      const flushed = this.#flush();
      if (flushed) await flushed;
      if (session.closed) return await this.#end(session);
      // Told to leave while the replies were being written.
      if (this.#mustLeave()) continue;
      const bytes = await this.#socket.read(session);
      if (!bytes) {
        this.#reason ??= "closed by the client";
        // TLS has an end of its own, without which the client cannot know that it has heard all.
        return await this.#socket.leave();
      }
      if (session.closed) continue;
      session.feed(bytes);
      // A wait for what is known already costs as much as what it waits for.
      for (let event = session.next(); event; event = session.next()) {
        const handled = this.#handle(event);
        if (handled) await handled;
      }
      const othersTurn = this.#socket.othersTurn();
      if (othersTurn) await othersTurn;
    }
  }

  /** After the last reply. A client that has said goodbye, and nothing since, comes to read it. */
  async #end({ parted }: Session): Promise<void> {
    // TLS has an end of its own to say.
    if (!parted || this.#socket.isSecured) await this.#socket.leave();
  }

  /** A promise where that takes a while. */
  #handle(event: SessionEvent): Promise<void> | undefined {
    switch (event.kind) {
      case "login":
        return this.#logIn(event.credentials);
      case "mail":
        return this.#answer(this.#intake.begin(event.transaction));
      case "recipient":
        return this.#answer(this.#intake.recipient(event.forwardPath));
      case "data":
        return this.#answer(this.#intake.data(event.transaction));
      case "text":
        return this.#intake.text(event.bytes);
      case "end":
        return this.#store(event.transaction, event.size);
      case "dropped":
        return this.#intake.drop();
      case "refused":
        return this.#tellRefused(event.what, event.reply);
      case "starttls":
        return this.#startTls(event.discarded);
      case "output":
        return this.#flush();
      case "pause":
        return this.#socket.othersTurn();
      case "close":
        return undefined;
    }
  }

  #answer(reply: Reply | Promise<Reply>): Promise<void> | undefined {
    if (!("then" in reply)) return void this.#session.answer(reply);
    return reply.then((decided) => {
      if (!this.#session.closed) this.#session.answer(decided);
    });
  }

  async #logIn(credentials: Credentials): Promise<void> {
    const reply = await this.#intake.login(credentials);
    if (reply.code === 421) this.#reason ??= "turned out";
    this.#socket.hadWait();
    if (!this.#session.closed) this.#session.answer(reply);
  }

  async #store(transaction: Transaction, size: number): Promise<void> {
    // Nothing that is known already waits for the disk.
    await this.#flush();
    const reply = await this.#intake.end(transaction, size);
    this.#socket.hadWait();
    if (!this.#session.closed) this.#session.answer(reply);
  }

  #tellRefused(what: string, reply: Reply): undefined {
    const { peer } = this.#ends;
    if (reply.code === 421) this.#reason = "turned out";
    this.#backend.log.info("command refused", { peer, what, reply: replyText(reply) });
  }

  async #startTls(discarded: number): Promise<void> {
    if (discarded > 0) {
      this.#backend.log.warn("clear text discarded", { peer: this.#ends.peer, octets: discarded });
    }
    await this.#flush();
    // Told to leave meanwhile: a client that waits for a handshake can be told nothing.
    if (this.#mustLeave()) return void (this.#reason ??= LEAVING);
    await this.#handshake(this.#security!);
    // Nothing of the session before it counts any more (RFC 3207 4.2).
    this.#session = new Session({ ...this.#options, tls: "in use", greeted: true });
  }

  /** Rejects with HandshakeError; the socket is closed then. */
  async #handshake({ context }: ServerSecurity): Promise<void> {
    const tls = await this.#socket.secure(context(), () => this.#reason = "timed out");
    this.#intake.secured(tls);
  }

  #handshakeFailed({ message }: HandshakeError): void {
    this.#reason ??= "handshake failed";
    this.#backend.log.info("handshake failed", { peer: this.#ends.peer, error: message });
  }

  /** All replies there are, in one write; a promise where there are any. */
  #flush(): Promise<void> | undefined {
    const output = this.#session.takeOutput();
    return output === "" ? undefined : this.#socket.write(octetsOf(output));
  }

  #timeOut(): void {
    this.#reason = "timed out";
    this.#backend.log.info("connection timed out", { peer: this.#ends.peer });
    this.#cutOff(replies.timedOut(this.#backend.host));
  }

  /** An error that should not be: the client hears that, and nothing about it. */
  async #giveUp(error: unknown): Promise<void> {
    this.#reason = "internal error";
    this.#backend.log.error("connection failed", { peer: this.#ends.peer, error: String(error) });
    this.#session.end(replies.internalError(this.#backend.host));
    await this.#flush()?.catch(() => {});
  }

  /** Says a last word from outside of what `run` waits for, and sees to it that the wait ends. */
  #cutOff(reply: Reply): void {
    const over = this.#session.closed;
    this.#session.end(reply);
    this.#socket.cutOff(over ? undefined : octetsOf(this.#session.takeOutput()));
  }
}
