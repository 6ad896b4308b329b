/** Connections to servers: bytes there and back, in plain text or under TLS. */

import type { Security } from "../queue/envelope.ts";
import type { Bytes } from "../tls/stream.ts";
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

  async secure(name: string, { verify }: SecureOptions = { verify: false }): Promise<Wire> {
    // It would be called done, whoever is there.
    if (verify && !judgesCertificates) throw new Error(NO_JUDGEMENT);
    // Loaded when it is first needed: a start is to be short, and node:tls takes its time.
    const { secureWire } = await import("./secured_wire.ts");
    return await secureWire(this, name, { verify, ca: this.#ca });
  }
}
