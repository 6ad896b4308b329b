/** A handshake with oneself: what node:tls makes of a certificate and its key shows in use alone. */

import { duplexPair } from "node:stream";
import * as tls from "node:tls";

/** Milliseconds that it may take; it takes ten. */
const PATIENCE = 5000;

/** Whether a server that has this can do a handshake, with a client that trusts everybody. */
export function tryHandshake(context: tls.SecureContext): Promise<boolean> {
  const [near, far] = duplexPair();
  const server = new tls.TLSSocket(near, { isServer: true, secureContext: context });
  const client = tls.connect({ socket: far, rejectUnauthorized: false });
  return new Promise((resolve) => {
    const timer = setTimeout(() => end(false), PATIENCE);
    const end = (success: boolean) => {
      clearTimeout(timer);
      resolve(success);
      server.destroy();
      client.destroy();
    };
    // It comes after the client has taken the server's signature.
    server.once("secure", () => end(true));
    for (const socket of [server, client]) {
      socket.on("error", () => end(false));
      socket.on("close", () => end(false));
    }
  });
}
