/** Runs a target on inputs that are made up, mutated or kept, and tells what failed and what was reached. */

import { Random } from "../support/random.ts";
import { type Saved, shown } from "./corpus.ts";
import { minimised } from "./minimise.ts";
import { LONGEST_INPUT, mutated } from "./mutate.ts";
import type { Target } from "./target.ts";

/** An input for which something does not hold. */
export interface Finding {
  readonly target: string;
  /** Of its file, or its number in the order of runs. */
  readonly where: string;
  /** As small as it got. */
  readonly input: Uint8Array;
  readonly chance: number;
  readonly error: unknown;
}

/** Inputs that once were the first to behave in some way, to make others of. */
const MOST_KEPT = 200;
const MOST_BEHAVIOURS = 20_000;
/** One cause is found again and again. */
const MOST_FINDINGS = 5;

export class Fuzzer {
  readonly findings: Finding[] = [];
  /** Random runs so far. */
  runs = 0;
  /** Milliseconds that they took, and the slowest of them. */
  time = 0;
  slowest = 0;
  readonly #reached = new Map<string, number>();
  readonly #behaviours = new Set<string>();
  readonly #seeds: readonly Uint8Array[];
  readonly #kept: Uint8Array[] = [];

  /**
   * `seed` decides about every run; `seeds` are inputs to make others of. What takes longer than
   * `patience`, in milliseconds, is a finding too.
   */
  constructor(
    readonly target: Target,
    readonly seed: number,
    seeds: readonly Uint8Array[],
    readonly patience = Infinity,
  ) {
    this.#seeds = seeds.filter(({ length }) => length <= LONGEST_INPUT);
  }

  /** Different sets of outcomes so far. */
  get behaviours(): number {
    return this.#behaviours.size;
  }

  /** Whether so much was found that it is time to mend it. */
  get full(): boolean {
    return this.findings.length >= MOST_FINDINGS;
  }

  /** Outcomes that fewer runs reached than should, in words. */
  get missed(): string[] {
    return Object.entries(this.target.reaches).flatMap(([outcome, share]) => {
      const reached = this.share(outcome);
      return reached >= share ? [] : [`${outcome}: ${percent(reached)}, not ${percent(share)}`];
    });
  }

  /** The part of the runs that reached an outcome, one of those that should be. */
  share(outcome: string): number {
    return this.#count(outcome) / Math.max(1, this.runs);
  }

  #count(outcome: string): number {
    return this.#reached.get(outcome) ?? 0;
  }

  /** Runs one that is kept: with its chance, or some of them. */
  async replay({ name, input, chance }: Saved): Promise<void> {
    const chances = chance === undefined ? [1, 2, 3, 4, 5, 6, 7, 8] : [chance];
    for (const one of chances) if (!await this.#try(input, one, name)) return;
  }

  /** Makes the next random run. */
  async step(): Promise<void> {
    const random = new Random(this.seed + this.runs);
    const input = this.#next(random);
    const chance = random.between(1, 999_999);
    const before = performance.now();
    const outcomes = await this.#try(input, chance, `run ${this.runs}`);
    const took = performance.now() - before;
    this.runs++;
    if (!outcomes) return;
    this.time += took;
    this.slowest = Math.max(this.slowest, took);
    if (took > this.patience) await this.#time(input, chance);
    this.#learn(random, input, [...new Set(outcomes)].sort());
  }

  #next(random: Random): Uint8Array {
    const { target } = this;
    const fresh = () => target.generate(random);
    if (random.chance(0.5)) return fresh();
    const pool = random.chance(0.5) ? this.#seeds : this.#kept;
    const base = pool.length === 0 || random.chance(0.3) ? fresh() : random.pick(pool);
    return mutated(random, base, target.words, [...this.#seeds.slice(0, 20), ...this.#kept]);
  }

  #learn(random: Random, input: Uint8Array, outcomes: readonly string[]): void {
    for (const outcome of Object.keys(this.target.reaches)) {
      if (outcomes.includes(outcome)) this.#reached.set(outcome, this.#count(outcome) + 1);
    }
    const behaviour = outcomes.join(" ");
    const few = this.#behaviours.size < MOST_BEHAVIOURS && input.length < LONGEST_INPUT / 8;
    if (!few || this.#behaviours.has(behaviour)) return;
    this.#behaviours.add(behaviour);
    if (this.#kept.length < MOST_KEPT) this.#kept.push(input);
    else this.#kept[random.between(0, MOST_KEPT - 1)] = input;
  }

  /** Whether it takes as long again: a machine that was busy does not count. */
  async #time(input: Uint8Array, chance: number): Promise<void> {
    const before = performance.now();
    await this.#run(input, chance);
    const took = performance.now() - before;
    if (took <= this.patience) return;
    const error = new Error(`it takes ${took.toFixed(0)} ms`);
    this.findings.push({
      target: this.target.name,
      where: `run ${this.runs - 1}`,
      input,
      chance,
      error,
    });
  }

  /** What was reached, undefined where something does not hold. */
  async #try(
    input: Uint8Array,
    chance: number,
    where: string,
  ): Promise<Iterable<string> | undefined> {
    try {
      return await this.#run(input, chance);
    } catch (error) {
      if (this.full) return undefined;
      const trouble = async (less: Uint8Array) => await this.#trouble(less, chance);
      const least = await minimised(input, async (less) => await trouble(less) !== undefined);
      const { name } = this.target;
      const { error: last } = await trouble(least) ?? { error };
      this.findings.push({ target: name, where, input: least, chance, error: last });
      return undefined;
    }
  }

  #run(input: Uint8Array, chance: number): Iterable<string> | Promise<Iterable<string>> {
    // Whoever keeps a view of what is fed, or writes into it, must not change what others get.
    return this.target.run(new Random(chance), input.slice());
  }

  async #trouble(input: Uint8Array, chance: number): Promise<{ error: unknown } | undefined> {
    try {
      await this.#run(input, chance);
      return undefined;
    } catch (error) {
      return { error };
    }
  }
}

/** A finding for people, with all that is needed to see it again. */
export function findingText(
  { target, where, input, chance, error }: Finding,
  seed: number,
): string {
  const words = error instanceof Error ? error.stack ?? error.message : String(error);
  return [
    `${target}: ${where} of seed ${seed} does not hold`,
    `input, ${input.length} octets: ${shown(input)}`,
    `chance: ${chance}; kept as seeds/${target}/what-it-shows.${chance} it is tried each time`,
    words,
  ].join("\n");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
