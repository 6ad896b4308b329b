/** What a session tells its owner, and asks. */

import type { Mailbox } from "./address.ts";
import type { BodyType } from "./command.ts";
import type { Reply } from "./reply.ts";
import type { Credentials } from "./sasl.ts";

/** How a message came, for its trace (RFC 3848): S under TLS, A from a client that has logged in. */
export type Protocol = "SMTP" | "ESMTP" | "ESMTPS" | "ESMTPSA";

/** One mail transaction (RFC 5321 3.3): where it comes from and where it shall go. */
export interface Transaction {
  /** What the client called itself. */
  readonly client: string;
  readonly protocol: Protocol;
  readonly reversePath: Mailbox | null;
  /** The accepted forward-paths so far, in order. */
  readonly forwardPaths: readonly Mailbox[];
  readonly body: BodyType;
}

/**
 * What happened. `login`, `mail`, `recipient`, `data` and `end` must be answered before the next
 * event; the rest is told.
 */
export type SessionEvent =
  /** A client shows who it is. A positive answer lets it in, 421 ends the session. */
  | { readonly kind: "login"; readonly credentials: Credentials }
  /** A transaction wants to begin. */
  | { readonly kind: "mail"; readonly transaction: Transaction }
  /** A recipient wants to be added. */
  | { readonly kind: "recipient"; readonly forwardPath: Mailbox }
  /** A text wants to come. */
  | { readonly kind: "data"; readonly transaction: Transaction }
  /** A piece of it, a view into what was fed: valid until the next `feed`. */
  | { readonly kind: "text"; readonly bytes: Uint8Array }
  /** The whole text came, `size` octets. A positive answer takes responsibility for it. */
  | { readonly kind: "end"; readonly transaction: Transaction; readonly size: number }
  /** The transaction is over and nothing of it counts. */
  | { readonly kind: "dropped" }
  /** The session itself refused a command or a text. */
  | { readonly kind: "refused"; readonly what: string; readonly reply: Reply }
  /**
   * Write the output, then do the handshake as TLS server. This session is over: another one, secured,
   * begins after the handshake. `discarded` octets that came in the clear behind the command are
   * nobody's words (RFC 3207 6).
   */
  | { readonly kind: "starttls"; readonly discarded: number }
  /** Replies have piled up: take and write them before going on. */
  | { readonly kind: "output" }
  /** There is more to work off: others may want a turn before. */
  | { readonly kind: "pause" }
  /** Write the output, then close the connection. */
  | { readonly kind: "close" };
