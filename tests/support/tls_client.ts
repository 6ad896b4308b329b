/** The other side of a server's handshake: a client that trusts everybody. */

import * as tls from "node:tls";
import { type Bytes, ByteStream } from "../../src/tls/stream.ts";

export interface TlsClient {
  readonly socket: tls.TLSSocket;
  /** Resolves when its handshake is done, rejects when it fails. */
  readonly secured: Promise<tls.TLSSocket>;
}

/** Begins the handshake at once. */
export function tlsClient(bytes: Bytes, options: tls.ConnectionOptions = {}): TlsClient {
  const socket = tls.connect({
    socket: new ByteStream(bytes),
    servername: "mx.test",
    rejectUnauthorized: false,
    ...options,
  });
  const { promise: secured, resolve, reject } = Promise.withResolvers<tls.TLSSocket>();
  socket.once("secureConnect", () => resolve(socket));
  socket.on("error", reject);
  socket.once("close", () => reject(new Error("the connection was closed")));
  // A test may look at the server's side alone.
  secured.catch(() => {});
  return { socket, secured };
}
