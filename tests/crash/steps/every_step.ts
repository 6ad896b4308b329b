/** Each process killed before and after each of its operations on the disk, and what came of the mail. */

import { durablePlaces } from "./durable_places.ts";
import type { Outcome } from "../figures.ts";
import type { Operation, Side } from "./orders.ts";
import { play, type Played } from "./play.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";

export interface EveryStepOptions {
  /**
   * Whether a process is killed at every operation of every scenario; otherwise at each place in src/
   * and kind of thread once before and once after, in one scenario or another.
   */
  readonly all: boolean;
  /** Milliseconds after which no more processes are begun. */
  readonly within: number;
  /** Scenarios played at a time. */
  readonly atOnce: number;
}

/** A process is to be killed here. */
interface Aim {
  readonly scenario: Scenario;
  readonly operation: Operation;
  readonly side: Side;
}

const SIDES = ["before", "after"] as const;
/** Each scenario has so many kills of its own at least. */
const FEWEST = 2;
/** How often an operation is aimed at that does not come again as it came before. */
const TRIES = 3;

/**
 * Of its figures, places are lines of src/ that call the disk, and steps are places with the paths
 * they are called with and the kind of thread that calls.
 */
export async function killAtEveryStep({ all, within, atOnce }: EveryStepOptions): Promise<Outcome> {
  const end = performance.now() + within;
  const places = await durablePlaces();
  const tally = new Tally();
  const recorded = new Map<Scenario, readonly Operation[]>();
  await eachOf(SCENARIOS, atOnce, async (scenario) => {
    const played = await tally.judge(scenario.name, () => play(scenario, { tell: true }));
    recorded.set(scenario, played?.operations ?? []);
  });
  const operations = [...recorded.values()].flat();
  const aims = SCENARIOS.map((scenario) => aimsIn(scenario, recorded));
  let undone = 0;
  // Of each of these one is to be met.
  const choices = atEachPlace(aims);
  if (all) {
    const chosen = new Set(choices.map(([aim]) => aim));
    choices.push(...inTurns(aims).filter((aim) => !chosen.has(aim)).map((aim) => [aim]));
  }
  await eachOf(choices, atOnce, async (choice) => {
    for (let tries = 0; tries < TRIES; tries++) {
      const aim = choice[tries % choice.length]!;
      if (performance.now() > end) {
        undone++;
        return;
      }
      const { scenario, ...stop } = aim;
      const played = await tally.judge(nameOf(aim), () => play(scenario, { stop }));
      if (played?.killed) tally.kill(aim);
      if (!played || played.killed) return;
    }
    tally.missed++;
  });
  const complaints = [...tally.complaints, ...tally.uncovered(places, operations)];
  return {
    name: "a kill at every step",
    figures: {
      "scenarios": recorded.size,
      "operations on the disk": operations.length,
      "steps": new Set(operations.map(stepOf)).size,
      "places": places.size,
      "kills": tally.kills,
      "restarts": tally.restarts,
      "messages": tally.messages,
      "lost": tally.lost,
      "half": tally.half,
      "left over": tally.leftOver,
      "delivered twice": tally.twice,
      "operations that did not come again": tally.missed,
      "not begun for want of time": undone,
    },
    good: complaints.length === 0,
    complaints,
  };
}

/** What was found. */
class Tally {
  readonly complaints: string[] = [];
  readonly #killed = new Set<string>();
  kills = 0;
  restarts = 0;
  messages = 0;
  lost = 0;
  half = 0;
  leftOver = 0;
  twice = 0;
  missed = 0;

  /** Plays and counts; undefined where it could not be played to its end. */
  async judge(name: string, playing: () => Promise<Played>): Promise<Played | undefined> {
    let played;
    try {
      played = await playing();
    } catch (error) {
      this.complaints.push(`${name}: ${error}`);
      return undefined;
    }
    const { lost, half, leftOver, twice, messages } = played;
    this.restarts++;
    this.messages += messages;
    this.lost += lost.length;
    this.half += half.length;
    this.leftOver += leftOver.length;
    this.twice += twice;
    for (const [what, ones] of Object.entries({ lost, half, "left over": leftOver })) {
      if (ones.length > 0) this.complaints.push(`${name}: ${what}: ${ones.join(", ")}`);
    }
    return played;
  }

  kill({ operation, side }: Aim): void {
    this.kills++;
    this.#killed.add(`${placeOf(operation)} ${side}`);
  }

  /** Places where nobody was killed, and such as are met and were not found. */
  uncovered(places: ReadonlySet<string>, operations: readonly Operation[]): string[] {
    const met = new Set(operations.map(placeOf));
    return [
      ...[...places].filter((place) => !met.has(place)).map((place) => `${place}: not met`),
      ...[...met].filter((place) => !places.has(place)).map((place) => `${place}: not found`),
      ...[...met].flatMap((place) => SIDES.map((side) => `${place} ${side}`))
        .filter((place) => !this.#killed.has(place)).map((place) => `${place}: nobody was killed`),
    ];
  }
}

/** What a scenario does beyond a start, which is the first one's. */
function aimsIn(
  scenario: Scenario,
  recorded: ReadonlyMap<Scenario, readonly Operation[]>,
): Aim[] {
  const first = SCENARIOS[0]!;
  const known = new Set(
    scenario === first ? [] : recorded.get(first)!.map((one) => JSON.stringify(one)),
  );
  return recorded.get(scenario)!.filter((one) => !known.has(JSON.stringify(one)))
    .flatMap((operation) => SIDES.map((side) => ({ scenario, operation, side })));
}

/** Of all scenarios in turn, so that want of time is not that of the last ones. */
function inTurns(aims: readonly (readonly Aim[])[]): Aim[] {
  const longest = Math.max(...aims.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => aims.flatMap((some) => some[i] ?? [])).flat();
}

/** For each place, kind of thread and side the aims that meet it, the least busy scenario's first. */
function atEachPlace(aims: readonly (readonly Aim[])[]): Aim[][] {
  const chosen = new Map<Scenario, number>();
  const busy = ({ scenario }: Aim) => chosen.get(scenario) ?? 0;
  const choose = (some: readonly Aim[]) => {
    const choice = some.toSorted((a, b) => busy(a) - busy(b));
    chosen.set(choice[0]!.scenario, busy(choice[0]!) + 1);
    return choice;
  };
  const groups = Map.groupBy(aims.flat(), ({ operation, side }) => {
    return `${kindOfThread(operation)} ${placeOf(operation)} ${side}`;
  });
  // Where there is least to choose from first.
  const choices = [...groups.values()].sort((a, b) => a.length - b.length).map(choose);
  for (const own of aims) {
    while (own.length > 0 && busy(own[0]!) < FEWEST) {
      choices.push(choose([own[Math.floor(own.length / (busy(own[0]!) + 2))]!]));
    }
  }
  return choices;
}

function kindOfThread({ thread }: Operation): string {
  return thread.split(" ")[0]!;
}

function placeOf({ place, kind }: Operation): string {
  return `${place} ${kind}`;
}

function stepOf(operation: Operation): string {
  return `${kindOfThread(operation)} ${placeOf(operation)} ${operation.paths}`;
}

function nameOf({ scenario, operation, side }: Aim): string {
  const { thread, paths, before } = operation;
  return `${scenario.name}, ${side} ${thread}'s ${placeOf(operation)} ${paths} (${before} before)`;
}

/** So many at once. */
async function eachOf<T>(
  items: Iterable<T>,
  atOnce: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const work = async () => {
    for (let next = left.next(); !next.done; next = left.next()) await act(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
