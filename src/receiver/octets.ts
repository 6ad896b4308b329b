/** Replies as octets. Nearly all of them are said again and again, so those are kept. */

/** Outputs that are kept, the first ones that there are, and the characters of the longest. */
const MOST_KEPT = 100;
const LONGEST_KEPT = 200;

const encoder = new TextEncoder();
const kept = new Map<string, Uint8Array>();

/** What a session says, for whoever writes it and changes nothing in it. */
export function octetsOf(output: string): Uint8Array {
  const known = kept.get(output);
  if (known) return known;
  const octets = encoder.encode(output);
  if (kept.size < MOST_KEPT && output.length <= LONGEST_KEPT) kept.set(output, octets);
  return octets;
}
