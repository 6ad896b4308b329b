/** Buffers to read into: a small one of each connection's own, and large ones for whoever sends a text. */

/** Commands are short. */
const SMALL = 2 * 1024;
const LARGE = 64 * 1024;
const KEPT = 64;
const NONE = new Uint8Array(0);

/** Used again, so that idle connections hold no large one, and coming and going ones make none. */
const freeSmall: Uint8Array<ArrayBuffer>[] = [];
const freeLarge: Uint8Array<ArrayBuffer>[] = [];

/** What one connection reads into. */
export class ReadBuffer {
  #small = freeSmall.pop() ?? new Uint8Array(SMALL);
  #large: Uint8Array<ArrayBuffer> | undefined;

  /** The one for what comes next; what is in another is lost. */
  for(next: "a command" | "a text"): Uint8Array<ArrayBuffer> {
    if (next === "a text") return this.#large ??= freeLarge.pop() ?? new Uint8Array(LARGE);
    this.#releaseLarge();
    return this.#small;
  }

  /** Nothing is read any more, and what was is of no use. */
  release(): void {
    this.#releaseLarge();
    if (freeSmall.length < KEPT && this.#small !== NONE) freeSmall.push(this.#small);
    this.#small = NONE;
  }

  #releaseLarge(): void {
    if (this.#large && freeLarge.length < KEPT) freeLarge.push(this.#large);
    this.#large = undefined;
  }
}
