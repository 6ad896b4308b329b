/**
 * Small courses of events on a disk that forgets what was not synced, with the power cut at one
 * operation after another, and again while the daemon recovers.
 */

import { Random } from "../../support/random.ts";
import type { Outcome } from "../figures.ts";
import type { ForgetfulDiskOptions, Stop } from "./forgetful_disk.ts";
import { type Balance, check } from "./checks.ts";
import { type CoursePlan, planOf, shortPlan } from "./plan.ts";
import { stepOf, Steps } from "./steps.ts";
import { type Cut, PowerCutWorld } from "./world.ts";

export interface PowerCutCounts {
  /** The first seed, 1 where none is given. */
  readonly from?: number;
  /** Seeds whose courses are stopped at every operation, before it and after it. */
  readonly whole: number;
  /** Seeds whose courses are stopped at `stops` operations each. */
  readonly some: number;
  readonly stops: number;
  /** Every so many-th pair of a kill in a daemon's first life and a cut in the next one; 0 for none. */
  readonly starts: number;
}

/** A course that is not as it must be. Its message tells how to play it alone. */
export class LossError extends Error {
  override name = "LossError";
}

/** How likely a stop is a kill, which leaves what programs saw; and how likely another stop follows. */
const KILL = 0.25;
const AGAIN = 0.4;
const MOST_STOPS = 3;
/** Courses stopped where an envelope may be on the disk without its text, which is seldom. */
const HALVES = 100;
/** Where the life behind the last one has a step that was never cut. */
const MOST_FOR_NEW = 6;
/** How likely a stop comes at a step that had few so far. */
const RARE = 0.5;
/** Operations and lines of the log that a failure shows. */
const TAIL = 12;
const MOST_LOSSES = 5;

/** Plays all courses. What is not good is among the complaints, as is a step that was not cut. */
export async function powerCuts(counts: PowerCutCounts): Promise<Outcome> {
  const began = performance.now();
  const campaign = new Campaign();
  const { from = 1, whole, some, stops, starts } = counts;
  for (let seed = from; seed < from + whole; seed++) await campaign.everywhere(planOf(seed));
  for (let seed = from + whole; seed < from + whole + some; seed++) {
    await campaign.somewhere(seed, stops);
  }
  await campaign.everywhere(shortPlan);
  if (starts > 0) await campaign.starts(starts);
  for (let seed = from; seed < from + HALVES; seed++) await campaign.half(planOf(seed));
  const { sum, steps, losses } = campaign;
  const complaints = [...losses, ...losses.length === 0 ? steps.complaints() : []];
  return {
    name: "power cuts on a disk that forgets",
    figures: {
      seeds: whole + some,
      ...sum,
      lost: losses.length,
      "durable steps": steps.known,
      "steps cut before": steps.cut("before"),
      "steps cut after": steps.cut("after"),
      seconds: (performance.now() - began) / 1000,
    },
    good: complaints.length === 0,
    complaints,
  };
}

class Campaign {
  readonly steps = new Steps();
  readonly losses: string[] = [];
  readonly sum = {
    courses: 0,
    "power cuts": 0,
    kills: 0,
    operations: 0,
    acknowledged: 0,
    copies: 0,
    duplicates: 0,
  };

