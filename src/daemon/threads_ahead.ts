/**
 * Threads made before the daemon asks for them. One takes longer to come up than all the tries of a
 * start, which then go on beside it.
 */

import { receiverPermissions, relayPermissions } from "./permissions.ts";
import type { Outline } from "./plan.ts";
import type { ReceiverPart, RelayPart, Threads } from "./threads.ts";

/** A thread that nobody has asked for yet, and what it may do. */
interface Ahead<Part> {
  readonly rights: string;
  readonly part: Part;
}

export class ThreadsAhead implements Threads {
  readonly #threads: Threads;
  readonly #receivers: Ahead<ReceiverPart>[] = [];
  readonly #relays: Ahead<RelayPart>[] = [];

  constructor(threads: Threads) {
    this.#threads = threads;
  }

  /** Makes all that a daemon starts with. They do nothing until they are told. */
  make(outline: Outline): void {
    // A receiver is the first that is told something, so it is the first to come up.
    for (let i = 0; i < outline.configuration.mail.WORKERS; i++) {
      const part = this.#threads.receiver(outline);
      this.#receivers.push({ rights: receiverRights(outline), part });
    }
    const part = this.#threads.relay(outline);
    this.#relays.push({ rights: relayRights(outline), part });
  }

  /** One made ahead where it may do what this outline asks for and nothing else, else another. */
  receiver(outline: Outline): ReceiverPart {
    return taken(this.#receivers, receiverRights(outline)) ?? this.#threads.receiver(outline);
  }

  /** The same for a relay. */
  relay(outline: Outline): RelayPart {
    return taken(this.#relays, relayRights(outline)) ?? this.#threads.relay(outline);
  }

  /** Ends those that nobody has asked for. */
  end(): void {
    for (const { part } of [...this.#receivers.splice(0), ...this.#relays.splice(0)]) part.end();
  }
}

function taken<Part>(ahead: Ahead<Part>[], rights: string): Part | undefined {
  const index = ahead.findIndex((one) => one.rights === rights);
  return index < 0 ? undefined : ahead.splice(index, 1)[0]?.part;
}

function receiverRights(outline: Outline): string {
  return JSON.stringify(receiverPermissions(outline));
}

function relayRights({ configuration, reach }: Outline): string {
  return JSON.stringify(relayPermissions(configuration, reach));
}
