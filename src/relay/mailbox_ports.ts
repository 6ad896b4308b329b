/** The ports to the receivers, which alone may touch mailboxes: each a thread of its own, and mortal. */

import { DamagedError, type QueuedMessage } from "../queue/envelope.ts";
import type { Mailbox } from "../smtp/address.ts";
import type { Reply } from "../smtp/reply.ts";
import type { ToReceiver, ToRelay } from "./exchange.ts";
import * as verdict from "./verdict.ts";

interface Delivery {
  readonly ticket: number;
  readonly message: QueuedMessage;
  readonly recipients: readonly Mailbox[];
  readonly answer: PromiseWithResolvers<readonly Reply[]>;
}

/** A receiver, and what it was asked for and has not answered. */
interface Receiver {
  readonly port: MessagePort;
  readonly asked: Map<number, Delivery>;
}

export class MailboxPorts {
  readonly #queued: (id: string) => void;
  readonly #receivers = new Map<number, Receiver>();
  #waiting: Delivery[] = [];
  #tickets = 0;

  /** `queued` is told of each message that is new in the queue. */
  constructor(queued: (id: string) => void) {
    this.#queued = queued;
  }

  /** A receiver has begun to work. Its number is its own, and higher than those of older ones. */
  add(number: number, port: MessagePort): void {
    const receiver: Receiver = { port, asked: new Map() };
    port.onmessage = ({ data }: MessageEvent<ToRelay>) => this.#told(receiver, data);
    this.#receivers.set(number, receiver);
    this.#waiting.splice(0).forEach((delivery) => this.#ask(receiver, delivery));
  }

  /**
   * A receiver is no more. What it was asked for may have been done or not, so it is tried later: a
   * message that it died of must not take the next one with it.
   */
  remove(number: number): void {
    const receiver = this.#receivers.get(number);
    this.#receivers.delete(number);
    receiver?.port.close();
    for (const { answer, recipients } of receiver?.asked.values() ?? []) {
      answer.resolve(recipients.map(() => verdict.unanswered));
    }
  }

  /** Asks the newest receiver; where there is none, as soon as there is. */
  deliver(message: QueuedMessage, recipients: readonly Mailbox[]): Promise<readonly Reply[]> {
    const answer = Promise.withResolvers<readonly Reply[]>();
    const delivery: Delivery = { ticket: ++this.#tickets, message, recipients, answer };
    const newest = this.#receivers.get(Math.max(...this.#receivers.keys()));
    if (newest) this.#ask(newest, delivery);
    else this.#waiting.push(delivery);
    return answer.promise;
  }

  #ask({ port, asked }: Receiver, delivery: Delivery): void {
    const { ticket, message, recipients } = delivery;
    asked.set(ticket, delivery);
    port.postMessage({ kind: "deliver", ticket, message, recipients } satisfies ToReceiver);
  }

  #told({ asked }: Receiver, told: ToRelay): void {
    if (told.kind === "queued") return this.#queued(told.id);
    const answer = asked.get(told.ticket)?.answer;
    asked.delete(told.ticket);
    if (told.kind === "delivered") answer?.resolve(told.replies);
    else answer?.reject(new DamagedError(told.reason));
  }
}
