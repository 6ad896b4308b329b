/** Rounds that nobody has played, for tests of what is made of them. */

import type { Result, Round } from "./contestant.ts";

/** One message in one second, unless told. */
export function roundOf(figures: Partial<Round>): Round {
  return { messages: 1, accepted: 1, missing: 0, processor: 0, memory: 0, ...figures };
}

export function resultOf(name: string, rounds: readonly Round[]): Result {
  return { name, rounds, peak: 0 };
}
