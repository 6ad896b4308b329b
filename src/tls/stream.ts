/** A connection's bytes as node:tls wants them, and what it makes of them as bytes again. */

import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";

/** Bytes there and back. Whatever breaks them, reading and writing reject from then on. */
export interface Bytes {
  /** The next ones, null at their end; good until the next read. One read at a time. */
  read(): Promise<Uint8Array | null>;
  /** Resolves when all of them are handed over. One write at a time. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends every pending read and write. Closing twice is no error. */
  close(): void;
}

/**
 * What node:tls reads from and writes to. TLS takes in whatever it is given, read or not, so it is
 * given no more than is wanted: what a peer sends unasked stays with the peer.
 */
export class ByteStream extends Duplex {
  readonly #bytes: Bytes;
  /** The handshake wants all. */
  #wanted = true;
  #held = false;

  constructor(bytes: Bytes) {
    super();
    this.#bytes = bytes;
  }

  /** Whether somebody waits for bytes. */
  want(wanted: boolean): void {
    this.#wanted = wanted;
    if (!wanted || !this.#held) return;
    this.#held = false;
    this._read();
  }

  override _read(): void {
    this.#held = !this.#wanted;
    if (this.#held) return;
    this.#bytes.read().then(
      // The buffer is used again.
      (bytes) => this.push(bytes && Buffer.from(bytes)),
      (error) => this.destroy(error),
    );
  }

  override _write(bytes: Buffer, _: string, done: (error?: Error | null) => void): void {
    this.#bytes.write(bytes).then(() => done(), done);
  }

  override _final(done: () => void): void {
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#bytes.close();
    done(error);
  }
}

/** What goes through a TLS socket whose handshake is done, and that stands on `stream`. */
export class SecuredBytes implements Bytes {
  readonly #stream: ByteStream;
  readonly #socket: TLSSocket;
  readonly #chunks: AsyncIterator<Buffer>;

  constructor(stream: ByteStream, socket: TLSSocket) {
    this.#stream = stream;
    this.#stream.want(false);
    this.#socket = socket;
    // The end of what comes is not the end of what goes.
    this.#chunks = socket.iterator({ destroyOnReturn: false });
  }

  async read(): Promise<Uint8Array | null> {
    this.#stream.want(true);
    try {
      const { done, value } = await this.#chunks.next();
      return done ? null : value;
    } finally {
      this.#stream.want(false);
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => {
        if (!error && !this.#socket.destroyed) return resolve();
        reject(error ?? new Error("the connection was closed"));
      });
    });
  }

  /** Tells the peer that nothing more is written. Reading goes on. */
  end(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(resolve));
  }

  close(): void {
    this.#socket.destroy();
    this.#stream.destroy();
  }
}
