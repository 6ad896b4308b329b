/** One connection: bytes between the socket and its session, and an end to every wait. */

import type { SecureContext } from "node:tls";
import type { SessionEvent, Transaction } from "../smtp/event.ts";
import * as replies from "../smtp/reply.ts";
import { type Reply, replyText } from "../smtp/reply.ts";
import type { Credentials } from "../smtp/sasl.ts";
import { Session, type SessionOptions } from "../smtp/session.ts";
import { ReadBuffer } from "./buffers.ts";
import { Deadline } from "./deadline.ts";
import type { Backend, Ends } from "./backend.ts";
import { Intake } from "./intake.ts";
import { HandshakeError } from "../tls/handshake_error.ts";
import { LAST_WAIT, lastWait } from "./last_wait.ts";
import { close, isConnectionEnd, type Socket, writeAll } from "./socket.ts";
import { Turns } from "./turns.ts";

/** What a connection needs of a socket that was accepted. */
export type TcpSocket = Socket & Pick<Deno.TcpConn, "setNoDelay">;

/** How a connection may be secured. */
export interface ServerSecurity {
  /** What to do the handshake with, just now. */
  context(): SecureContext;
  /** Whether it begins with the handshake (RFC 8314 3.3). Otherwise STARTTLS is offered. */
  readonly implicit: boolean;
}

/** Milliseconds that a handshake may take at most. */
const HANDSHAKE = 30_000;
/** Why a connection ended, where it was not the client's wish. */
const LEAVING = "shutting down";

const encoder = new TextEncoder();

