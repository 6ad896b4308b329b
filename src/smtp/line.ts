/** Command lines out of a stream of bytes. Only CR LF ends one (RFC 5321 2.3.8). */

const CR = 13;
const LF = 10;
/** Octets that nearly every line has room in. */
const MOST_LINES = 1024;
const NONE = new Uint8Array(0);

/**
 * Collects one line at a time, never more than `longest` octets of it (CR LF included): of a longer
 * one the rest is thrown away as it comes, so that it is answered once and costs no memory.
 */
export class LineReader {
  readonly #longest: number;
  /** What came of a line that has not ended yet; most come whole, and need none. */
  #buffer = NONE;
  #length = 0;
  #tooLong = false;
  #start = "";
  #lastWasCr = false;

  constructor(longest: number) {
    this.#longest = longest;
  }

  /** Whether a line has begun that has not ended yet. */
  get begun(): boolean {
    return this.#length > 0;
  }

  /** What was kept of the last line that was too long. */
  get start(): string {
    return this.#start;
  }

  /**
   * Reads from `input` at `from` up to the first line end. Returns where it stopped and, if a line
   * ended there, that line without CR LF, each octet one character; null for a line too long.
   */
  read(input: Uint8Array, from: number): { next: number; line?: string | null } {
    if (this.#length === 0 && !this.#tooLong) {
      const next = endOfLine(input, from, from + this.#longest);
      if (next !== undefined) return { next, line: textOf(input.subarray(from, next - 2)) };
    }
    for (let at = from; at < input.length; at++) {
      const byte = input[at]!;
      if (byte === LF && this.#lastWasCr) return { next: at + 1, line: this.#take() };
      this.#lastWasCr = byte === CR;
      if (this.#length < this.#longest - 1) this.#keep(byte);
      else this.#tooLong = true;
    }
    return { next: input.length };
  }

  #keep(byte: number): void {
    if (this.#length === this.#buffer.length) {
      const size = Math.max(MOST_LINES, 2 * this.#length);
      const larger = new Uint8Array(Math.min(size, this.#longest));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    this.#buffer[this.#length++] = byte;
  }

  #take(): string | null {
    const text = textOf(this.#buffer.subarray(0, this.#length - 1));
    const line = this.#tooLong ? null : text;
    if (this.#tooLong) this.#start = text;
    this.#length = 0;
    this.#tooLong = false;
    this.#lastWasCr = false;
    return line;
  }
}

/** Behind the first CR LF that ends a line from `from` on and before `most`; undefined without one. */
function endOfLine(input: Uint8Array, from: number, most: number): number | undefined {
  const stop = Math.min(input.length, most);
  for (let at = from + 1; at < stop; at++) {
    if (input[at] === LF && input[at - 1] === CR) return at + 1;
  }
  return undefined;
}

/** Each octet one character. */
function textOf(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}
