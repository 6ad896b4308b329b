/** One timer for many waits: nearly all of them are called off, so each is to cost next to nothing. */

import { type Clock, steadyClock } from "./clock.ts";

/** Milliseconds that a wait may be longer than was said. */
const GRAIN = 100;

/** Steady time whose waits end together. */
export class SharedTimer implements Clock {
  readonly #clock: Clock;
  /** What to do, by the number of grains since the clock's beginning. */
  readonly #waits = new Map<number, Set<() => void>>();
  /** When the timer is set for. */
  #next = Infinity;
  #callOff = () => {};

  constructor(clock: Clock = steadyClock) {
    this.#clock = clock;
  }

  /** Milliseconds since some moment or other; never jumps. */
  now(): number {
    return this.#clock.now();
  }

  /** Calls `act` once, `milliseconds` from now or a little later. Returns what calls that off. */
  after(milliseconds: number, act: () => void): () => void {
    const end = Math.ceil((this.now() + milliseconds) / GRAIN);
    const wait = () => act();
    const waits = this.#waits.get(end) ?? new Set();
    this.#waits.set(end, waits.add(wait));
    if (end < this.#next) this.#set(end);
    return () => {
      waits.delete(wait);
      // The timer stays; it is more often wanted than not.
      if (waits.size === 0 && this.#waits.get(end) === waits) this.#waits.delete(end);
    };
  }

  /** Nothing that was waited for comes any more. */
  close(): void {
    this.#callOff();
    this.#next = Infinity;
    this.#waits.clear();
  }

  #set(end: number): void {
    this.#callOff();
    this.#next = end;
    this.#callOff = this.#clock.after(Math.max(0, end * GRAIN - this.now()), () => this.#ring());
  }

  #ring(): void {
    this.#next = Infinity;
    const now = this.now();
    for (const [end, waits] of [...this.#waits]) {
      if (end * GRAIN > now) continue;
      this.#waits.delete(end);
      waits.forEach((act) => act());
    }
    const next = Math.min(...this.#waits.keys());
    if (next < this.#next) this.#set(next);
  }
}
