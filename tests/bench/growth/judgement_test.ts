/** What counts as growth that a load does not explain. */

import assert from "node:assert/strict";
import { type Cost, isWorse, largestGrowth, type Law } from "./judgement.ts";

const LOADS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

function costs(cost: (load: number) => number, loads: readonly number[] = LOADS): Cost[] {
  return loads.map((load) => ({ load, cost: cost(load) }));
}

function worse(law: Law, cost: (load: number) => number, loads?: readonly number[]): boolean {
  return isWorse(largestGrowth(costs(cost, loads), law)!);
}

Deno.test("a cost that no load explains may fall and stay, and not rise", () => {
  assert.equal(worse("nothing", () => 3), false);
  assert.equal(worse("nothing", (load) => 1 + 5 / load), false);
  assert.equal(worse("nothing", (load) => load < 500 ? 1 : 1.4), false);
  assert.equal(worse("nothing", (load) => load < 500 ? 1 : 1.6), true);
});

Deno.test("a cost that rises again after it fell is held against the least one before", () => {
  const growth = largestGrowth(costs((load) => 10 / load + load / 10), "nothing")!;
  assert.deepEqual([growth.from, growth.to], [10, 500]);
  assert.equal(Math.round(growth.factor), 25);
});

Deno.test("a cost on a line grows as its load does, with something fixed or without", () => {
  for (const fixed of [0, 1, 1000]) {
    assert.equal(worse("line", (load) => fixed + 3 * load), false, `${fixed} fixed`);
    assert.equal(worse("line", (load) => fixed + 3 * load, [0, 1000, 10_000, 100_000]), false);
  }
});

Deno.test("a cost that grows slower than its load is no worse than linear", () => {
  assert.equal(worse("line", (load) => Math.sqrt(load)), false);
  assert.equal(worse("line", () => 7), false);
});

Deno.test("a cost that grows with the square of its load is worse than linear", () => {
  assert.equal(worse("line", (load) => load ** 2), true);
  assert.equal(worse("line", (load) => load ** 1.5), true);
  assert.equal(worse("line", (load) => 100 + 3 * load + load ** 2), true);
});

Deno.test("a square that what is fixed outweighs is not told from a line", () => {
  assert.equal(worse("line", (load) => 1e6 + load ** 2), false);
});

Deno.test("chance in what is fixed is no growth of the rest", () => {
  const memory = [[0, 60], [100, 58], [1000, 66], [2500, 92], [5000, 128]] as const;
  const growth = largestGrowth(memory.map(([load, cost]) => ({ load, cost })), "line")!;
  assert.ok(!isWorse(growth), String(growth.factor));
});

Deno.test("a first cost that is too high by chance makes no growth of what follows", () => {
  const start = [[0, 876], [1000, 467], [10_000, 420], [100_000, 1079]] as const;
  const growth = largestGrowth(start.map(([load, cost]) => ({ load, cost })), "line")!;
  assert.ok(!isWorse(growth), String(growth.factor));
});

Deno.test("the growth is told by the loads between which it is largest", () => {
  const growth = largestGrowth(costs((load) => load < 200 ? load : 4 * load), "line")!;
  assert.equal(growth.to, 200);
  assert.ok(isWorse(growth));
});

Deno.test("too few loads tell nothing", () => {
  assert.equal(largestGrowth(costs((load) => load, [1]), "nothing"), undefined);
  assert.equal(largestGrowth(costs((load) => load, [1, 2]), "line"), undefined);
  assert.equal(largestGrowth([], "line"), undefined);
});
