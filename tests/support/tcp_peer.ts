/** The server's end of one TCP connection, in plain text or under TLS, in a test's hands. */

import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import * as tls from "node:tls";
import { TcpDialer, type Wire } from "../../src/relay/wire.ts";

const key = Deno.readTextFileSync(new URL("mx.test.key", import.meta.url));
/** Signed by itself, for the name mx.test. */
const cert = Deno.readTextFileSync(new URL("mx.test.crt", import.meta.url));

/** A wire of ours, and the server's end of it. `ca` are the authorities that our end trusts. */
export async function connectedPair(
  ca?: readonly string[],
): Promise<{ wire: Wire; peer: TcpPeer }> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const dialer = new TcpDialer(ca ? { ca } : {});
    const dialing = dialer.connect("127.0.0.1", listener.addr.port, unaborted());
    return { wire: await dialing, peer: new TcpPeer(await listener.accept()) };
  } finally {
    listener.close();
  }
}

/** A signal that never comes. */
export function unaborted(): AbortSignal {
  return new AbortController().signal;
}

export class TcpPeer {
  readonly #stream: ConnStream;
  #active: Duplex;
  #chunks: AsyncIterator<Buffer>;

  constructor(conn: Deno.TcpConn) {
    this.#stream = new ConnStream(conn);
    this.#active = this.#stream;
    this.#chunks = this.#stream[Symbol.asyncIterator]();
  }

  /** Resolves when it is written. */
  say(text: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const bytes = Buffer.from(typeof text === "string" ? new TextEncoder().encode(text) : text);
      this.#active.write(bytes, (error) => error ? reject(error) : resolve());
    });
  }

  /** What comes next, null at the end. */
  async hear(): Promise<string | null> {
    const { done, value } = await this.#chunks.next();
    return done ? null : value.toString("latin1");
  }

  /** Says each reply when it has heard something. */
  async answer(...replies: string[]): Promise<void> {
    for (const reply of replies) {
      await this.hear();
      await this.say(reply);
    }
  }

  /** Begins to speak TLS. What is heard before the handshake is done waits for it. */
  startTls(options: tls.TLSSocketOptions = {}): tls.TLSSocket {
    // The iterator has the stream paused between two reads; from here on it is another's.
    this.#stream.removeAllListeners("readable");
    const socket = new tls.TLSSocket(this.#stream, { isServer: true, key, cert, ...options });
    socket.on("error", () => {});
    this.#active = socket;
    this.#chunks = socket[Symbol.asyncIterator]();
    return socket;
  }

  close(): void {
    this.#active.destroy();
    this.#stream.destroy();
  }
}

class ConnStream extends Duplex {
  readonly #conn: Deno.TcpConn;

  constructor(conn: Deno.TcpConn) {
    super();
    this.#conn = conn;
    this.on("error", () => {});
  }

  override _read(): void {
    const buffer = new Uint8Array(64 * 1024);
    this.#conn.read(buffer).then(
      (length) => this.push(length === null ? null : Buffer.from(buffer.subarray(0, length))),
      (error) => this.destroy(error),
    );
  }

  override _write(bytes: Buffer, _: string, done: (error?: Error | null) => void): void {
    const write = async () => {
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
    };
    write().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#conn.close();
    done(error);
  }
}
