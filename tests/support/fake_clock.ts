/** A clock that a test moves. */

import type { Clock } from "../../src/clock.ts";

export class FakeClock implements Clock {
  #now: number;
  #timers: { readonly at: number; readonly act: () => void }[] = [];

  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, act: () => void): () => void {
    const timer = { at: this.#now + milliseconds, act };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  /** How many still wait. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Lets time pass, and everything happen that is due by then, in its order. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = due.at;
      due.act();
    }
    this.#now = end;
  }
}
