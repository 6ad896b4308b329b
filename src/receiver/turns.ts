/** Turns for connections that always have something to do, so that the others are served too. */

/** Milliseconds of work after which a connection lets the others have their turn. */
const TURN = 1;

/**
 * Counts the work between two waits. A peer that sends faster than it is served never makes its
 * connection wait, and without a wait nobody else comes to be served.
 */
export class Turns {
  #begun = 0;
  #worked = 0;

  /** Work begins. All times are in milliseconds, from any start. */
  begin(now: number): void {
    this.#begun = now;
  }

  /** There was a real wait in between, for a disk or the like. */
  waited(now: number): void {
    this.begin(now);
    this.#worked = 0;
  }

  /** Work ends, or goes on; a promise where it is the others' turn. */
  end(now: number): Promise<void> | undefined {
    this.#worked += now - this.#begun;
    this.begin(now);
    if (this.#worked < TURN) return undefined;
    this.#worked = 0;
    return new Promise((resolve) => setTimeout(resolve, 0));
  }
}
