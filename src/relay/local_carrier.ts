/** Brings messages to mailboxes of this host, which the receiver keeps. */

import { DamagedError, type QueuedMessage } from "../queue/envelope.ts";
import type { Mailbox } from "../smtp/address.ts";
import type { Reply } from "../smtp/reply.ts";
import type { Carrier } from "./courier.ts";
import type { ToReceiver, ToRelay } from "./exchange.ts";
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

/** Asks the receiver at the other end of a port. */
export class MailboxPort {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, PromiseWithResolvers<readonly Reply[]>>();
  #tickets = 0;

  /** `queued` is told of each message that is new in the queue. */
  constructor(port: MessagePort, queued: (id: string) => void) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<ToRelay>) => {
      if (data.kind === "queued") return queued(data.id);
      const answer = this.#waiting.get(data.ticket);
      this.#waiting.delete(data.ticket);
      if (data.kind === "delivered") answer?.resolve(data.replies);
      else answer?.reject(new DamagedError(data.reason));
    };
  }

  deliver(message: QueuedMessage, recipients: readonly Mailbox[]): Promise<readonly Reply[]> {
    const ticket = ++this.#tickets;
    const answer = Promise.withResolvers<readonly Reply[]>();
    this.#waiting.set(ticket, answer);
    this.#port.postMessage({ kind: "deliver", ticket, message, recipients } satisfies ToReceiver);
    return answer.promise;
  }
}
