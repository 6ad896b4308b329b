/** A clock that a test moves. */

import type { Clock } from "../../src/clock.ts";
import { settled } from "./settled.ts";

interface Timer {
  at: number;
  readonly act: () => void;
}

export class FakeClock implements Clock {
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

  /** Somebody sets the clock: it shows another time, and what waits still waits as long as before. */
  set(now: number): void {
    const jump = now - this.#now;
    for (const timer of this.#timers) timer.at += jump;
    this.#now = now;
  }

  /** Moves on, and runs each timer at its time. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let timer = this.#next(end); timer; timer = this.#next(end)) timer.act();
    this.#now = Math.max(this.#now, end);
  }

  /** The same, and returns when all that came of it is done, as far as it waits for promises alone. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settled();
    for (let timer = this.#next(end); timer; timer = this.#next(end)) {
      timer.act();
      await settled();
    }
    this.#now = Math.max(this.#now, end);
  }

  /** Takes the first timer that is due by then; of several at one time the one that was set first. */
  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= end && (!first || timer.at < first.at)) first = timer;
    }
    if (!first) return undefined;
    this.#timers.delete(first);
    this.#now = Math.max(this.#now, first.at);
    return first;
  }
}
