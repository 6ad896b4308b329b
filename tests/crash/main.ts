/**
 * The long crash tests, one after another, and a table of what they came to:
 * `deno task test:crash`, or with some of `random`, `steps` and `cuts` these alone. `--seed=N` repeats
 * a course of events. Exit code 1 where anything is not as it must be.
 */

import { killAtEveryStep } from "./steps/every_step.ts";
import { type Outcome, printOutcome } from "./figures.ts";
import { powerCuts } from "./cuts/power_cuts.ts";
import { receiveUnderKills } from "./kills/receiving.ts";
import { relayUnderKills } from "./kills/relaying.ts";

type Part = (seed: number) => Promise<Outcome>;

const RANDOM = { kills: 100, sessions: 20 };
const STEPS = { all: true, within: 60 * 60_000, atOnce: 2 };
const CUTS = { whole: 3, some: 1000, stops: 3, starts: 23 };

const PARTS: Readonly<Record<string, readonly Part[]>> = {
  random: [
    (seed) => receiveUnderKills({ ...RANDOM, seed }),
    (seed) => relayUnderKills({ ...RANDOM, seed }),
  ],
  steps: [() => killAtEveryStep(STEPS)],
  cuts: [(seed) => powerCuts({ ...CUTS, from: seed })],
};

const words = Deno.args.filter((word) => !word.startsWith("--seed="));
const given = Deno.args.find((word) => word.startsWith("--seed="))?.slice("--seed=".length);
const unknown = words.filter((word) => !Object.hasOwn(PARTS, word));
const seed = given === undefined ? Math.floor(Math.random() * 1_000_000) : Number(given);
if (unknown.length > 0 || !Number.isSafeInteger(seed)) {
  print(`usage: deno task test:crash [--seed=N] [${Object.keys(PARTS).join("|")}]...\n`);
  Deno.exit(2);
}
print(`seed ${seed}\n`);
for (const [name, parts] of Object.entries(PARTS)) {
  if (words.length > 0 && !words.includes(name)) continue;
  for (const part of parts) {
    const began = performance.now();
    const outcome = await part(seed).catch((error): Outcome => {
      return { name, figures: {}, good: false, complaints: [describe(error)] };
    });
    const seconds = (performance.now() - began) / 1000;
    print(printOutcome({ ...outcome, figures: { ...outcome.figures, seconds } }));
    if (!outcome.good) Deno.exitCode = 1;
  }
}

/** With all that caused it. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? `${error}` : `${error}: ${describe(error.cause)}`;
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
