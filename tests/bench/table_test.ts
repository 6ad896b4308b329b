import assert from "node:assert/strict";
import { LOADS } from "./loads.ts";
import { resultOf, roundOf } from "./rounds.ts";
import { columns, tableOf } from "./table.ts";

const [ORDINARY] = LOADS;
const LARGE = LOADS.find(({ letter }) => letter === "e")!;

Deno.test("columns are as wide as their widest cell", () => {
  assert.deepEqual(columns([["", "rate"], ["somebody", "1"], ["x", "12345"]]), [
    "           rate",
    "somebody      1",
    "x         12345",
  ]);
});

Deno.test("a table has rates, time, memory and the ratios to Postfix", () => {
  const lines = tableOf({
    load: { ...ORDINARY!, messages: 1000 },
    ours: resultOf("ours", [
      roundOf({ messages: 1000, accepted: 1, arrived: 1, processor: 0.5, memory: 99.7e6 }),
      roundOf({ messages: 1000, accepted: 0.5, arrived: 0.5, processor: 0.5, memory: 50e6 }),
    ]),
    theirs: resultOf("Postfix", [
      roundOf({ messages: 1000, accepted: 2, arrived: 4, processor: 2, memory: 60e6 }),
      roundOf({ messages: 1000, accepted: 2, arrived: 4, processor: 2, memory: 61e6 }),
    ]),
    others: [{
      ...resultOf("other", [roundOf({ messages: 1000, accepted: 4, processor: 1 })]),
      unwaited: true,
    }],
    failures: ["another: gone"],
  });
  const cells = lines.slice(2, 5).map((line) => line.split(/ {2,}/));
  assert.deepEqual(cells, [
    [
      "ours",
      "1500 (1000-2000)",
      "1500 (1000-2000)",
      "0.500",
      "100",
      "3.00 (2.00-4.00)",
      "6.00 (4.00-8.00)",
    ],
    ["Postfix", "500", "250", "2.00", "61", "-", "-"],
    ["other", "250", "-", "> 1.00", "0", "0.500", "-"],
  ]);
  assert.equal(lines.at(-1), "failed: another: gone");
  assert(lines.some((line) => line.startsWith("ours: 2000 of 2000 copies arrived")));
  assert(lines.some((line) => line.startsWith("other: keeps nothing")));
});

Deno.test("large messages are counted in octets as well", () => {
  const rounds = [roundOf({ messages: 100, accepted: 2, arrived: 2 })];
  const [, heads, row] = tableOf({
    load: { ...LARGE, messages: 100, octets: 1e6 },
    ours: resultOf("ours", rounds),
    theirs: resultOf("Postfix", rounds),
    others: [],
    failures: [],
  });
  assert.deepEqual(heads!.trim().split(/ {2,}/).slice(0, 2), ["accepted/s", "MB/s"]);
  assert.deepEqual(row!.split(/ {2,}/).slice(1, 3), ["50.0", "50.0"]);
});

Deno.test("copies that never arrived are counted", () => {
  const rounds = [roundOf({ messages: 100, arrived: 2, missing: 3 })];
  const lines = tableOf({
    load: { ...ORDINARY!, recipients: 10 },
    ours: resultOf("ours", rounds),
    theirs: resultOf("Postfix", rounds),
    others: [],
    failures: [],
  });
  assert(lines.some((line) => line.startsWith("ours: 997 of 1000 copies arrived")));
});
