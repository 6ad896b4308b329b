/** A text in blocks for the wire: few large writes, whatever pieces it is read in. */

import { TextSender } from "../smtp/transparency.ts";

/** A part of what goes over the wire for a text. */
export interface Block {
  /** Good until the next block. */
  readonly bytes: Uint8Array;
  /** Whether the end mark is in it. */
  readonly last: boolean;
}

/** Octets of a block at most. */
const MOST = 64 * 1024;
/** Octets for the end mark and some doubled periods. */
const SPARE = 64;

/** The text made ready for the wire, with its end mark. Throws what reading the text throws. */
export async function* blocksOf(text: AsyncIterable<Uint8Array>): AsyncGenerator<Block> {
  const sender = new TextSender();
  let buffer = new Uint8Array(0);
  let length = 0;
  // Most texts are short, and one piece.
  function makeRoom(octets: number): void {
    if (length + octets <= buffer.length || buffer.length === MOST) return;
    const needed = Math.max(length + octets + SPARE, 2 * buffer.length);
    const larger = new Uint8Array(Math.min(needed, MOST));
    larger.set(buffer.subarray(0, length));
    buffer = larger;
  }
  function* add(piece: Uint8Array): Generator<Block> {
    makeRoom(piece.length);
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + buffer.length - length);
      buffer.set(part, length);
      at += part.length;
      length += part.length;
      if (length < MOST) return;
      yield { bytes: buffer, last: false };
      length = 0;
    }
  }
  for await (const piece of text) {
    for (const part of sender.convert(piece)) yield* add(part);
  }
  const end = sender.end();
  makeRoom(end.length);
  if (length + end.length > buffer.length) {
    yield { bytes: buffer.subarray(0, length), last: false };
    length = 0;
  }
  buffer.set(end, length);
  yield { bytes: buffer.subarray(0, length + end.length), last: true };
}
