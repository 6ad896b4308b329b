/** A text in blocks for the wire: few large writes, whatever pieces it is read in. */

import { TextSender } from "../smtp/transparency.ts";

/** A part of what goes over the wire for a text. */
export interface Block {
  /** Good until the next block. */
  readonly bytes: Uint8Array;
  /** Whether the end mark is in it. */
  readonly last: boolean;
}

const BLOCK = 64 * 1024;

/** The text made ready for the wire, with its end mark. Throws what reading the text throws. */
export async function* blocksOf(text: AsyncIterable<Uint8Array>): AsyncGenerator<Block> {
  const sender = new TextSender();
  const buffer = new Uint8Array(BLOCK);
  let length = 0;
  function* add(piece: Uint8Array): Generator<Block> {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + BLOCK - length);
      buffer.set(part, length);
      at += part.length;
      length += part.length;
      if (length < BLOCK) return;
      yield { bytes: buffer, last: false };
      length = 0;
    }
  }
  for await (const piece of text) {
    for (const part of sender.convert(piece)) yield* add(part);
  }
  const end = sender.end();
  if (length + end.length > BLOCK) {
    yield { bytes: buffer.subarray(0, length), last: false };
    length = 0;
  }
  buffer.set(end, length);
  yield { bytes: buffer.subarray(0, length + end.length), last: true };
}
