/** Brings messages to mailboxes of this host, which the receiver keeps. */

import { DamagedError, type QueuedMessage } from "../queue/envelope.ts";
import type { Mailbox } from "../smtp/address.ts";
import type { Reply } from "../smtp/reply.ts";
import type { Carrier } from "./courier.ts";
import type { Task } from "./line.ts";
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
  readonly #deliver: LocalDelivery;
  readonly #aborted = Promise.withResolvers<undefined>();

  constructor(deliver: LocalDelivery) {
    this.#deliver = deliver;
  }

  async carry({ message, recipients, settle }: Task): Promise<void> {
    let replies;
    try {
      replies = await Promise.race([
        this.#deliver(message.message, recipients),
        this.#aborted.promise,
      ]);
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      return message.damaged(error);
    }
    await settle(recipients.map((forwardPath, i) => {
      const reply = replies?.[i];
      return reply
        ? { forwardPath, reply, heard: false }
        : { forwardPath, reply: verdict.interrupted, heard: false };
    }));
  }

  rest(): Promise<void> {
    return Promise.resolve();
  }

  abort(): void {
    this.#aborted.resolve(undefined);
  }
}
