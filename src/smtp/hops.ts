/** How many hosts a text has been through, told by its Received lines (RFC 5321 6.3). */

const NAME = "received:";
const CR = 13;
const LF = 10;

/** Counts the Received fields of a text's header while the text passes, in pieces of any size. */
export class HopCounter {
  #count = 0;
  /** How much of NAME the line has shown; -1 once it has shown something else. */
  #matched = 0;
  #column = 0;
  #inHeader = true;

  get count(): number {
    return this.#count;
  }

  /** Whether the header goes on; after its end there is nothing more to count. */
  get inHeader(): boolean {
    return this.#inHeader;
  }

  feed(bytes: Uint8Array): void {
    for (let at = 0; this.#inHeader && at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === LF) {
        // An empty line, CR alone before the LF, ends the header (RFC 5322 2.1).
        if (this.#column === 0) this.#inHeader = false;
        this.#matched = this.#column = 0;
      } else if (byte !== CR) {
        this.#column++;
        this.#match(byte);
      }
    }
  }

  #match(byte: number): void {
    if (this.#matched < 0) return;
    const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    this.#matched = lower === NAME.charCodeAt(this.#matched) ? this.#matched + 1 : -1;
    if (this.#matched < NAME.length) return;
    this.#count++;
    this.#matched = -1;
  }
}
