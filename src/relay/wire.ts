/** Connections to servers: bytes there and back, in plain text or under TLS. */

import * as tls from "node:tls";
import { type Bytes, ByteStream, SecuredBytes } from "../tls/stream.ts";

/** How a connection is protected. */
export interface Security {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string;
  /** Whether the certificate is the server's own, by the authorities this machine trusts. */
  readonly authorized: boolean;
}

/** One connection. */
export interface Wire extends Bytes {
  /** Undefined for plain text. */
  readonly security?: Security;
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
  const stream = new ByteStream(wire);
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

class TlsWire extends SecuredBytes implements Wire {
  readonly security: Security;

  constructor(stream: ByteStream, socket: tls.TLSSocket) {
    super(stream, socket);
    this.security = {
      protocol: socket.getProtocol() ?? "",
      authorized: socket.authorized,
    };
  }

  secure(): Promise<Wire> {
    return Promise.reject(new Error("the connection is under TLS already"));
  }
}
