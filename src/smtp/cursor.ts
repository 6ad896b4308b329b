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

  /** Moves over `expected` if it comes next. */
  accept(expected: string): boolean {
    if (!this.text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  /** The same for a word, in whatever case. */
  acceptWord(word: string): boolean {
    const end = this.#at + word.length;
    if (this.text.slice(this.#at, end).toUpperCase() !== word.toUpperCase()) return false;
    this.#at = end;
    return true;
  }

  /** Moves over what a sticky expression matches here and returns it, "" if it does not match. */
  run(expression: RegExp): string {
    expression.lastIndex = this.#at;
    const run = expression.exec(this.text)?.[0] ?? "";
    this.#at += run.length;
    return run;
  }
}
