/** One message to one server over TCP: bytes between the socket and the sending side of the protocol. */

import { ClientSession, type Envelope, type RecipientResult } from "../smtp/client.ts";
import { TextSender } from "../smtp/transparency.ts";

/** What this needs of a socket. */
export type ClientSocket = Pick<Deno.TcpConn, "read" | "write" | "close">;

export interface Delivery {
  readonly envelope: Envelope;
  /** Lines end in CR LF. */
  readonly text: Uint8Array;
  /** Milliseconds that each read and each write may take. */
  readonly patience: number;
  /** Is shown what goes over the wire, all but the text. */
  readonly observe?: (who: "client" | "server", bytes: Uint8Array) => void;
}

const READ = 4096;

const encoder = new TextEncoder();

/**
 * Sends one message and closes the socket. Resolves with each recipient's result. Rejects with
 * Deno.errors.TimedOut, Deno.errors.UnexpectedEof (the server closed), ReplyError, or what the
 * socket's own errors are; once all recipients have their results nothing that follows counts.
 */
export async function deliver(
  socket: ClientSocket,
  { envelope, text, patience, observe }: Delivery,
): Promise<readonly RecipientResult[]> {
  const session = new ClientSession(envelope);
  const channel = new Channel(socket, patience);
  try {
    for (;;) {
      const bytes = await channel.read();
      observe?.("server", bytes);
      session.feed(bytes);
      for (let event = session.next(); event; event = session.next()) {
        if (event.kind === "done") return event.results;
        const sender = new TextSender();
        for (const piece of [...sender.convert(text), sender.end()]) await channel.write(piece);
        session.textSent();
      }
      const output = encoder.encode(session.takeOutput());
      observe?.("client", output);
      await channel.write(output);
    }
  } catch (error) {
    // A server that does not wait for QUIT, or does not answer it, has done all that matters.
    if (session.results) return session.results;
    throw error;
  } finally {
    channel.close();
  }
}

/** A socket with an end to every wait: closing it is what ends one. */
class Channel {
  readonly #socket: ClientSocket;
  readonly #patience: number;
  readonly #buffer = new Uint8Array(READ);
  #open = true;

  constructor(socket: ClientSocket, patience: number) {
    this.#socket = socket;
    this.#patience = patience;
  }

  async read(): Promise<Uint8Array> {
    const length = await this.#inTime(this.#socket.read(this.#buffer));
    if (length === null) throw new Deno.errors.UnexpectedEof();
    return this.#buffer.subarray(0, length);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#inTime(this.#socket.write(bytes.subarray(at)));
    }
  }

  close(): void {
    if (this.#open) this.#socket.close();
    this.#open = false;
  }

  async #inTime<T>(wait: Promise<T>): Promise<T> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.close();
    }, this.#patience);
    try {
      return await wait;
    } catch (error) {
      throw late ? new Deno.errors.TimedOut() : error;
    } finally {
      clearTimeout(timer);
    }
  }
}
