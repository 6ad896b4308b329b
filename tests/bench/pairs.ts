/** Two servers in turn, A B A B, and others after them. */

import { Contestant, type Result, type Round } from "./contestant.ts";
import type { Load } from "./loads.ts";
import type { Kind } from "./peers/peer.ts";

export interface LoadResult {
  readonly load: Load;
  readonly ours: Result;
  /** Those of Postfix: the round with the same number came after ours. */
  readonly theirs: Result;
  readonly others: readonly Result[];
  /** Which of the others did not take all mail, and why. */
  readonly failures: readonly string[];
}

/** Of a load's messages in the first round of others, and the seconds that their rounds last at most. */
const FIRST = 1 / 40;
const SECONDS = 5;

export interface PairsOptions {
  readonly load: Load;
  readonly ours: Kind;
  readonly theirs: Kind;
  readonly others: readonly Kind[];
  readonly pairs: number;
  /** Rounds of each of the others. */
  readonly otherRounds: number;
  /** A folder in which each gets one; nothing is removed from it. */
  readonly folder: string;
  /** Told what is begun. */
  readonly tell: (words: string) => void;
  /** Rejects when it is to end. */
  readonly stopped: Promise<never>;
}

/**
 * Rejects where one of the two does not take all mail. Each has a round before its first one that
 * counts: then it is as warm as it gets.
 */
export async function measure(options: PairsOptions): Promise<LoadResult> {
  const { load, ours, theirs, others, pairs, otherRounds, tell, stopped } = options;
  await using a = await start(ours, pairs, options);
  await warmUp(a, ours, load.messages, options);
  await using b = await start(theirs, pairs, options);
  await warmUp(b, theirs, load.messages, options);
  const [roundsOfA, roundsOfB]: [Round[], Round[]] = [[], []];
  for (let pair = 1; pair <= pairs; pair++) {
    tell(`pair ${pair} of ${pairs}`);
    roundsOfA.push(await a.round(load.messages, stopped));
    roundsOfB.push(await b.round(load.messages, stopped));
  }
  const results = [a.result(roundsOfA), b.result(roundsOfB)] as const;
  const resultsOfOthers: Result[] = [];
  const failures: string[] = [];
  for (const kind of others) {
    try {
      resultsOfOthers.push(await alone(kind, otherRounds, options));
    } catch (error) {
      failures.push(describe(error));
    }
  }
  return { load, ours: results[0], theirs: results[1], others: resultsOfOthers, failures };
}

/** One that is slow gets as many messages as it takes in some seconds, by what its first round shows. */
async function alone(kind: Kind, count: number, options: PairsOptions): Promise<Result> {
  const { load, tell, stopped } = options;
  await using contestant = await start(kind, count, options);
  const few = Math.min(load.messages, Math.max(load.sessions, load.messages * FIRST));
  const { accepted = SECONDS } = await warmUp(contestant, kind, Math.ceil(few), options);
  const messages = Math.min(load.messages, Math.ceil(few * Math.max(1, SECONDS / accepted)));
  const rounds: Round[] = [];
  for (let round = 1; round <= count; round++) {
    tell(`${kind.name}: round ${round} of ${count}`);
    rounds.push(await contestant.round(messages, stopped));
  }
  return contestant.result(rounds);
}

/** For so many rounds that count. */
async function start(kind: Kind, rounds: number, options: PairsOptions): Promise<Contestant> {
  const { load, folder, tell } = options;
  tell(`${kind.name}: start`);
  const prefix = `${kind.name.toLowerCase().replaceAll(/[^a-z]+/g, "-")}-`;
  // By another name each time it has another place on the disk than in the run before.
  const own = await Deno.makeTempDir({ dir: folder, prefix });
  await Deno.chmod(own, 0o755);
  return await Contestant.start(kind, load, own, rounds + 1);
}

async function warmUp(
  contestant: Contestant,
  { name }: Kind,
  messages: number,
  { tell, stopped }: PairsOptions,
): Promise<Round> {
  tell(`${name}: warm-up`);
  const round = await contestant.round(messages, stopped);
  if (round.missing > 0) throw new Error(`${name} has lost ${round.missing} copies`);
  return round;
}

/** With all that caused it. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}
