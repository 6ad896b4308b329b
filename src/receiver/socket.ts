/** What a connection stands on: a TCP connection, or TLS over one. */

/** What is used of a Deno.TcpConn. */
export interface Socket {
  /** The number of octets read into the buffer, null at the end. */
  read(buffer: Uint8Array<ArrayBuffer>): Promise<number | null>;
  /** The number of octets taken. */
  write(bytes: Uint8Array): Promise<number>;
  /** The peer sees the end; it may go on writing. */
  closeWrite(): Promise<void>;
  /** Ends every wait. */
  close(): void;
}

/** Rejects where the connection breaks. */
export async function writeAll(socket: Socket, bytes: Uint8Array): Promise<void> {
  let written = bytes.length === 0 ? 0 : await socket.write(bytes);
  while (written < bytes.length) written += await socket.write(bytes.subarray(written));
}

/** Closes it, though it may be closed already. */
export function close(socket: Pick<Socket, "close">): void {
  try {
    socket.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** A connection that the peer breaks or the deadline closes ends in one of these. */
export function isConnectionEnd(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.TimedOut ||
    error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.UnexpectedEof;
}
