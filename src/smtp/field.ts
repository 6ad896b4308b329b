/** Recognises one field of a header by its name, octet by octet (RFC 5322 2.2). */

const COLON = 58;
const SPACE = 32;
const TAB = 9;
/** Blanks before a colon beyond which a line is taken for no field. */
const MOST_BLANKS = 32;

export class FieldName {
  readonly #name: string;
  #at = 0;
  #blanks = 0;

  /** `name` in lower case, without the colon. */
  constructor(name: string) {
    this.#name = name;
  }

  /** A line begins. */
  begin(): void {
    this.#at = this.#blanks = 0;
  }

  /**
   * The next octet of the line: true when it completes the name and its colon, false when the line
   * is not this field, undefined while it may be. After true or false wait for the next line.
   */
  next(byte: number): boolean | undefined {
    if (this.#at === this.#name.length) {
      // Blanks before the colon are obsolete, but to be understood (RFC 5322 4.5).
      const blank = byte === SPACE || byte === TAB;
      return blank && ++this.#blanks <= MOST_BLANKS ? undefined : byte === COLON;
    }
    const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    return lower === this.#name.charCodeAt(this.#at++) ? undefined : false;
  }
}
