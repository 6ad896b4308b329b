/** Random courses of events, and what must hold after each. */

import { check } from "./invariants.ts";
import { runSchedule } from "./schedule.ts";

const SEEDS = 200;

const only = Deno.env.get("SIMULATION_SEED");
const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(only)];

for (let from = 0; from < seeds.length; from += 20) {
  const some = seeds.slice(from, from + 20);
  Deno.test(`no message is lost whatever fails, seeds ${some[0]} to ${some.at(-1)}`, async () => {
    for (const seed of some) await replay(seed);
  });
}

async function replay(seed: number): Promise<void> {
  const course = await runSchedule(seed);
  try {
    check(course);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    const [about = ""] = /[0-9a-z]{15}/.exec(words) ?? [];
    const told = course.world.log.tail(about, 25);
    throw new Error(`SIMULATION_SEED=${seed}: ${words}\n${told}`, { cause: error });
  }
}
