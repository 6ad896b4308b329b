/** The handshake failed, or was ended by a `close` of the bytes. The message is fit for logs. */
export class HandshakeError extends Error {
  override name = "HandshakeError";
}