  /** Stops a course before and after every operation. */
  async everywhere(plan: CoursePlan): Promise<void> {
    const random = new Random(-plan.seed);
    const length = (await this.#play(plan, []))?.operations[0]?.length ?? 0;
    for (let operation = 1; operation <= length; operation++) {
      for (const moment of ["before", "after"] as const) {
        await this.#stop(plan, [{ operation, moment, kind: "power" }], random);
      }
    }
  }

  /** Stops a course at some operations. */
  async somewhere(seed: number, stops: number): Promise<void> {
    const plan = planOf(seed);
    const random = new Random(-seed);
    const operations = (await this.#play(plan, []))?.operations[0];
    for (let left = operations ? stops : 0; left > 0; left--) {
      await this.#stop(plan, [this.#next(operations!, random)], random);
    }
  }

  /** Stops a course where a message has its name and nobody has heard of it. */
  async half(plan: CoursePlan): Promise<void> {
    const operations = (await this.#play(plan, []))?.operations[0] ?? [];
    const accepted = "rename spool/tmp/*.eml spool/queue/*.eml";
    const operation = 1 + operations.findIndex((one) => stepOf(one) === accepted);
    if (operation === 0) return;
    const random = new Random(-plan.seed);
    await this.#stop(plan, [{ operation, moment: "after", kind: "power" }], random);
  }

  /**
   * A kill, then a cut: what a start finds was not durable because a program saw it. Of all pairs of
   * operations every so many-th.
   */
  async starts(distance: number): Promise<void> {
    const length = (await this.#play(shortPlan, []))?.operations[0]?.length ?? 0;
    for (let pair = 0; pair < length * length; pair += distance) {
      await this.#play(shortPlan, [
        { operation: 1 + Math.floor(pair / length), moment: "after", kind: "kill" },
        { operation: 1 + pair % length, moment: "after", kind: "power" },
      ]);
    }
  }

  /** Plays it with these stops, and perhaps with further ones in the life behind them. */
  async #stop(plan: CoursePlan, cuts: readonly Cut[], random: Random): Promise<void> {
    const last = (await this.#play(plan, cuts))?.operations.at(-1);
    if (!last) return;
    const untouched = this.steps.rarest(last)?.cuts === 0;
    const more = cuts.length < MOST_STOPS && random.chance(AGAIN);
    if (!more && !(untouched && cuts.length < MOST_FOR_NEW)) return;
    await this.#stop(plan, [...cuts, this.#next(last, random)], random);
  }

  #next(operations: readonly string[], random: Random): Cut {
    const kind = random.chance(KILL) ? "kill" : "power";
    const anywhere: Stop = {
      operation: random.between(1, operations.length),
      moment: random.pick(["before", "after"]),
    };
    const rarest = this.steps.rarest(operations);
    if (!rarest || rarest.cuts > 0 && !random.chance(RARE)) return { ...anywhere, kind };
    return { operation: rarest.operation, moment: rarest.moment, kind };
  }

  /** Undefined where something was lost, or enough is already. */
  async #play(plan: CoursePlan, cuts: readonly Cut[]): Promise<PowerCutWorld | undefined> {
    if (this.losses.length >= MOST_LOSSES) return undefined;
    try {
      const { world, balance } = await playCourse(plan, cuts);
      this.#count(world, balance, cuts);
      return world;
    } catch (error) {
      if (!(error instanceof LossError)) throw error;
      this.losses.push(error.message);
      return undefined;
    }
  }

  #count(world: PowerCutWorld, balance: Balance, cuts: readonly Cut[]): void {
    const { sum, steps } = this;
    steps.count(world.operations, cuts);
    sum.courses++;
    for (const { kind } of world.stops) {
      if (kind === "power") sum["power cuts"]++;
      if (kind === "kill") sum.kills++;
    }
    sum.operations += world.operations.reduce((all, { length }) => all + length, 0);
    sum.acknowledged += balance.acknowledged;
    sum.copies += balance.copies;
    sum.duplicates += balance.duplicates;
  }
}

/** Plays one course and checks it. Rejects with LossError. */
export async function playCourse(
  plan: CoursePlan,
  cuts: readonly Cut[],
  options?: ForgetfulDiskOptions,
): Promise<{ readonly world: PowerCutWorld; readonly balance: Balance }> {
  const world = new PowerCutWorld(plan, options);
  try {
    await world.play(cuts);
    return { world, balance: check(world) };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    const course = [plan.seed, ...cuts.map(printCut)].join(" ");
    const [about = ""] = /[0-9a-z]{15}/.exec(words) ?? [];
    const told = [`POWER_CUT="${course}": ${words}`, ...lives(world), world.log.tail(about, TAIL)];
    throw new LossError(told.join("\n"), { cause: error });
  }
}

/** The first loss on a disk that is not as it should be, undefined where these courses show none. */
export async function firstLoss(
  options: ForgetfulDiskOptions,
  plans: readonly CoursePlan[],
  stops: number,
): Promise<string | undefined> {
  for (const plan of plans) {
    const random = new Random(-plan.seed);
    const { world } = await playCourse(plan, []);
    const length = world.operations[0]!.length;
    for (let left = stops; left > 0; left--) {
      const operation = random.between(1, length);
      try {
        await playCourse(plan, [{ operation, moment: "after", kind: "power" }], options);
      } catch (error) {
        if (error instanceof LossError) return error.message;
        throw error;
      }
    }
  }
  return undefined;
}

/** One course, as a failure prints it: a seed and stops, `17 203-after-power 12-before-kill`. */
export function readCourse(text: string): readonly [CoursePlan, readonly Cut[]] {
  const [seed, ...cuts] = text.split(" ");
  const plan = Number(seed) === shortPlan.seed ? shortPlan : planOf(Number(seed));
  return [plan, cuts.map(readCut)];
}

function readCut(text: string): Cut {
  const [operation, moment, kind] = text.split("-");
  return {
    operation: Number(operation),
    moment: moment === "after" ? "after" : "before",
    kind: kind === "kill" ? "kill" : "power",
  };
}

function printCut({ operation, moment, kind }: Cut): string {
  return `${operation}-${moment}-${kind}`;
}

/** The last operations of each life. */
function lives({ operations }: PowerCutWorld): string[] {
  return operations.map((life) => {
    return [...life.slice(-TAIL), "(it stops)"].map((line) => `  ${line}`).join("\n");
  });
}
