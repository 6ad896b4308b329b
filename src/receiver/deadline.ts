/** A limit on how long to wait for a peer. */

/**
 * Calls `expired` once, when a single wait has lasted `seconds`. Waits are many and short, so they
 * cost no timer each: one timer looks now and then how long the present wait has lasted.
 */
export class Deadline {
  #began = performance.now();
  /** When the present wait began, undefined while there is none. */
  #since: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #limit: number;

  constructor(seconds: number, readonly expired: () => void) {
    this.#limit = seconds * 1000;
    this.#arm(this.#limit);
  }

  /** A wait begins, or the last one goes on: bytes that came in between have not ended it. */
  begin(goesOn = false): void {
    if (!goesOn) this.#began = performance.now();
    this.#since = this.#began;
  }

  /** The wait is over. */
  end(): void {
    this.#since = undefined;
  }

  /** No wait counts any more. */
  cancel(): void {
    clearTimeout(this.#timer);
  }

  #arm(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#look(), milliseconds);
  }

  #look(): void {
    const waited = this.#since === undefined ? 0 : performance.now() - this.#since;
    if (waited >= this.#limit) this.expired();
    else this.#arm(Math.max(1, this.#limit - waited));
  }
}
