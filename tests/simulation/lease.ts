/** A clock for as long as a process lives: what it still waits for when it ends never happens. */

import type { Clock } from "../../src/clock.ts";

export class Lease implements Clock {
  readonly #clock: Clock;
  readonly #cancels = new Set<() => void>();
  #over = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  after(milliseconds: number, act: () => void): () => void {
    if (this.#over) return () => {};
    const cancel = this.#clock.after(milliseconds, () => {
      this.#cancels.delete(cancel);
      act();
    });
    this.#cancels.add(cancel);
    return () => {
      this.#cancels.delete(cancel);
      cancel();
    };
  }

  /** The process is gone. */
  end(): void {
    this.#over = true;
    this.#cancels.forEach((cancel) => cancel());
    this.#cancels.clear();
  }
}
