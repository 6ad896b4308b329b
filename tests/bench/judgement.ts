/** Whether a load's target is met, and by how much not. Pure. */

import type { Result, Round } from "./contestant.ts";
import { digits, ratios, spreadOf } from "./figures.ts";
import type { LoadResult } from "./pairs.ts";

/** One thing that is wanted. */
export interface Point {
  readonly met: boolean;
  /** What it came to and, where it is not met, what was wanted. */
  readonly words: string;
}

const MEGA = 1e6;

/** Messages per second, round by round; none where the load does not measure that. */
export function ratesOf({ rounds }: Result, until: "accepted" | "arrived"): number[] {
  return rounds.flatMap((round) => {
    const seconds = round[until];
    return seconds === undefined ? [] : [round.messages / seconds];
  });
}

/** Seconds of processor time for 1,000 messages, round by round. */
export function processorOf({ rounds }: Result): number[] {
  return rounds.map(({ processor, messages }: Round) => processor * 1000 / messages);
}

/** Octets of memory at most in all its rounds. */
export function memoryOf({ rounds }: Result): number {
  return Math.max(...rounds.map(({ memory }) => memory));
}

/** Every point of a load's target, medians of the pairs taken. */
export function judge({ load, ours, theirs }: LoadResult): Point[] {
  const points: Point[] = [];
  const rate = (until: "accepted" | "arrived", words: string) => {
    const figures = ratios(ratesOf(ours, until), ratesOf(theirs, until));
    if (figures.length === 0) return;
    const { median } = spreadOf(figures);
    points.push(point(median >= load.target.ratio, {
      is: `${digits(median)} times Postfix ${words}`,
      wanted: `${digits(load.target.ratio)} wanted`,
    }));
  };
  rate("accepted", "accepted");
  rate("arrived", load.kind === "mailbox" ? "in the mailbox" : "at the next hop");
  const processor = spreadOf(ratios(processorOf(ours), processorOf(theirs))).median;
  points.push(point(processor < 1, {
    is: `${digits(processor)} of Postfix's processor time`,
    wanted: "less than 1 wanted",
  }));
  // A look now and then may miss what the system has seen.
  const memory = Math.max(ours.peak, memoryOf(ours));
  points.push(point(memory < load.target.memory, {
    is: `${digits(memory / MEGA)} MB of memory`,
    wanted: `less than ${digits(load.target.memory / MEGA)} wanted`,
  }));
  for (const { name, rounds } of [ours, theirs]) {
    const missing = rounds.reduce((sum, round) => sum + round.missing, 0);
    if (missing > 0) points.push({ met: false, words: `${name} has lost ${missing} copies` });
  }
  return points;
}

function point(met: boolean, { is, wanted }: { readonly is: string; readonly wanted: string }) {
  return { met, words: met ? is : `${is} (${wanted})` };
}

/** One line: `(a) met: ...` with all points, or `(a) missed: ...` with those that are not met. */
export function judgementLine(letter: string, points: readonly Point[]): string {
  const missed = points.filter(({ met }) => !met);
  const [word, told] = missed.length === 0 ? ["met", points] : ["missed", missed];
  return `(${letter}) ${word}: ${told.map(({ words }) => words).join(", ")}`;
}
