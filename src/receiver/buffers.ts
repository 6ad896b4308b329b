/** Buffers to read into: a small one of each connection's own, and large ones for whoever sends a text. */

/** Commands are short. */
const SMALL = 2 * 1024;
const LARGE = 64 * 1024;
const KEPT = 64;

/** Used again, so that idle connections hold none. */
const free: Uint8Array<ArrayBuffer>[] = [];

/** What one connection reads into. */
export class ReadBuffer {
  readonly #small = new Uint8Array(SMALL);
  #large: Uint8Array<ArrayBuffer> | undefined;

  /** The one for what comes next; what is in another is lost. */
  for(next: "a command" | "a text"): Uint8Array<ArrayBuffer> {
    if (next === "a text") return this.#large ??= free.pop() ?? new Uint8Array(LARGE);
    this.release();
    return this.#small;
  }

  /** Gives back what is only lent. */
  release(): void {
    if (this.#large && free.length < KEPT) free.push(this.#large);
    this.#large = undefined;
  }
}
