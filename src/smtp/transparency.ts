/** A text made ready for the wire: its leading periods doubled, its end marked (RFC 5321 4.5.2). */

const LF = 10;
const CR = 13;
const PERIOD = 46;

const DOUBLED = Uint8Array.of(PERIOD);
const encoder = new TextEncoder();

/** Takes a text whose lines end in CR LF, in pieces of any size. */
export class TextSender {
  #lineStart = true;
  #endsInCr = false;

  /** What to write for a piece: views into it, with periods between them. */
  convert(bytes: Uint8Array): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (this.#lineStart && byte === PERIOD) {
        pieces.push(bytes.subarray(start, at), DOUBLED);
        start = at;
      }
      this.#lineStart = byte === LF && this.#endsInCr;
      this.#endsInCr = byte === CR;
    }
    pieces.push(bytes.subarray(start));
    return pieces.filter((piece) => piece.length > 0);
  }

  /** The end mark; a text that does not end in CR LF gets one first, no other gets a second. */
  end(): Uint8Array {
    return encoder.encode(this.#lineStart ? ".\r\n" : "\r\n.\r\n");
  }
}
