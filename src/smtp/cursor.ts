/** A place in a line of text that only moves forward. */
export class Cursor {
  #at = 0;

  constructor(readonly text: string) {}

  get at(): number {
    return this.#at;
  }

  get done(): boolean {
    return this.#at >= this.text.length;
  }

  /** What has not been read yet. */
  get rest(): string {
    return this.text.slice(this.#at);
  }

  /** The next character without moving, "" at the end. */
  peek(): string {
    return this.text.charAt(this.#at);
  }

  /** The next character, and moves over it; "" at the end. */
  next(): string {
    return this.text.charAt(this.#at++);
  }

  /** Moves over `expected`, in whatever case, if it comes next. */
  accept(expected: string): boolean {
    const end = this.#at + expected.length;
    if (this.text.slice(this.#at, end).toUpperCase() !== expected.toUpperCase()) return false;
    this.#at = end;
    return true;
  }

  /** Moves over the longest run of characters of this class and returns it, "" if there is none. */
  run(characters: RegExp): string {
    const start = this.#at;
    while (!this.done && characters.test(this.peek())) this.#at++;
    return this.text.slice(start, this.#at);
  }
}
