/** One connection: bytes between the socket and its session, and an end to every wait. */

import type { SessionEvent } from "../smtp/event.ts";
import * as replies from "../smtp/reply.ts";
import { type Reply, replyText } from "../smtp/reply.ts";
import { Session, type SessionOptions } from "../smtp/session.ts";
import { borrowBuffer, returnBuffer } from "./buffers.ts";
import { Deadline } from "./deadline.ts";
import { type Backend, type Ends, Intake } from "./intake.ts";
import { Turns } from "./turns.ts";

/** What a connection needs of a socket. */
export type Socket = Pick<
  Deno.TcpConn,
  "read" | "write" | "close" | "closeWrite" | "setNoDelay"
>;

/** Commands are short; a text gets a larger buffer while it lasts. */
const COMMAND_BUFFER = 2 * 1024;
/** Milliseconds given to the peer to take the last reply and close. */
const LAST_WAIT = 1000;
/** Why a connection ended, where it was not the client's wish. */
const LEAVING = "shutting down";

const encoder = new TextEncoder();

export class Connection {
  readonly #socket: Socket;
  readonly #backend: Backend;
  readonly #ends: Ends;
  readonly #session: Session;
  readonly #intake: Intake;
  readonly #deadline: Deadline;
  readonly #turns = new Turns();
  readonly #commandBuffer = new Uint8Array(COMMAND_BUFFER);
  #textBuffer: Uint8Array<ArrayBuffer> | undefined;
  #waiting: "to read" | "to write" | undefined;
  #leaving: "after the text" | "now" | undefined;
  #lastTimer: ReturnType<typeof setTimeout> | undefined;
  /** Why this side ended the connection, for the log. */
  #reason: string | undefined;

  /** `timeout` is in seconds. */
  constructor(
    socket: Socket,
    ends: Ends,
    options: SessionOptions,
    timeout: number,
    backend: Backend,
  ) {
    this.#socket = socket;
    this.#backend = backend;
    this.#ends = ends;
    this.#session = new Session(options);
    this.#intake = new Intake(backend, ends);
    this.#deadline = new Deadline(timeout, () => this.#timeOut());
  }

