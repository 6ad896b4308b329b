/** Connections to servers under TLS. */

import * as tls from "node:tls";
import type { Security } from "../queue/envelope.ts";
import { canonicalIp } from "../smtp/ip.ts";
import { type Bytes, ByteStream, SecuredBytes } from "../tls/stream.ts";
import { judgesCertificates } from "../tls/support.ts";
import type { Wire } from "./wire.ts";

/** How a handshake is done. */
export interface HandshakeOptions {
  /** Whether it fails where the certificate is not valid for the name. */
  readonly verify: boolean;
  /** The authorities to trust, as PEM, where not Deno's. */
  readonly ca: readonly string[] | undefined;
}

/** Does what `secure` of a wire says, over its bytes in plain text. */
export function secureWire(
  bytes: Bytes,
  name: string,
  { verify, ca }: HandshakeOptions,
): Promise<Wire> {
  const stream = new ByteStream(bytes);
  const socket = tls.connect({
    socket: stream,
    // A server name is never an address (RFC 6066 3).
    ...canonicalIp(name) !== undefined ? { host: name } : { servername: name },
    // Without that whatever certificate does: who cannot be verified is still not overheard.
    rejectUnauthorized: verify,
    checkServerIdentity,
    minVersion: "TLSv1.2",
    ...ca ? { ca: [...ca] } : {},
  });
  const { promise, resolve, reject } = Promise.withResolvers<Wire>();
  socket.once("secureConnect", () => resolve(new SecuredWire(stream, socket)));
  // Stays: an error after the handshake shows in the reads and writes, and must have a listener.
  socket.on("error", reject);
  socket.once("close", () => reject(new Error("the connection was closed in the handshake")));
  return promise;
}

/** Domain names count only where they belong: among the alternative names (RFC 8461 4.1, RFC 9525 2). */
function checkServerIdentity(name: string, certificate: tls.PeerCertificate): Error | undefined {
  const named = /(^|, ?)DNS:/.test(certificate.subjectaltname ?? "");
  return named || canonicalIp(name) !== undefined
    ? tls.checkServerIdentity(name, certificate)
    : new Error("the certificate names no host in its subjectAltName");
}

class SecuredWire extends SecuredBytes implements Wire {
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
