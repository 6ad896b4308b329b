/** The handshake of a server, over any bytes. */

import * as tls from "node:tls";
import { HandshakeError } from "./handshake_error.ts";
import { type Bytes, ByteStream, SecuredBytes } from "./stream.ts";

/** What a connection is secured by, in OpenSSL's names: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`. */
export interface TlsFacts {
  readonly protocol: string;
  readonly cipher: string;
}

/** Bytes of a connection that this side has secured as server. */
export class ServerBytes extends SecuredBytes {
  readonly tls: TlsFacts;

  constructor(stream: ByteStream, socket: tls.TLSSocket) {
    super(stream, socket);
    this.tls = {
      protocol: socket.getProtocol() ?? "",
      cipher: socket.getCipher().name,
    };
  }
}

/**
 * Does the handshake, with no read or write pending; from then on only what this resolves with may
 * be used. It takes as long as the client does. Rejects with HandshakeError; the bytes are closed then.
 */
export function acceptTls(bytes: Bytes, context: tls.SecureContext): Promise<ServerBytes> {
  const stream = new ByteStream(bytes);
  const socket = new tls.TLSSocket(stream, { isServer: true, secureContext: context });
  const { promise, resolve, reject } = Promise.withResolvers<ServerBytes>();
  const fail = (why: string) => {
    reject(new HandshakeError(why));
    stream.destroy();
  };
  const left = () => fail("the client left");
  socket.once("end", left);
  socket.once("secure", () => {
    socket.off("end", left);
    resolve(new ServerBytes(stream, socket));
  });
  // Stays: an error after the handshake shows in the reads and writes, and must have a listener.
  socket.on("error", (error) => fail(error.message));
  // All that node:tls says of an error after the handshake where no tls.Server made the socket.
  socket.on("_tlsError", (error: Error) => socket.destroy(error));
  socket.once("close", () => fail("the connection was closed"));
  return promise;
}
