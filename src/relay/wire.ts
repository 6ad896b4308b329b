/** Connections to servers: bytes there and back, in plain text or under TLS. */

import * as tls from "node:tls";
import type { Security } from "../queue/envelope.ts";
import { canonicalIp } from "../smtp/ip.ts";
import { type Bytes, ByteStream, SecuredBytes } from "../tls/stream.ts";
import { judgesCertificates, NO_JUDGEMENT } from "../tls/support.ts";

export type { Security };

/** How a handshake is done. */
export interface SecureOptions {
  /** Whether it fails where the certificate is not valid for the name. */
  readonly verify: boolean;
}

/** One connection. */
export interface Wire extends Bytes {
  /** Undefined for plain text. */
  readonly security?: Security;
  /**
   * Does the handshake as TLS client, with no read or write pending; from then on only what this
   * resolves with may be used. `name` is the server's domain name or address; unless told, its
   * certificate is judged but may be any. Rejects where the handshake fails, or is ended by `close`.
   */
  secure(name: string, options?: SecureOptions): Promise<Wire>;
}

/** Opens connections. */
export interface Dialer {
  /** `address` may also be a name that the system knows. Rejects with what the system says, or the signal's reason. */
  connect(address: string, port: number, signal: AbortSignal): Promise<Wire>;
}

/** Opens TCP connections. */
export class TcpDialer implements Dialer {
  readonly #ca: readonly string[] | undefined;

  /**
   * `ca` are the authorities to trust, as PEM, instead of Deno's: its own copy of Mozilla's list, not
   * this machine's store, unless its environment says otherwise.
   */
  constructor({ ca }: { readonly ca?: readonly string[] } = {}) {
    this.#ca = ca;
  }

  async connect(address: string, port: number, signal: AbortSignal): Promise<Wire> {
    const conn = await Deno.connect({ hostname: address, port, signal });
    // Writes are whole commands and large blocks: nothing is gained by holding one back.
    conn.setNoDelay();
    return new TcpWire(conn, this.#ca);
  }
}

const READ = 4096;

/** A TCP connection in plain text. */
class TcpWire implements Wire {
  readonly #conn: Deno.TcpConn;
  readonly #ca: readonly string[] | undefined;
  readonly #buffer = new Uint8Array(READ);
  #open = true;

  /** `ca` are the authorities to trust, where not Deno's. */
  constructor(conn: Deno.TcpConn, ca?: readonly string[]) {
    this.#conn = conn;
    this.#ca = ca;
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

  secure(name: string, { verify }: SecureOptions = { verify: false }): Promise<Wire> {
    // It would be called done, whoever is there.
    if (verify && !judgesCertificates) return Promise.reject(new Error(NO_JUDGEMENT));
    const stream = new ByteStream(this);
    const socket = tls.connect({
      socket: stream,
      // A server name is never an address (RFC 6066 3).
      ...canonicalIp(name) !== undefined ? { host: name } : { servername: name },
      // Without that whatever certificate does: who cannot be verified is still not overheard.
      rejectUnauthorized: verify,
      checkServerIdentity,
      minVersion: "TLSv1.2",
      ...this.#ca ? { ca: [...this.#ca] } : {},
    });
    const { promise, resolve, reject } = Promise.withResolvers<Wire>();
    socket.once("secureConnect", () => resolve(new TlsWire(stream, socket)));
    // Stays: an error after the handshake shows in the reads and writes, and must have a listener.
    socket.on("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed in the handshake")));
    return promise;
  }
}

/** Domain names count only where they belong: among the alternative names (RFC 8461 4.1, RFC 9525 2). */
function checkServerIdentity(name: string, certificate: tls.PeerCertificate): Error | undefined {
  const named = /(^|, ?)DNS:/.test(certificate.subjectaltname ?? "");
  return named || canonicalIp(name) !== undefined
    ? tls.checkServerIdentity(name, certificate)
    : new Error("the certificate names no host in its subjectAltName");
}

class TlsWire extends SecuredBytes implements Wire {
  readonly security: Security;

  constructor(stream: ByteStream, socket: tls.TLSSocket) {
    super(stream, socket);
    this.security = {
      protocol: protocolOf(socket),
      ...judgesCertificates ? { verified: socket.authorized } : {},
    };
  }

  secure(): Promise<Wire> {
    return Promise.reject(new Error("the connection is under TLS already"));
  }
}

/** Just "TLS" where this Deno cannot tell. */
function protocolOf(socket: tls.TLSSocket): string {
  const { getProtocol } = socket as Partial<tls.TLSSocket>;
  return getProtocol?.call(socket) ?? "TLS";
}
