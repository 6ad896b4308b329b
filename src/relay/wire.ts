/** Connections to servers: bytes there and back, in plain text or under TLS. */

import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import * as tls from "node:tls";

/** How a connection is protected. */
export interface Security {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string;
  /** Whether the certificate is the server's own, by the authorities this machine trusts. */
  readonly authorized: boolean;
}

/** One connection. Whatever breaks it, reading and writing reject from then on. */
export interface Wire {
  /** Undefined for plain text. */
  readonly security?: Security;
  /** The next bytes, null at their end; good until the next read. One read at a time. */
  read(): Promise<Uint8Array | null>;
  /** Resolves when all of it is handed over. One write at a time. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends every pending read and write. Closing twice is no error. */
  close(): void;
  /**
   * Does the handshake as TLS client, with no read or write pending; from then on only what this
   * resolves with may be used. Rejects where the handshake fails, or is ended by `close`.
   */
  secure(name: string): Promise<Wire>;
}

/** Opens connections. */
export interface Dialer {
  /** `address` may also be a name that the system knows. Rejects with what the system says, or the signal's reason. */
  connect(address: string, port: number, signal: AbortSignal): Promise<Wire>;
}

/** Opens TCP connections. */
export class TcpDialer implements Dialer {
  async connect(address: string, port: number, signal: AbortSignal): Promise<Wire> {
    const conn = await Deno.connect({ hostname: address, port, signal });
    // Writes are whole commands and large blocks: nothing is gained by holding one back.
    conn.setNoDelay();
    return new TcpWire(conn);
  }
}

const READ = 4096;

/** A TCP connection in plain text. */
export class TcpWire implements Wire {
  readonly #conn: Deno.TcpConn;
  readonly #buffer = new Uint8Array(READ);
  #open = true;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  async read(): Promise<Uint8Array | null> {
    const length = await this.#conn.read(this.#buffer);
    return length === null ? null : this.#buffer.subarray(0, length);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  close(): void {
    if (this.#open) this.#conn.close();
    this.#open = false;
  }

  secure(name: string): Promise<Wire> {
    return secure(this, name);
  }
}

const IP_ADDRESS = /^[0-9.]+$|:/;

/** TLS over a wire, with whatever certificate: who cannot be verified is still not overheard. */
function secure(wire: Wire, name: string): Promise<Wire> {
  const stream = new WireStream(wire);
  const socket = tls.connect({
    socket: stream,
    // A server name is never an address (RFC 6066 3).
    ...(IP_ADDRESS.test(name) ? {} : { servername: name }),
    rejectUnauthorized: false,
    minVersion: "TLSv1.2",
  });
  const { promise, resolve, reject } = Promise.withResolvers<Wire>();
  socket.once("secureConnect", () => resolve(new TlsWire(stream, socket)));
  // Stays: an error after the handshake shows in the reads and writes, and must have a listener.
  socket.on("error", reject);
  socket.once("close", () => reject(new Error("the connection was closed in the handshake")));
  return promise;
}

class TlsWire implements Wire {
  readonly security: Security;
  readonly #stream: WireStream;
  readonly #socket: tls.TLSSocket;
  readonly #chunks: AsyncIterator<Buffer>;

  constructor(stream: WireStream, socket: tls.TLSSocket) {
    this.#stream = stream;
    this.#stream.want(false);
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]();
    this.security = {
      protocol: socket.getProtocol() ?? "",
      authorized: socket.authorized,
    };
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

  close(): void {
    this.#socket.destroy();
    this.#stream.destroy();
  }

  secure(): Promise<Wire> {
    return Promise.reject(new Error("the connection is under TLS already"));
  }
}

/**
 * A wire as node:tls wants it. TLS takes in whatever it is given, read or not, so it is given no more
 * than is wanted: what a server sends unasked stays with the server.
 */
class WireStream extends Duplex {
  readonly #wire: Wire;
  /** The handshake wants all. */
  #wanted = true;
  #held = false;

  constructor(wire: Wire) {
    super();
    this.#wire = wire;
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
    this.#wire.read().then(
      // The wire's buffer is used again.
      (bytes) => this.push(bytes && Buffer.from(bytes)),
      (error) => this.destroy(error),
    );
  }

  override _write(bytes: Buffer, _: string, done: (error?: Error | null) => void): void {
    this.#wire.write(bytes).then(() => done(), done);
  }

  override _final(done: () => void): void {
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#wire.close();
    done(error);
  }
}
