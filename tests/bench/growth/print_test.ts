/** What a reader is told of a curve. */

import assert from "node:assert/strict";
import { type Curve, inThousands } from "./curve.ts";
import { type Measured, panelOf, printCurve } from "./print.ts";

const CURVE: Curve = {
  name: "queue",
  title: "Queue",
  load: "messages waiting",
  write: inThousands,
  loads: () => [1, 1000, 1_000_000],
  columns: [
    { key: "rate", heading: "messages/s", judged: { what: "time", as: "rate", law: "nothing" } },
    { key: "start", heading: "start, ms", judged: { what: "start", as: "cost", law: "line" } },
    { key: "copies", heading: "copies/s" },
  ],
  plotted: { heading: "messages/s", lines: { rate: "local" } },
  measure: () => Promise.reject(new Error("it is measured already")),
};

/** With three rounds for each load, of which the middle one is given. */
function measured(rates: readonly number[], starts: readonly number[]): Measured {
  const rounds = rates.map((rate, i) =>
    [1, 0.9, 1.1].map((part) => ({ rate: rate * part, start: starts[i]!, copies: 7 }))
  );
  return { curve: CURVE, loads: [1, 1000, 1_000_000], rounds };
}

Deno.test("a table has a row for each load, with the middle round and how far they are apart", () => {
  const lines = printCurve(measured([1000, 1000, 1000], [10, 20, 500])).split("\n");
  assert.deepEqual(lines.slice(0, 5), [
    "| messages waiting | messages/s | start, ms | copies/s |",
    "| --: | --: | --: | --: |",
    "| 1 | 1000 (900-1100) | 10.0 | 7.00 |",
    "| 1,000 | 1000 (900-1100) | 20.0 | 7.00 |",
    "| 1,000,000 | 1000 (900-1100) | 500 | 7.00 |",
  ]);
});

Deno.test("a rate that falls is a time that grows", () => {
  const printed = printCurve(measured([1000, 1000, 500], [10, 10, 10]));
  assert.match(
    printed,
    /^- time: WORSE THAN LINEAR \(at most 2\.00 times, from 1 to 1,000,000\)$/m,
  );
  assert.match(printed, /^- start: no worse than linear /m);
});

Deno.test("a time that grows as its load does is as it should be, one that grows faster is not", () => {
  const line = printCurve(measured([1, 1, 1], [1, 1000, 1_000_000]));
  assert.match(line, /^- start: no worse than linear \(at most 1\.00 times what a line says/m);
  const square = printCurve(measured([1, 1, 1], [1, 1e6, 1e12]));
  assert.match(square, /^- start: WORSE THAN LINEAR /m);
});

Deno.test("what the best rounds do not confirm is chance", () => {
  const starts = [10, 10, 10];
  const { curve, loads, rounds } = measured([1000, 1000, 1000], starts);
  const slow = rounds[2]!.map((figures, i) => i === 0 ? figures : { ...figures, rate: 100 });
  const printed = printCurve({ curve, loads, rounds: [rounds[0]!, rounds[1]!, slow] });
  assert.match(
    printed,
    /^- time: no worse than linear \(at most 10\.0 .*; in the best rounds 1\.10 /m,
  );
});

Deno.test("what is not judged has no judgement", () => {
  assert.doesNotMatch(printCurve(measured([1, 1, 1], [1, 1, 1])), /^- copies/m);
});

Deno.test("what is plotted are the middle rounds, with the others' reach", () => {
  const panel = panelOf(measured([1000, 2000, 3000], [1, 1, 1]));
  assert.deepEqual([panel.title, panel.loads], ["Queue", "messages waiting"]);
  assert.deepEqual(panel.lines.map(({ name }) => name), ["local"]);
  const [point] = panel.lines[0]!.points;
  assert.deepEqual(point, { load: 1, figure: 1000, least: 900, most: 1100 });
});

Deno.test("loads below a plot are short", () => {
  const written = [0, 500, 1000, 2500, 100_000, 1_000_000].map(
    panelOf(measured([1, 1, 1], [1, 1, 1])).write!,
  );
  assert.deepEqual(written, ["0", "500", "1k", "2.5k", "100k", "1M"]);
});
