/** What a growth measurement is: one load that grows, and figures at each size of it. */

import type { Law } from "./judgement.ts";

/** A figure that each round has at each load. */
export interface Column {
  /** Its name among the figures. */
  readonly key: string;
  /** With its unit. */
  readonly heading: string;
  /** Not there where it tells what another one does. */
  readonly judged?: Judged;
}

export interface Judged {
  /** What it costs. */
  readonly what: string;
  /** The figure itself is the cost, or as many as there are for one of it: a rate. */
  readonly as: "cost" | "rate";
  readonly law: Law;
}

/** One round's, by the columns' keys. */
export type Figures = Readonly<Record<string, number>>;

export interface Curve {
  /** How it is called on the command line. */
  readonly name: string;
  readonly title: string;
  /** What the load is. */
  readonly load: string;
  /** A load as a table has it. */
  readonly write: (load: number) => string;
  /** In order, from the least; those of a quick look, or all. */
  readonly loads: (quick: boolean) => readonly number[];
  readonly columns: readonly Column[];
  readonly plotted: Plotted;
  /** Returns for each load its rounds. */
  measure(bench: Bench): Promise<readonly (readonly Figures[])[]>;
}

export interface Plotted {
  /** What is seen, with its unit. */
  readonly heading: string;
  /** The lines: keys of columns, and how those are called. */
  readonly lines: Readonly<Record<string, string>>;
}

/** What curves are measured with. */
export interface Bench {
  /** The daemon's command line up to its own words. */
  readonly command: readonly string[];
  /** The curve's. */
  readonly loads: readonly number[];
  readonly rounds: number;
  readonly quick: boolean;
  /**
   * A new folder. It is removed when all has been measured: the file system would be slower for a while
   * for those that come next.
   */
  folder(): Promise<string>;
  /** Tells what is done now. Throws where the bench is stopped. */
  tell(what: string): void;
}

/**
 * Each load once in every round, so that whatever changes with time hits all of them. Returns for each
 * load its rounds.
 */
export async function inRounds(
  { loads, rounds, tell }: Bench,
  measure: (load: number, round: number) => Promise<Figures>,
): Promise<Figures[][]> {
  const results = loads.map((): Figures[] => []);
  for (let round = 1; round <= rounds; round++) {
    for (const [i, load] of loads.entries()) {
      tell(`round ${round} of ${rounds}: ${load}`);
      results[i]!.push(await measure(load, round));
    }
  }
  return results;
}

/** A number with its thousands apart. */
export function inThousands(load: number): string {
  return load.toLocaleString("en");
}
