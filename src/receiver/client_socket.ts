/** A client's socket: an end to every wait for the client, and turns for the others between them. */

import type { SecureContext } from "node:tls";
import { type Clock, steadyClock } from "../clock.ts";
import type { Session } from "../smtp/session.ts";
import type { TlsFacts } from "../tls/server.ts";
import { ReadBuffer } from "./buffers.ts";
import { Deadline } from "./deadline.ts";
import { LAST_WAIT, lastWait } from "./last_wait.ts";
import { close, type Socket, writeAll } from "./socket.ts";
import { Turns } from "./turns.ts";

/** What is needed of a socket that was accepted. */
export type TcpSocket = Socket & Pick<Deno.TcpConn, "setNoDelay">;

/** What the client is waited for. */
type Wait = "to read" | "to write" | "for the handshake";

/** What a client has begun to say, and whether it is for nothing. */
type Begun = Pick<Session, "inLine" | "inText" | "inVain">;

/** Milliseconds that a handshake may take at most. */
const HANDSHAKE = 30_000;

export class ClientSocket {
  readonly #tcp: TcpSocket;
  /** The same, or TLS over it. */
  #socket: Socket;
  readonly #clock: Clock;
  readonly #deadline: Deadline;
  /** Milliseconds. */
  readonly #handshakeLimit: number;
  readonly #turns = new Turns();
  readonly #buffer = new ReadBuffer();
  #waiting: Wait | undefined;
  /** Where the last wait or the work after it has ended, and the next bytes begin to be waited for. */
  #now: number;
  #lastTimer: ReturnType<typeof setTimeout> | undefined;

  /** `timeout` is in seconds; `timedOut` is called once, when the client has been waited for so long. */
  constructor(tcp: TcpSocket, timeout: number, timedOut: () => void, clock: Clock = steadyClock) {
    this.#socket = this.#tcp = tcp;
    this.#clock = clock;
    this.#now = clock.now();
    this.#deadline = new Deadline(timeout, timedOut, clock);
    this.#handshakeLimit = Math.min(HANDSHAKE, timeout * 1000);
  }

  /** What for, while there is a wait for the client. */
  get waiting(): Wait | undefined {
    return this.#waiting;
  }

  get isSecured(): boolean {
    return this.#socket !== this.#tcp;
  }

  /** A reply is one write and the client waits for it: nothing is gained by holding it back. */
  hurry(): void {
    this.#tcp.setNoDelay();
  }

  /** The next bytes, valid until the next `read`; undefined at their end. */
  async read(begun: Begun): Promise<Uint8Array | undefined> {
    const { inLine, inText } = begun;
    const buffer = this.#buffer.for(inText ? "a text" : "a command");
    this.#waiting = "to read";
    // A command line has one deadline, however its bytes trickle in (RFC 5321 4.5.3.2.7).
    if (inLine || inText) this.#deadline.goOn(this.#now);
    else this.#deadline.begin(this.#now);
    const length = await this.#socket.read(buffer);
    this.#waited();
    this.#turns.begin(this.#now);
    if (length === null) return undefined;
    // Who sends too much has the time of one silence to come to an end.
    if (inText && !begun.inVain) this.#deadline.earn(length);
    return buffer.subarray(0, length);
  }

  /** Returns when all of it is taken. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#waiting = "to write";
    this.#deadline.begin(this.#clock.now());
    const written = await this.#socket.write(bytes);
    if (written < bytes.length) await writeAll(this.#socket, bytes.subarray(written));
    this.#waited();
  }

  /** Does the handshake. Rejects with HandshakeError; `late` is called before it takes too long. */
  async secure(context: SecureContext, late: () => void): Promise<TlsFacts> {
    const socket = this.#socket;
    const timer = setTimeout(() => {
      late();
      close(socket);
    }, this.#handshakeLimit);
    this.#waiting = "for the handshake";
    try {
      // Loaded for those who need it: many daemons have no certificate.
      const { SecuredSocket } = await import("./secured_socket.ts");
      const secured = await SecuredSocket.accept(socket, context);
      this.#socket = secured;
      return secured.tls;
    } finally {
      clearTimeout(timer);
      this.#waited();
    }
  }

  /** What was read is worked off, or some of it; a promise where it is the others' turn. */
  othersTurn(): Promise<void> | undefined {
    this.#now = this.#clock.now();
    return this.#turns.end(this.#now)?.then(() => this.hadWait());
  }

  /** There was a real wait in between, for a disk or the like. */
  hadWait(): void {
    this.#now = this.#clock.now();
    this.#turns.waited(this.#now);
  }

  /** Ends this side, and waits for the client to come and see that. */
  leave(): Promise<void> {
    return lastWait(this.#socket);
  }

  /** Says a last word, if any, from outside of what is waited for, and sees to it that the wait ends. */
  cutOff(farewell: Uint8Array | undefined): void {
    this.#deadline.cancel();
    const socket = this.#socket;
    // A peer that does not read will not read this either, and in a handshake nothing can be said.
    if (this.#waiting !== "to read") return close(socket);
    if (!farewell) return;
    // The peer's close, or this timer, ends the wait to read.
    this.#lastTimer = setTimeout(() => close(socket), LAST_WAIT);
    writeAll(socket, farewell).then(() => socket.closeWrite()).catch(() => close(socket));
  }

  /** No wait counts any more. */
  end(): void {
    this.#deadline.cancel();
    this.#waiting = undefined;
  }

  close(): void {
    clearTimeout(this.#lastTimer);
    this.#buffer.release();
    close(this.#socket);
  }

  /** A wait is over; from here on the time is this side's own. */
  #waited(): void {
    this.#waiting = undefined;
    this.#now = this.#clock.now();
    this.#deadline.end(this.#now);
  }
}
