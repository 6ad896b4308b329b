/** A client's connection under TLS. */

import type { SecureContext } from "node:tls";
import { acceptTls, type ServerBytes, type TlsFacts } from "../tls/server.ts";
import type { Bytes } from "../tls/stream.ts";
import { close, type Socket, writeAll } from "./socket.ts";

/** Octets of TLS read at once; most commands' records are smaller. */
const READ = 4096;

/** What a connection stands on once it is secured; made by a handshake. */
export class SecuredSocket implements Socket {
  readonly #bytes: ServerBytes;
  readonly #socket: Socket;
  /** What was deciphered and not yet read. */
  #rest: Uint8Array = new Uint8Array(0);

  private constructor(bytes: ServerBytes, socket: Socket) {
    this.#bytes = bytes;
    this.#socket = socket;
  }

  /**
   * Does the handshake. Rejects with HandshakeError, and then the socket is closed; closing it ends
   * the wait.
   */
  static async accept(socket: Socket, context: SecureContext): Promise<SecuredSocket> {
    return new SecuredSocket(await acceptTls(new SocketBytes(socket), context), socket);
  }

  /** What came of the handshake. */
  get tls(): TlsFacts {
    return this.#bytes.tls;
  }

  async read(buffer: Uint8Array<ArrayBuffer>): Promise<number | null> {
    if (this.#rest.length === 0) {
      const bytes = await broken(this.#bytes.read());
      if (!bytes) return null;
      this.#rest = bytes;
    }
    const part = this.#rest.subarray(0, buffer.length);
    buffer.set(part);
    this.#rest = this.#rest.subarray(part.length);
    return part.length;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await broken(this.#bytes.write(bytes));
    return bytes.length;
  }

  async closeWrite(): Promise<void> {
    await broken(this.#bytes.end());
    await this.#socket.closeWrite();
  }

  close(): void {
    this.#bytes.close();
  }
}

/** Whatever breaks TLS breaks the connection. */
async function broken<T>(done: Promise<T>): Promise<T> {
  try {
    return await done;
  } catch (error) {
    throw new Deno.errors.ConnectionAborted(String(error));
  }
}

class SocketBytes implements Bytes {
  readonly #socket: Socket;
  readonly #buffer = new Uint8Array(READ);

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  async read(): Promise<Uint8Array | null> {
    const length = await this.#socket.read(this.#buffer);
    return length === null ? null : this.#buffer.subarray(0, length);
  }

  write(bytes: Uint8Array): Promise<void> {
    return writeAll(this.#socket, bytes);
  }

  close(): void {
    close(this.#socket);
  }
}
