/** Enhanced status codes (RFC 3463) for what decided a recipient. */

import type { Reply } from "../smtp/reply.ts";

/**
 * What a code alone says, where its text in RFC 5321 4.2.3, RFC 7504 or RFC 7505 says one thing.
 * 550 and 554 are not here: 550 is "not found, no access, or policy", so 5.1.1 would be a guess.
 */
const BY_CODE: ReadonlyMap<number, string> = new Map([
  [421, "4.3.2"],
  [450, "4.2.0"],
  [451, "4.3.0"],
  [452, "4.3.1"],
  [521, "5.3.2"],
  [551, "5.1.6"],
  [552, "5.2.2"],
  [553, "5.1.3"],
  [556, "5.1.10"],
]);

/**
 * The enhanced status code of a reply: its own where that is of the code's class, else what the code
 * stands for, else the class alone (RFC 3461 6.3 g). A 3yz reply decides nothing: it counts as
 * temporary, for there is no class 3 (RFC 3463 2).
 */
export function statusOf({ code, status }: Reply): string {
  const kind = code < 300 ? 2 : code < 500 ? 4 : 5;
  return ownStatus(status, kind) ?? BY_CODE.get(code) ?? `${kind}.0.0`;
}

/** A reply's own status without leading zeros, which no report may have (RFC 3464 2.3.4). */
function ownStatus(status: string, kind: number): string | undefined {
  const numbers = /^(\d)\.(\d{1,3})\.(\d{1,3})$/.exec(status)?.slice(1).map(Number);
  return numbers?.[0] === kind ? numbers.join(".") : undefined;
}
