/** What the relay and the receiver say to each other over the port between their threads. */

import type { QueuedMessage } from "../queue/envelope.ts";
import type { Mailbox } from "../smtp/address.ts";
import type { Reply } from "../smtp/reply.ts";

/** From the receiver, which alone may touch mailboxes. */
export type ToRelay =
  /** A message is new in the queue. */
  | { readonly kind: "queued"; readonly id: string }
  /** What became of a `deliver`: a reply for each recipient, in its order. */
  | { readonly kind: "delivered"; readonly ticket: number; readonly replies: readonly Reply[] }
  /** The message of a `deliver` cannot be read, and why. */
  | { readonly kind: "damaged"; readonly ticket: number; readonly reason: string };

/** From the relay, which alone knows what waits. */
export interface ToReceiver {
  readonly kind: "deliver";
  readonly ticket: number;
  readonly message: QueuedMessage;
  readonly recipients: readonly Mailbox[];
}
