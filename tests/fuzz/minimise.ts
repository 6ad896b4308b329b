/** The core of an input that fails. */

import { joined } from "./octets.ts";

/** Runs that may be spent on one input. */
const TRIES = 3000;

/** Leaves out of an input whatever can go, in ever smaller parts, as long as it still fails. */
export async function minimised(
  input: Uint8Array,
  fails: (input: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  let least = input;
  let tries = TRIES;
  for (
    let size = Math.ceil(input.length / 2);
    size > 0;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let at = 0; at < least.length && tries > 0;) {
      const less = joined([least.subarray(0, at), least.subarray(at + size)]);
      tries--;
      if (await fails(less)) least = less;
      else at += size;
    }
  }
  return least;
}
