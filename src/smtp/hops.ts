/** How many hosts a text has been through, told by its Received lines (RFC 5321 6.3). */

import { FieldName } from "./field.ts";

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;

/** Counts the Received fields of a text's header while the text passes, in pieces of any size. */
export class HopCounter {
  #count = 0;
  readonly #received = new FieldName("received");
  /** Whether the present line may still be one. */
  #open = true;
  #lineEmpty = true;
  #inHeader = true;
  #begun = false;

  get count(): number {
    return this.#count;
  }

  /** Whether the header goes on; after its end there is nothing more to count. */
  get inHeader(): boolean {
    return this.#inHeader;
  }

  feed(bytes: Uint8Array): void {
    // A text that begins with a blank has no header (RFC 5322 2.2).
    if (!this.#begun && (bytes[0] === SPACE || bytes[0] === TAB)) this.#inHeader = false;
    this.#begun ||= bytes.length > 0;
    for (let at = 0; this.#inHeader && at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === LF) {
        // An empty line, CR alone before the LF, ends the header (RFC 5322 2.1).
        if (this.#lineEmpty) this.#inHeader = false;
        this.#lineEmpty = this.#open = true;
        this.#received.begin();
      } else if (byte !== CR) {
        this.#lineEmpty = false;
        if (this.#open) this.#match(byte);
        else at = endOfLine(bytes, at) - 1;
      }
    }
  }

  #match(byte: number): void {
    const matches = this.#received.next(byte);
    if (matches === undefined) return;
    this.#open = false;
    if (matches) this.#count++;
  }
}

function endOfLine(bytes: Uint8Array, from: number): number {
  const lf = bytes.indexOf(LF, from);
  return lf < 0 ? bytes.length : lf;
}
