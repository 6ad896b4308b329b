/** Logins that wait for one of the few places where passwords are verified. */

import type { Clock } from "../clock.ts";
import type { Standing } from "./login_limits.ts";

/** Milliseconds that an attempt may wait; its client hears nothing meanwhile. */
const LONGEST_WAIT = 30_000;

export interface LoginLineOptions {
  readonly clock: Pick<Clock, "after">;
  /** Passwords verified at once. */
  readonly places: number;
  /** Attempts that may wait for a place. */
  readonly most: number;
  /** How a network stands now; better ones come first. */
  readonly standing: (network: string) => Standing;
}

interface Waiting {
  readonly network: string;
  readonly called: (hasTurn: boolean) => void;
}

/** A Waiting beside the others: the lower of each comes first. */
interface Rank {
  readonly waiting: Waiting;
  readonly standing: Standing;
  /** Attempts of the same network before it. */
  readonly before: number;
  /** Attempts that came after it. */
  readonly after: number;
}

/**
 * By the standing of networks, then one attempt of each network after the other. Among equals the last
 * comes first: when more come than can be served, some are served soon instead of all of them late.
 */
export class LoginLine {
  readonly #options: LoginLineOptions;
  /** In the order in which they came. */
  #waiting: Waiting[] = [];
  /** The networks of those who have a place. */
  readonly #served: string[] = [];
  #closed = false;

  constructor(options: LoginLineOptions) {
    this.#options = options;
  }

  /** Resolves to true when it is its turn, then it must `leave`; to false where there is none for it. */
  turn(network: string): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const callOff = this.#options.clock.after(LONGEST_WAIT, () => this.#take(waiting, false));
    const called = (hasTurn: boolean) => {
      callOff();
      resolve(hasTurn);
    };
    const waiting = { network, called };
    this.#waiting.push(waiting);
    this.#call();
    if (this.#waiting.length > this.#options.most) this.#take(this.#ranked().at(-1), false);
    return promise;
  }

  leave(network: string): void {
    this.#served.splice(this.#served.indexOf(network), 1);
    this.#call();
  }

  /** Nobody gets a turn any more. */
  close(): void {
    this.#closed = true;
    for (const { called } of this.#waiting.splice(0)) called(false);
  }

  #call(): void {
    while (this.#waiting.length > 0 && this.#served.length < this.#options.places) {
      this.#take(this.#ranked()[0], true);
    }
  }

  #take(waiting: Waiting | undefined, hasTurn: boolean): void {
    if (!waiting) return;
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    if (hasTurn) this.#served.push(waiting.network);
    waiting.called(hasTurn);
  }

  #ranked(): Waiting[] {
    const seen = new Map<string, number>();
    const count = (network: string) => {
      const before = seen.get(network) ?? 0;
      seen.set(network, before + 1);
      return before;
    };
    this.#served.forEach(count);
    const ranks = this.#waiting.map((waiting, i): Rank => ({
      waiting,
      standing: this.#options.standing(waiting.network),
      before: count(waiting.network),
      after: this.#waiting.length - i,
    }));
    const order = (a: Rank, b: Rank) =>
      a.standing - b.standing || a.before - b.before || a.after - b.after;
    return ranks.sort(order).map(({ waiting }) => waiting);
  }
}
