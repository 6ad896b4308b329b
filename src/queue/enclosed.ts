/** The envelope of a new message stands behind its text, in the same file, and last how long it is. */

import { DamagedError, decodeEnvelope, encodeEnvelope, type QueuedMessage } from "./envelope.ts";

/** Digits of the last line, which tells the octets of the envelope, and its line end. */
const DIGITS = 10;
const LAST_LINE = DIGITS + 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What is to follow a text. */
export function encodeEnclosed(message: QueuedMessage): Uint8Array {
  const envelope = encodeEnvelope(message);
  const enclosed = new Uint8Array(envelope.length + LAST_LINE);
  enclosed.set(envelope);
  encoder.encodeInto(
    `${envelope.length}`.padStart(DIGITS) + "\n",
    enclosed.subarray(envelope.length),
  );
  return enclosed;
}

/**
 * How many octets follow the text, given the end of the file, a last line at least. Throws
 * DamagedError.
 */
export function lengthOfEnclosed(end: Uint8Array): number {
  const [, digits] = /^ *(\d+)\n$/.exec(decoder.decode(end.subarray(-LAST_LINE))) ?? [];
  if (end.length < LAST_LINE || digits === undefined) {
    throw new DamagedError("there is no envelope behind the text");
  }
  return Number(digits) + LAST_LINE;
}

/** The envelope, given what follows the text. Throws DamagedError; `id` is what the file's name says. */
export function decodeEnclosed(enclosed: Uint8Array, id: string): QueuedMessage {
  return decodeEnvelope(enclosed.subarray(0, -LAST_LINE), id);
}
