/** Whether what takes no time may be waited for. */

/** Milliseconds that a short operation may take. */
const SHORT = 50;
/** Milliseconds for which nobody waits for a disk that has taken longer. */
const ASIDE = 1000;

/**
 * Short operations on a disk are done at once: handing one to another thread costs more than doing it.
 * But a disk may be far away or busy, and who waits for it here makes everybody wait; so after an
 * operation that took long, those of the next second are done aside.
 */
export class Pace {
  readonly #now: () => number;
  #asideUntil = -Infinity;

  /** `now` is in milliseconds, from any start. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Does it one way or the other; resolves and rejects with what that returns and throws. */
  run<T>(atOnce: () => T, aside: () => Promise<T>): Promise<T> {
    const begun = this.#now();
    if (begun < this.#asideUntil) return this.#timed(begun, aside());
    try {
      return Promise.resolve(atOnce());
    } catch (error) {
      return Promise.reject(error);
    } finally {
      this.#took(begun);
    }
  }

  async #timed<T>(begun: number, operation: Promise<T>): Promise<T> {
    try {
      return await operation;
    } finally {
      this.#took(begun);
    }
  }

  #took(begun: number): void {
    const done = this.#now();
    if (done - begun > SHORT) this.#asideUntil = done + ASIDE;
  }
}
