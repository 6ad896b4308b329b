/** What the log hears of clients that are not let in: there may be thousands of them in a second. */

import { type Clock, systemClock } from "../clock.ts";
import type { Log } from "../log.ts";

/** Milliseconds, from the first one on, in which so many are told one by one, and the rest by number. */
const PERIOD = 60_000;
const MOST = 10;

/** Tells of each while there are few, and of many how many. */
export class Refusals {
  readonly #log: Log;
  readonly #clock: Pick<Clock, "after">;
  #told = 0;
  #untold = 0;
  #callOff = () => {};

  constructor(log: Log, clock: Pick<Clock, "after"> = systemClock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** One more; `peer` is its `address:port`. */
  tell(peer: string, reason: string): void {
    if (this.#told === 0) this.#callOff = this.#clock.after(PERIOD, () => this.#sum());
    if (this.#told >= MOST) return void this.#untold++;
    this.#told++;
    this.#log.warn("connection refused", { peer, reason });
  }

  /** There will be no more. */
  close(): void {
    this.#callOff();
    this.#sum();
  }

  #sum(): void {
    if (this.#untold > 0) this.#log.warn("connections refused", { further: this.#untold });
    this.#told = this.#untold = 0;
  }
}
