/**
 * The long form: all targets, or some, in turns until the time is over.
 *
 *     deno task fuzz [MINUTES] [TARGET…]
 *
 * What fails is written to `found/`, and the exit code is 1 then. FUZZ_SEED brings the inputs of an
 * earlier run again.
 */

import { save, savedInputs } from "./corpus.ts";
import { type Finding, findingText, Fuzzer } from "./engine.ts";
import { TARGETS } from "./targets.ts";

const MINUTES = 30;
/** Milliseconds that a target has before it is another one's turn. */
const TURN = 250;
/** MiB; what every target holds together stays far below. */
const MOST_MEMORY = 1024;
/** Milliseconds. No input takes half as long as this, unless it costs more than its length. */
const MOST_TIME = 2000;

const [first = "", ...rest] = Deno.args;
const timed = /^\d+(?:\.\d+)?$/.test(first);
const minutes = timed ? Number(first) : MINUTES;
const names = timed ? rest : Deno.args;
const unknown = names.filter((name) => !TARGETS.some((target) => target.name === name));
if (unknown.length > 0) {
  print(`no target ${unknown.join(", ")}; there are ${TARGETS.map(({ name }) => name).join(", ")}`);
  Deno.exit(2);
}
const seed = Number(Deno.env.get("FUZZ_SEED") ?? Date.now() % 1_000_000_000);
print(`seed ${seed}, ${minutes} minutes`);

const fuzzers = await Promise.all(
  TARGETS.filter(({ name }) => names.length === 0 || names.includes(name)).map(start),
);
const told = new Set<Finding>();
const end = performance.now() + minutes * 60_000;
let memory = 0;
do {
  for (const fuzzer of fuzzers) await turn(fuzzer);
  memory = Math.max(memory, Deno.memoryUsage().rss / 1024 ** 2);
} while (performance.now() < end && fuzzers.some(({ full }) => !full));
table();
const tooMuch = memory > MOST_MEMORY;
if (tooMuch) print(`${memory.toFixed(0)} MiB are more than the ${MOST_MEMORY} there should be`);
Deno.exit(told.size > 0 || tooMuch ? 1 : 0);

async function start(target: typeof TARGETS[number]): Promise<Fuzzer> {
  const kept = await savedInputs(target.name);
  const more = await target.seeds?.() ?? [];
  const fuzzer = new Fuzzer(target, seed, [...kept.map(({ input }) => input), ...more], MOST_TIME);
  for (const one of kept) await fuzzer.replay(one);
  return fuzzer;
}

async function turn(fuzzer: Fuzzer): Promise<void> {
  const over = Math.min(end, performance.now() + TURN);
  while (performance.now() < over && !fuzzer.full) await fuzzer.step();
  for (const finding of fuzzer.findings) if (!told.has(finding)) await tell(finding);
}

async function tell(finding: Finding): Promise<void> {
  told.add(finding);
  const { target, chance, input } = finding;
  const path = await save(target, `finding-${told.size}`, chance, input);
  print(`\n${findingText(finding, seed)}\nwritten to ${path}\n`);
}

function table(): void {
  row("target", ["runs", "per second", "slowest ms", "behaviours", "findings"]);
  for (const { target, runs, time, slowest, behaviours, findings } of fuzzers) {
    const speed = runs / (time / 1000);
    row(target.name, [runs, speed, slowest, behaviours, findings.length]);
  }
  const all = fuzzers.reduce((sum, { runs }) => sum + runs, 0);
  row("all", [all, all / (minutes * 60), "", "", told.size]);
  print(`memory: ${memory.toFixed(0)} MiB at most, ${heap().toFixed(0)} MiB of heap at the end`);
  for (const { target, missed } of fuzzers) {
    if (missed.length > 0) print(`${target.name} reaches too seldom: ${missed.join(", ")}`);
  }
}

function heap(): number {
  return Deno.memoryUsage().heapUsed / 1024 ** 2;
}

function row(name: string, cells: readonly (string | number)[]): void {
  const texts = cells.map((cell) => typeof cell === "number" ? cell.toFixed(0) : cell);
  print(name.padEnd(30) + texts.map((text) => text.padStart(12)).join(""));
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
