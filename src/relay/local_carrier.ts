/** Brings messages to mailboxes of this host, which the receiver keeps. */

import { DamagedError, type QueuedMessage } from "../queue/envelope.ts";
import type { Mailbox } from "../smtp/address.ts";
import type { Reply } from "../smtp/reply.ts";
import type { Carrier, Task } from "./line.ts";
import * as verdict from "./verdict.ts";

/**
 * Delivers into mailboxes here: a reply for each recipient, in order. Rejects with DamagedError where
 * the text cannot be read.
 */
export type LocalDelivery = (
  message: QueuedMessage,
  recipients: readonly Mailbox[],
) => Promise<readonly Reply[]>;

export class LocalCarrier implements Carrier {
  /** Here is where they are. */
  readonly connectedTo = "here";
  readonly #deliver: LocalDelivery;
  readonly #aborted = Promise.withResolvers<undefined>();

  constructor(deliver: LocalDelivery) {
    this.#deliver = deliver;
  }

  async carry({ message, recipients, settle }: Task): Promise<"tried"> {
    let replies;
    try {
      replies = await Promise.race([
        this.#deliver(message.message, recipients),
        this.#aborted.promise,
      ]);
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      message.damaged(error);
      return "tried";
    }
    await settle(recipients.map((forwardPath, i) => {
      const reply = replies?.[i];
      return reply
        ? { forwardPath, reply, heard: false }
        : { forwardPath, reply: verdict.interrupted, heard: false };
    }));
    return "tried";
  }

  rest(): Promise<void> {
    return Promise.resolve();
  }

  abort(): void {
    this.#aborted.resolve(undefined);
  }
}
