/** How often threads of the daemon die, and what follows from it. */

/** So many deaths within so many milliseconds mean that the daemon cannot work. */
const MOST = 3;
const SHORT = 60_000;
/** Milliseconds until a thread is started again; ten times as many for each death of the last hour. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 60_000;
const LONG = 3_600_000;

export class Deaths {
  readonly #now: () => number;
  #times: number[] = [];

  /** `now` gives milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** One more. Returns after how many milliseconds to start anew, undefined where that has no use. */
  count(): number | undefined {
    const now = this.#now();
    this.#times = [...this.#times.filter((time) => now - time < LONG), now];
    if (this.#times.filter((time) => now - time < SHORT).length >= MOST) return undefined;
    return Math.min(FIRST_DELAY * 10 ** (this.#times.length - 1), LONGEST_DELAY);
  }
}
