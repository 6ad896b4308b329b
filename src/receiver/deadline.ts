/** A limit on how long to wait for a peer. */

import { type Clock, steadyClock } from "../clock.ts";

/**
 * Milliseconds that an octet is worth: 100 a second are the least that will do for long. A modem of
 * 9,600 baud brings ten times as many, and who has sent at that rate for a while may then be silent for
 * all the time that there is.
 */
const OCTET = 10;

/**
 * Calls `expired` once, when the waits for a peer have lasted for all the time that it is given. What
 * passes between waits is this side's own time and does not count. Waits are many and short, so they
 * cost no timer each: one timer looks now and then how much is left.
 */
export class Deadline {
  readonly #limit: number;
  readonly #clock: Clock;
  /** Milliseconds, as of the beginning of the present wait or the end of the last one. */
  #left: number;
  /** When the present wait began, undefined while there is none. */
  #since: number | undefined;
  /** Undefined while no timer is set. */
  #callOff: (() => void) | undefined;

  constructor(seconds: number, readonly expired: () => void, clock: Clock = steadyClock) {
    this.#limit = this.#left = seconds * 1000;
    this.#clock = clock;
    this.#arm(this.#limit);
  }

  /** A wait begins that has all the time. `now` is the clock's, also below. */
  begin(now: number): void {
    this.#left = this.#limit;
    this.goOn(now);
  }

  /** A wait begins that has what the last ones have left: what came in between has not ended them. */
  goOn(now: number): void {
    this.#since = now;
    if (!this.#callOff) this.#arm(Math.max(1, this.#left));
  }

  /** The wait is over. */
  end(now: number): void {
    this.#left = this.#leftAt(now);
    this.#since = undefined;
  }

  /** Between waits: so many octets have come, which is worth some time, though no more than all of it. */
  earn(octets: number): void {
    this.#left = Math.min(this.#left + octets * OCTET, this.#limit);
  }

  /** No wait counts any more. */
  cancel(): void {
    this.#callOff?.();
    // Nor is another set.
    this.#callOff = () => {};
  }

  #leftAt(now: number): number {
    return this.#since === undefined ? this.#left : this.#left - (now - this.#since);
  }

  #arm(milliseconds: number): void {
    this.#callOff = this.#clock.after(milliseconds, () => this.#look());
  }

  #look(): void {
    const left = this.#leftAt(this.#clock.now());
    // Between waits there is nothing to look for; the next one sets the timer again.
    if (this.#since === undefined) this.#callOff = undefined;
    else if (left <= 0) this.expired();
    else this.#arm(Math.max(1, left));
  }
}
