/** Octets as text with one character for each, and octets in pieces. */

import type { Random } from "../support/random.ts";

/** Characters above 255 lose what is above it. */
export function octets(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Not by TextDecoder, whose "latin1" makes other characters of some octets. */
export function characters(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return text;
}

/** The octets of UTF-8, a character for each. */
export function utf8(text: string): string {
  return characters(new TextEncoder().encode(text));
}

/** Whole, octet by octet, by line, or in pieces of some length; copies, for their reader to spoil. */
export function cut(random: Random, bytes: Uint8Array): Uint8Array[] {
  const most = random.pick([Infinity, 1, 3, 20, 200, 3000]);
  const byLine = random.chance(0.2);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    let end = at + (most === Infinity ? bytes.length : random.between(1, most));
    if (byLine) end = (bytes.indexOf(10, at) + 1) || bytes.length;
    pieces.push(bytes.slice(at, end));
    at = end;
  }
  return pieces;
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
