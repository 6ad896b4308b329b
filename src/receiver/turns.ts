/** Turns for connections that always have something to do, so that the others are served too. */

/** Milliseconds of work after which a connection lets the others have their turn. */
const TURN = 1;

/**
 * Counts the work between two waits. A peer that sends faster than it is served never makes its
 * connection wait, and without a wait nobody else comes to be served.
 */
export class Turns {
  readonly #now: () => number;
  #begun = 0;
  #worked = 0;

  /** `now` is in milliseconds, from any start. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Work begins. */
  begin(): void {
    this.#begun = this.#now();
  }

  /** There was a real wait in between, for a disk or the like. */
  waited(): void {
    this.begin();
    this.#worked = 0;
  }

  /** Work ends; a promise where it is the others' turn. */
  end(): Promise<void> | undefined {
    this.#worked += this.#now() - this.#begun;
    if (this.#worked < TURN) return undefined;
    this.#worked = 0;
    return new Promise((resolve) => setTimeout(resolve, 0));
  }
}
