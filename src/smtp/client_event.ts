/** What the sending side's session tells its owner, and what it is at. */

import type { Mailbox } from "./address.ts";
import type { Reply } from "./reply.ts";
import type { RecipientResult } from "./tally.ts";

export type ClientEvent =
  /** Greeted: a transaction can begin. */
  | { readonly kind: "ready" }
  /** Do the handshake as TLS client, then call `secured`. */
  | { readonly kind: "starttls" }
  /** The server wants the text: write it and its end mark, then call `textSent`. */
  | { readonly kind: "text" }
  /** The transaction is over; `remaining` are wanted in another one (RFC 5321 4.5.3.1.10). */
  | {
    readonly kind: "results";
    readonly results: readonly RecipientResult[];
    readonly remaining: readonly Mailbox[];
  }
  /** There is no transaction to be had here. */
  | { readonly kind: "refused"; readonly reply: Reply }
  /** Nor here, for the server does not take the login. */
  | { readonly kind: "login refused"; readonly reply: Reply }
  /** This side does not go on here, for the server lacks what it must have: its own judgement. */
  | { readonly kind: "unsuitable"; readonly reply: Reply }
  /** Nothing more will be said: close. */
  | { readonly kind: "closed" };

/** What is going on: the command whose answer is waited for, or what the owner is to do. */
export type Step =
  | "greeting"
  | "EHLO"
  | "HELO"
  | "STARTTLS"
  | "handshake"
  | "AUTH"
  | "RSET"
  | "MAIL"
  | "RCPT"
  | "DATA"
  | "text"
  | "end"
  | "idle"
  | "QUIT";
