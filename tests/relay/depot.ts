/** A courier with a queue in memory, whose carriers are in a test's hands. */

import assert from "node:assert/strict";
import type { QueuedRecipient } from "../../src/queue/envelope.ts";
import type { Settlement } from "../../src/queue/progress.ts";
import { Courier } from "../../src/relay/courier.ts";
import { type CourierLimits, LIMITS } from "../../src/relay/limits.ts";
import type { Carrier, Task } from "../../src/relay/line.ts";
import { interrupted } from "../../src/relay/verdict.ts";
import { idOf, recipient, reply } from "../queue/messages.ts";
import { type Office, openOffice } from "../queue/office.ts";
import { settled } from "../support/settled.ts";

type Answer = Omit<Settlement, "forwardPath">;

/** Carries as long as the test lets it. */
export class FakeCarrier implements Carrier {
  /** Messages so far, by their numbers. */
  readonly carried: number[] = [];
  /** Where it is connected to; a test may end that, or keep it from its connection. */
  connectedTo: string | undefined = "there";
  rested = false;
  aborted = false;
  #answer: PromiseWithResolvers<Answer | "not wanted"> | undefined;

  constructor(readonly destination: string) {}

  /** Whether a message is on its way. */
  get busy(): boolean {
    return this.#answer !== undefined;
  }

  async carry({ message, recipients, settle }: Task): Promise<"tried" | "not wanted"> {
    assert.ok(!this.busy && !this.rested, "one message after another, and none at last");
    this.carried.push(numberOf(message.message.id));
    this.#answer = Promise.withResolvers();
    try {
      const answer = await this.#answer.promise;
      if (answer === "not wanted") return answer;
      await settle(recipients.map((forwardPath) => ({ forwardPath, ...answer })));
      return "tried";
    } finally {
      this.#answer = undefined;
    }
  }

  /** The host wants no more carriers than there are. */
  async turnedAway(): Promise<void> {
    this.connectedTo = undefined;
    this.#answer?.resolve("not wanted");
    await settled();
  }

  rest(): Promise<void> {
    assert.ok(!this.rested);
    this.rested = true;
    return Promise.resolve();
  }

  abort(): void {
    this.aborted = true;
    this.#answer?.resolve({ reply: interrupted, heard: false, cutShort: true });
  }

  /** What it carries is answered with this code. Returns when all that came of it is done. */
  async arrive(code = 250): Promise<void> {
    assert.ok(this.#answer, "nothing is on its way");
    this.#answer.resolve({ reply: reply(code), heard: true });
    await settled();
  }

  /** What it carries ends in an error that should not be. */
  async stumble(): Promise<void> {
    this.#answer?.reject(new Error("stumbled"));
    await settled();
  }
}

export class Depot {
  readonly courier: Courier;
  /** All there ever were. */
  readonly carriers: FakeCarrier[] = [];
  /** Where those are connected to that are made from now on. */
  newCarriersAt: string | undefined = "there";
  #count = 0;

  constructor(readonly office: Office, limits: Partial<CourierLimits>) {
    const { queue, clock, log } = office;
    this.courier = new Courier({
      queue,
      clock,
      log,
      destinationOf: ({ domain }) => domain,
      isFirst: (destination) => destination === "first.test",
      carrierFor: (destination) => {
        const carrier = new FakeCarrier(destination);
        carrier.connectedTo = this.newCarriersAt;
        this.carriers.push(carrier);
        return carrier;
      },
    }, { ...LIMITS, ...limits });
    this.courier.start();
  }

  /** Those with a message on its way. */
  get busy(): FakeCarrier[] {
    return this.carriers.filter((carrier) => carrier.busy);
  }

  /** What was carried to a destination, by whomever. */
  carriedTo(destination: string): number[] {
    return this.carriers.filter((carrier) => carrier.destination === destination)
      .flatMap(({ carried }) => carried);
  }

  /** The nth message comes in, for these. Returns when all that comes of it is done. */
  async receive(...to: readonly string[]): Promise<void> {
    const recipients = to.map((address) => recipient(address));
    await this.office.receive({ id: idOf(++this.#count), recipients });
    await settled();
  }

  /** What is on the disk of the recipients of the nth message. */
  async recipientsOf(n: number): Promise<readonly QueuedRecipient[]> {
    return (await this.office.stored(idOf(n))).recipients;
  }
}

/**
 * Opens a depot with an empty queue and these limits; others are as ever. The queue's schedule holds
 * `mostRemembered` messages, and the rest is read again from the disk.
 */
export async function openDepot(
  limits: Partial<CourierLimits> = {},
  mostRemembered?: number,
): Promise<Depot> {
  return new Depot(await openOffice(mostRemembered), limits);
}

function numberOf(id: string): number {
  return Number(id.slice(2));
}