  /** Serves the client until either side ends; never rejects. The socket is closed then. */
  async run(): Promise<void> {
    const { log } = this.#backend;
    const { peer } = this.#ends;
    log.info("connection accepted", { peer });
    try {
      await this.#serve();
    } catch (error) {
      if (!isConnectionEnd(error)) await this.#giveUp(error);
      // After the last reply it does not matter how the peer leaves.
      else if (!this.#session.closed) this.#reason ??= "connection lost";
    } finally {
      this.#deadline.cancel();
      this.#waiting = undefined;
      await this.#intake.drop();
      clearTimeout(this.#lastTimer);
      if (this.#textBuffer) returnBuffer(this.#textBuffer);
      close(this.#socket);
      log.info("connection closed", { peer, reason: this.#reason });
    }
  }

  /** Ends the connection with 421 as soon as no text is coming in (RFC 5321 3.8). */
  stop(): void {
    this.#leaving = "after the text";
    if (this.#waiting === "to read" && this.#mustLeave()) this.#shutDown();
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
    const session = this.#session;
    // A reply is one write and the client waits for it: nothing is gained by holding it back.
    this.#socket.setNoDelay();
    for (;;) {
      if (this.#mustLeave() && !session.closed) {
        this.#reason = LEAVING;
        session.end(replies.shuttingDown(this.#backend.host));
      }
      await this.#flush();
      if (session.closed) return await this.#lastWait();
      // Told to leave while the replies were being written.
      if (this.#mustLeave()) continue;
      const bytes = await this.#read();
      if (!bytes) {
        this.#reason ??= "closed by the client";
        return;
      }
      if (session.closed) continue;
      this.#turns.begin();
      session.feed(bytes);
      for (let event = session.next(); event; event = session.next()) await this.#handle(event);
      await this.#turns.end();
    }
  }

  async #handle(event: SessionEvent): Promise<void> {
    const session = this.#session;
    switch (event.kind) {
      case "mail":
        return session.answer(this.#intake.begin(event.transaction));
      case "recipient":
        return session.answer(this.#intake.recipient(event.forwardPath));
      case "data":
        return session.answer(await this.#intake.data(event.transaction));
      case "text":
        await this.#intake.text(event.bytes);
        return;
      case "end": {
        // Nothing that is known already waits for the disk.
        await this.#flush();
        const reply = await this.#intake.end(event.transaction, event.size);
        this.#turns.waited();
        if (!session.closed) session.answer(reply);
        return;
      }
      case "dropped":
        return await this.#intake.drop();
      case "refused": {
        const { peer } = this.#ends;
        const { what, reply } = event;
        if (reply.code === 421) this.#reason = "turned out";
        return this.#backend.log.info("command refused", { peer, what, reply: replyText(reply) });
      }
      case "output":
        return await this.#flush();
      case "close":
        return;
    }
  }

  /** The next bytes, undefined at their end. */
  async #read(): Promise<Uint8Array | undefined> {
    const buffer = this.#buffer();
    this.#wait("to read");
    const length = await this.#socket.read(buffer);
    this.#wait(undefined);
    return length === null ? undefined : buffer.subarray(0, length);
  }

  #buffer(): Uint8Array<ArrayBuffer> {
    if (this.#session.inText) return this.#textBuffer ??= borrowBuffer();
    if (this.#textBuffer) returnBuffer(this.#textBuffer);
    this.#textBuffer = undefined;
    return this.#commandBuffer;
  }

  /** All replies there are, in one write. */
  async #flush(): Promise<void> {
    const output = this.#session.takeOutput();
    if (output === "") return;
    this.#wait("to write");
    await writeAll(this.#socket, encoder.encode(output));
    this.#wait(undefined);
  }

  #wait(what: "to read" | "to write" | undefined): void {
    this.#waiting = what;
    // A command line has one deadline, however its bytes trickle in (RFC 5321 4.5.3.2.7).
    if (what) this.#deadline.begin(what === "to read" && this.#session.inLine);
    else this.#deadline.end();
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
    await this.#flush().catch(() => {});
  }

  /** Says a last word from outside of what `run` waits for, and sees to it that the wait ends. */
  #cutOff(reply: Reply): void {
    this.#deadline.cancel();
    const over = this.#session.closed;
    this.#session.end(reply);
    // A peer that does not read will not read this either.
    if (this.#waiting === "to write") return close(this.#socket);
    if (over) return;
    const farewell = encoder.encode(this.#session.takeOutput());
    // The peer's close, or this timer, ends the wait to read.
    this.#lastTimer = setTimeout(() => close(this.#socket), LAST_WAIT);
    writeAll(this.#socket, farewell).then(() => this.#socket.closeWrite()).catch(() => {
      close(this.#socket);
    });
  }

  /**
   * Lets the peer see the last reply: closing while something of its is unread would reset the
   * connection and take the reply with it.
   */
  async #lastWait(): Promise<void> {
    await this.#socket.closeWrite();
    const timer = setTimeout(() => close(this.#socket), LAST_WAIT);
    try {
      while (await this.#socket.read(this.#commandBuffer) !== null);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Tells a client that is not let in why, and closes; a client that is gone already is no error. */
export async function turnAway(socket: Socket, reply: Reply): Promise<void> {
  const timer = setTimeout(() => close(socket), LAST_WAIT);
  try {
    await writeAll(socket, encoder.encode(replies.encodeReply(reply)));
    await socket.closeWrite();
    const rest = new Uint8Array(512);
    while (await socket.read(rest) !== null);
  } catch (error) {
    if (!isConnectionEnd(error)) throw error;
  } finally {
    clearTimeout(timer);
    close(socket);
  }
}

async function writeAll(socket: Socket, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
}

function close(socket: Socket): void {
  try {
    socket.close();
  } catch (error) {
    // Closed already, by the deadline or by us.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** A connection that the peer breaks or the deadline closes ends in one of these. */
function isConnectionEnd(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.TimedOut ||
    error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.UnexpectedEof;
}
