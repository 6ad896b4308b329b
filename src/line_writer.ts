/**
 * Lines to a stream that may stall. Whoever logs must never wait for whoever reads the log, so lines
 * wait here, up to a bound, and beyond it they are dropped and counted.
 */

/** What lines go to, such as Deno.stdout. */
export interface Stream {
  write(bytes: Uint8Array): Promise<number>;
}

const LF = 10;
/** Octets in one write. A pipe takes as many in one piece, so that short lines of two threads do not mix. */
const WRITE = 4096;
/** Milliseconds that the next lines are waited for, to go together: a write costs more than many of them. */
const GATHER = 5;
/** Characters that may wait. */
const MOST_WAITING = 4 * 1024 * 1024;
/** Milliseconds before a full stream that does not wait itself is tried again; doubled up to the second. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 500;

/** Milliseconds for the last lines at the end of a program. */
const LAST_LINES = 1000;

const encoder = new TextEncoder();

export class LineWriter {
  readonly #stream: Stream;
  #waiting: string[] = [];
  /** Characters in them. */
  #length = 0;
  #dropped = 0;
  #told = 0;
  #writing: Promise<void> | undefined;
  #flushing = 0;
  /** Ends a wait for further lines. */
  #hurry = () => {};
  /** Is told how many lines were lost, once there is room to say so. */
  lost: (lines: number) => void = () => {};

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
    if (this.#length >= WRITE) this.#hurry();
  }

  /** Returns when everything is written, or after `patience` milliseconds. */
  async flush(patience = LAST_LINES): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, patience);
    this.#flushing++;
    this.#hurry();
    await Promise.race([this.#writing, promise]);
    this.#flushing--;
    clearTimeout(timer);
  }

  async #writeAll(): Promise<void> {
    // The lines of this turn go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const { bytes, lines } = this.#next();
      try {
        await this.#writeWhole(bytes);
        this.#tellLost();
      } catch {
        // Nobody reads any more: the lines are lost, the mail is not.
        this.#dropped += lines;
      }
      if (this.#length < WRITE && this.#flushing === 0) await this.#gather();
    }
    this.#writing = undefined;
  }

  #gather(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, GATHER);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #writeWhole(bytes: Uint8Array): Promise<void> {
    let pause = FIRST_PAUSE;
    for (let at = 0; at < bytes.length;) {
      try {
        at += await this.#stream.write(bytes.subarray(at, endOfWrite(bytes, at)));
        pause = FIRST_PAUSE;
      } catch (error) {
        // A parent may have made the stream one that says it is full instead of waiting.
        if (!(error instanceof Deno.errors.WouldBlock)) throw error;
        await new Promise((resolve) => setTimeout(resolve, pause));
        pause = Math.min(2 * pause, LONGEST_PAUSE);
      }
    }
  }

  #tellLost(): void {
    if (this.#dropped === this.#told || this.#length > MOST_WAITING / 2) return;
    const lines = this.#dropped - this.#told;
    this.#told = this.#dropped;
    this.lost(lines);
  }

  /** As many lines as one write takes, one at least; what is not ASCII may make it more than one. */
  #next(): { bytes: Uint8Array; lines: number } {
    let lines = 0;
    let length = 0;
    for (const line of this.#waiting) {
      if (lines > 0 && length + line.length > WRITE) break;
      length += line.length;
      lines++;
    }
    this.#length -= length;
    return { bytes: encoder.encode(this.#waiting.splice(0, lines).join("")), lines };
  }
}

/** Behind the last line that one write takes of what begins at `from`, or behind the first one. */
function endOfWrite(bytes: Uint8Array, from: number): number {
  if (bytes.length - from <= WRITE) return bytes.length;
  const end = bytes.lastIndexOf(LF, from + WRITE - 1) + 1;
  return end > from ? end : bytes.indexOf(LF, from) + 1;
}
