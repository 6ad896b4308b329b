/** What is attacked: inputs by a grammar, and what must hold for every input there is. */

import type { Random } from "../support/random.ts";

export interface Target {
  /** Also the name of its folder of seeds. */
  readonly name: string;
  /** Runs that the test makes: about two seconds. */
  readonly runs: number;
  /** What mutation inserts, besides what is everybody's trouble; one octet in each character. */
  readonly words: readonly string[];
  /** An input, mostly one that gets far. */
  generate(random: Random): Uint8Array;
  /**
   * Throws or rejects where something does not hold. Returns what the input reached: each kind of
   * outcome by its name. `random` decides what is not the input's: how it is cut, what others answer.
   */
  run(random: Random, input: Uint8Array): Outcomes | Promise<Outcomes>;
  /**
   * The share of runs that reach an outcome at least, so that nobody changes a grammar or a format
   * and leaves everything to be refused at the door.
   */
  readonly reaches: Readonly<Record<string, number>>;
  /** Inputs to begin with, out of what the tests have already. */
  seeds?(): Promise<readonly Uint8Array[]>;
}

export type Outcomes = Iterable<string>;
