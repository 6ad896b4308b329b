/** Large read buffers, lent while a text comes in and used again: idle connections hold none. */

const SIZE = 64 * 1024;
const KEPT = 64;

const free: Uint8Array<ArrayBuffer>[] = [];

export function borrowBuffer(): Uint8Array<ArrayBuffer> {
  return free.pop() ?? new Uint8Array(SIZE);
}

export function returnBuffer(buffer: Uint8Array<ArrayBuffer>): void {
  if (free.length < KEPT) free.push(buffer);
}
