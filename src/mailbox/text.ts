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
  /** The first octets of a line that may be one, while that is open. */
  readonly #held = new Uint8Array(MOST_HELD);
  #holding = 0;
  #open = true;

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
    while (this.#inHeader && from < bytes.length) {
      const byte = bytes[from++]!;
      // The rest of a line that is decided needs no further look.
      if (this.#open || byte === LF) at = this.#header(byte, out, at);
      else if (!this.#skipping && byte !== CR) out[at++] = byte;
    }
    return withoutCr(bytes, from, bytes.length, out, at);
  }

  /** The most octets that `convert` makes of `length` ones. */
  static room(length: number): number {
    return length + MOST_HELD + 1;
  }

  #header(byte: number, out: Uint8Array, at: number): number {
    if (byte === CR) return at;
    if (this.#open) {
      if (this.#isUndecided(byte)) return at;
      if (!this.#skipping) {
        for (let i = 0; i < this.#holding; i++) out[at++] = this.#held[i]!;
      }
      if (byte === LF && this.#holding === 0) this.#inHeader = false;
      this.#open = false;
    }
    if (byte === LF) {
      this.#open = true;
      this.#holding = 0;
    }
    if (!this.#skipping) out[at++] = byte;
    return at;
  }

  /** Whether it is still open if the line is a Return-Path, or a line that continues one. */
  #isUndecided(byte: number): boolean {
    if (this.#holding === 0) {
      if (byte === SPACE || byte === TAB) return false;
      this.#returnPath.begin();
    }
    const matches = this.#returnPath.next(byte);
    if (matches === undefined && this.#holding < MOST_HELD) {
      this.#held[this.#holding++] = byte;
      return true;
    }
    this.#skipping = matches === true;
    return false;
  }
}

/** Copies the octets from `from` to `to` to `out` at `at`, and returns where they end there. */
export function withoutCr(
  bytes: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  at: number,
): number {
  if (from === to) return at;
  const rest = bytes.subarray(from, to);
  out.set(rest, at);
  let end = at;
  for (let start = 0; start < rest.length;) {
    const cr = rest.indexOf(CR, start);
    const next = cr < 0 ? rest.length : cr;
    if (end !== at + start) out.copyWithin(end, at + start, at + next);
    end += next - start;
    start = next + 1;
  }
  return end;
}