/** Serves one client from its first byte to its last. */
export class Connection {
  readonly #backend: Backend;
  readonly #ends: Ends;
  readonly #options: SessionOptions;
  readonly #security: ServerSecurity | undefined;
  readonly #tcp: TcpSocket;
  /** The same, or TLS over it. */
  #socket: Socket;
  #session: Session;
  readonly #intake: Intake;
  readonly #deadline: Deadline;
  /** Milliseconds. */
  readonly #handshakeLimit: number;
  readonly #turns = new Turns();
  readonly #buffer = new ReadBuffer();
  #waiting: "to read" | "to write" | "for the handshake" | undefined;
  #leaving: "after the text" | "now" | undefined;
  #lastTimer: ReturnType<typeof setTimeout> | undefined;
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
    this.#socket = this.#tcp = socket;
    this.#backend = backend;
    this.#ends = ends;
    this.#options = options;
    this.#security = security;
    this.#session = new Session({
      ...options,
      ...security ? { tls: security.implicit ? "in use" : "offered" } : {},
    });
    this.#intake = new Intake(backend, ends);
    this.#deadline = new Deadline(timeout, () => this.#timeOut(), backend.waits);
    this.#handshakeLimit = Math.min(HANDSHAKE, timeout * 1000);
  }

  /** Serves the client until either side ends; never rejects. The socket is closed then. */
  async run(): Promise<void> {
    const { log } = this.#backend;
    const { peer } = this.#ends;
    log.info("connection accepted", { peer });
    try {
      // A reply is one write and the client waits for it: nothing is gained by holding it back.
      this.#tcp.setNoDelay();
      if (this.#security?.implicit) await this.#handshake(this.#security);
      await this.#serve();
    } catch (error) {
      if (error instanceof HandshakeError) this.#handshakeFailed(error);
      else if (!isConnectionEnd(error)) await this.#giveUp(error);
      // After the last reply it does not matter how the peer leaves.
      else if (!this.#session.closed) this.#reason ??= "connection lost";
    } finally {
      this.#deadline.cancel();
      this.#waiting = undefined;
      await this.#intake.drop();
      clearTimeout(this.#lastTimer);
      this.#buffer.release();
      close(this.#socket);
      log.info("connection closed", { peer, reason: this.#reason });
    }
  }

  /** Ends the connection with 421 as soon as no text is coming in (RFC 5321 3.8). */
  stop(): void {
    this.#leaving = "after the text";
    if (this.#waiting && this.#waiting !== "to write" && this.#mustLeave()) this.#shutDown();
  }

  /**
   * Ends the connection with 421 now; a text that is coming in is lost to its sender's next try.
   * Only one that has come in whole is still stored and answered.
   */
  abort(): void {
    this.#leaving = "now";
    if (this.#waiting) this.#shutDown();
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
      const bytes = await this.#read();
      if (!bytes) {
        this.#reason ??= "closed by the client";
        // TLS has an end of its own, without which the client cannot know that it has heard all.
        return await lastWait(this.#socket);
      }
      if (session.closed) continue;
      this.#turns.begin();
      session.feed(bytes);
      // A wait for what is known already costs as much as what it waits for.
      for (let event = session.next(); event; event = session.next()) {
        const handled = this.#handle(event);
        if (handled) await handled;
      }
      const othersTurn = this.#turns.end();
      if (othersTurn) await othersTurn;
    }
  }

  /** After the last reply. A client that has said goodbye, and nothing since, comes to read it. */
  async #end({ parted }: Session): Promise<void> {
    // TLS has an end of its own to say.
    if (!parted || this.#socket !== this.#tcp) await lastWait(this.#socket);
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
        return this.#pause();
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
    this.#turns.waited();
    if (!this.#session.closed) this.#session.answer(reply);
  }

  async #store(transaction: Transaction, size: number): Promise<void> {
    // Nothing that is known already waits for the disk.
    await this.#flush();
    const reply = await this.#intake.end(transaction, size);
    this.#turns.waited();
    if (!this.#session.closed) this.#session.answer(reply);
  }

  #tellRefused(what: string, reply: Reply): undefined {
    const { peer } = this.#ends;
    if (reply.code === 421) this.#reason = "turned out";
    this.#backend.log.info("command refused", { peer, what, reply: replyText(reply) });
  }

  async #pause(): Promise<void> {
    await this.#turns.end();
    this.#turns.begin();
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
    const socket = this.#socket;
    const timer = setTimeout(() => {
      this.#reason = "timed out";
      close(socket);
    }, this.#handshakeLimit);
    this.#waiting = "for the handshake";
    try {
      // Loaded for those who need it: many daemons have no certificate.
      const { SecuredSocket } = await import("./secured_socket.ts");
      const secured = await SecuredSocket.accept(socket, context());
      this.#socket = secured;
      this.#intake.secured(secured.tls);
    } finally {
      clearTimeout(timer);
      this.#wait(undefined);
    }
  }

  #handshakeFailed({ message }: HandshakeError): void {
    this.#reason ??= "handshake failed";
    this.#backend.log.info("handshake failed", { peer: this.#ends.peer, error: message });
  }

  /** The next bytes, undefined at their end. */
  async #read(): Promise<Uint8Array | undefined> {
    const { inText } = this.#session;
    const buffer = this.#buffer.for(inText ? "a text" : "a command");
    this.#wait("to read");
    const length = await this.#socket.read(buffer);
    this.#wait(undefined);
    if (length === null) return undefined;
    // Who sends too much has the time of one silence to come to an end.
    if (inText && !this.#session.inVain) this.#deadline.earn(length);
    return buffer.subarray(0, length);
  }

  /** All replies there are, in one write; a promise where there are any. */
  #flush(): Promise<void> | undefined {
    const output = this.#session.takeOutput();
    return output === "" ? undefined : this.#write(encoder.encode(output));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#wait("to write");
    await writeAll(this.#socket, bytes);
    this.#wait(undefined);
  }

  #wait(what: "to read" | "to write" | undefined): void {
    this.#waiting = what;
    const { inLine, inText } = this.#session;
    if (!what) this.#deadline.end();
    // A command line has one deadline, however its bytes trickle in (RFC 5321 4.5.3.2.7).
    else if (what === "to read" && (inLine || inText)) this.#deadline.goOn();
    else this.#deadline.begin();
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
    this.#deadline.cancel();
    const over = this.#session.closed;
    this.#session.end(reply);
    // A peer that does not read will not read this either, and in a handshake nothing can be said.
    if (this.#waiting !== "to read") return close(this.#socket);
    if (over) return;
    const farewell = encoder.encode(this.#session.takeOutput());
    // The peer's close, or this timer, ends the wait to read.
    this.#lastTimer = setTimeout(() => close(this.#socket), LAST_WAIT);
    writeAll(this.#socket, farewell).then(() => this.#socket.closeWrite()).catch(() => {
      close(this.#socket);
    });
  }
}
