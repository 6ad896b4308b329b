/** A clock that a test moves, and that waits for what comes of it. */

import { setImmediate } from "node:timers";
import type { Clock } from "../../src/clock.ts";

interface Timer {
  readonly at: number;
  readonly act: () => void;
}

export class AwaitedClock implements Clock {
  #now: number;
  readonly #timers = new Set<Timer>();

  /** `now` is in milliseconds since 1970. */
  constructor(now = Date.UTC(2026, 10, 22, 12)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, act: () => void): () => void {
    const timer = { at: this.#now + milliseconds, act };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers that have not run yet. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Moves on, and runs each timer at its time. Returns when all that came of it is done, as far as it
   * waits for promises alone.
   */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds;
    await settled();
    for (let timer = this.#first(until); timer; timer = this.#first(until)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.act();
      await settled();
    }
    this.#now = Math.max(this.#now, until);
  }

  /** The first one that is due by then; of several at one time the one that was set first. */
  #first(until: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= until && (!first || timer.at < first.at)) first = timer;
    }
    return first;
  }
}

/** Returns when no promise can go on without something from outside. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
