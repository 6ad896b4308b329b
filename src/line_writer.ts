/**
 * Lines to a stream that may stall. Whoever logs must never wait for whoever reads the log, so lines
 * wait here, up to a bound, and beyond it they are dropped and counted.
 */

/** What lines go to, such as Deno.stdout. */
export interface Stream {
  write(bytes: Uint8Array): Promise<number>;
}

/** Octets in one write: what a pipe takes whole, so that two threads' lines do not mix. */
const WRITE = 4096;
/** Characters that may wait. */
const MOST_WAITING = 4 * 1024 * 1024;

const encoder = new TextEncoder();

export class LineWriter {
  readonly #stream: Stream;
  #waiting: string[] = [];
  #length = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** Lines lost so far because nobody read. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes one line with its end. */
  write(line: string): void {
    if (this.#length + line.length > MOST_WAITING) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(line);
    this.#length += line.length;
    this.#writing ??= this.#writeAll();
  }

  /** Returns when everything is written, or after `patience` milliseconds. */
  async flush(patience: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, patience);
    await Promise.race([this.#writing, promise]);
    clearTimeout(timer);
  }

  async #writeAll(): Promise<void> {
    // The lines of this turn go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const bytes = encoder.encode(this.#next());
      try {
        for (let at = 0; at < bytes.length;) at += await this.#stream.write(bytes.subarray(at));
      } catch {
        // Nobody reads any more: the lines are lost, the mail is not.
        this.#dropped++;
      }
    }
    this.#writing = undefined;
  }

  /** As many lines as one write takes, one at least. */
  #next(): string {
    let count = 0;
    let length = 0;
    for (const line of this.#waiting) {
      if (count > 0 && length + line.length > WRITE) break;
      length += line.length;
      count++;
    }
    this.#length -= length;
    return this.#waiting.splice(0, count).join("");
  }
}
