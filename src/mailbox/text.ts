/** A message's text as it came by SMTP, turned into what a Maildir holds. */

const NAME = "return-path:";
const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;

/**
 * Turns CR LF into LF and leaves out Return-Path fields that came with the text: final delivery
 * puts its own on top, and exactly one may remain (RFC 5321 4.4). Takes pieces of any size. The
 * text holds no CR and no LF but in pairs, which the session made sure of.
 */
export class MailboxText {
  #inHeader = true;
  #skipping = false;
  /** The first octets of a line that may become NAME; undefined once that is decided. */
  #held: number[] | undefined = [];

  /** Writes what `bytes` turns into to `out` at `at`, and returns where it ended. `out` has room. */
  convert(bytes: Uint8Array, out: Uint8Array, at: number): number {
    let from = 0;
    while (this.#inHeader && from < bytes.length) at = this.#header(bytes[from++]!, out, at);
    while (from < bytes.length) {
      const cr = bytes.indexOf(CR, from);
      const stop = cr < 0 ? bytes.length : cr;
      out.set(from === 0 && stop === bytes.length ? bytes : bytes.subarray(from, stop), at);
      at += stop - from;
      from = stop + 1;
    }
    return at;
  }

  /** The most octets that `convert` makes of `length` ones. */
  static room(length: number): number {
    return length + NAME.length;
  }

  #header(byte: number, out: Uint8Array, at: number): number {
    if (byte === CR) return at;
    if (this.#held) {
      const undecided = this.#decide(byte, this.#held);
      if (undecided) return at;
      if (!this.#skipping) {
        out.set(this.#held, at);
        at += this.#held.length;
      }
      if (byte === LF && this.#held.length === 0) this.#inHeader = false;
      this.#held = undefined;
    }
    if (byte === LF) this.#held = [];
    if (!this.#skipping) out[at++] = byte;
    return at;
  }

  /** Whether it is still open if the line is a Return-Path, or a line that continues one. */
  #decide(byte: number, held: number[]): boolean {
    const first = held.length === 0;
    if (first && (byte === SPACE || byte === TAB)) return false;
    const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    const matches = lower === NAME.charCodeAt(held.length);
    if (matches && held.length < NAME.length - 1) {
      held.push(byte);
      return true;
    }
    this.#skipping = matches;
    return false;
  }
}
