/** A message's text as it came by SMTP, turned into what a Maildir holds. */

import { FieldName } from "../smtp/field.ts";

/** Octets held back while a line may yet be a Return-Path. */
const MOST_HELD = 64;
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
  #first = true;
  #inHeader = true;
  #skipping = false;
  readonly #returnPath = new FieldName("return-path");
  /** The first octets of a line that may be one; undefined once that is decided. */
  #held: number[] | undefined = [];

  /** Writes what `bytes` turns into to `out` at `at`, and returns where it ended. `out` has room. */
  convert(bytes: Uint8Array, out: Uint8Array, at: number): number {
    let from = 0;
    if (this.#first && bytes.length > 0) {
      this.#first = false;
      // A blank at the very start would continue our own field above: such a text has no header.
      if (bytes[0] === SPACE || bytes[0] === TAB) {
        this.#inHeader = false;
        out[at++] = LF;
      }
    }
    while (this.#inHeader && from < bytes.length) at = this.#header(bytes[from++]!, out, at);
    return withoutCr(bytes, from, out, at);
  }

  /** The most octets that `convert` makes of `length` ones. */
  static room(length: number): number {
    return length + MOST_HELD + 1;
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
    if (held.length === 0) {
      if (byte === SPACE || byte === TAB) return false;
      this.#returnPath.begin();
    }
    const matches = this.#returnPath.next(byte);
    if (matches === undefined && held.length < MOST_HELD) {
      held.push(byte);
      return true;
    }
    this.#skipping = matches === true;
    return false;
  }
}

/** Copies what stands in `bytes` from `from` on to `out` at `at`, and returns where it ended there. */
export function withoutCr(bytes: Uint8Array, from: number, out: Uint8Array, at: number): number {
  out.set(from === 0 ? bytes : bytes.subarray(from), at);
  const stop = at + bytes.length - from;
  let end = at;
  for (let start = at; start < stop;) {
    const cr = out.indexOf(CR, start);
    const next = cr < 0 || cr > stop ? stop : cr;
    if (end !== start) out.copyWithin(end, start, next);
    end += next - start;
    start = next + 1;
  }
  return end;
}
