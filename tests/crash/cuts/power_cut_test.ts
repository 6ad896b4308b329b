/**
 * What was answered 250 outlives a power cut, wherever it comes. The long form is `deno task test:crash
 * cuts`. A failure says which course it was; the same one alone:
 *
 *     POWER_CUT="17 203-after-power" deno test --no-prompt -A tests/crash/cuts/power_cut_test.ts
 */

import assert from "node:assert/strict";
import { planOf } from "./plan.ts";
import { KNOWN, stepOf } from "./steps.ts";
import { firstLoss, playCourse, powerCuts, readCourse } from "./power_cuts.ts";

const only = Deno.env.get("POWER_CUT");

Deno.test("nothing acknowledged is lost by a power cut at any step", async () => {
  if (only !== undefined) return void await playCourse(...readCourse(only));
  const { complaints, figures } = await powerCuts({ whole: 0, some: 120, stops: 3, starts: 101 });
  assert.deepEqual(complaints, [], complaints.join("\n"));
  assert.ok(figures.acknowledged! > 1000 && figures["power cuts"]! > 400);
});

/** Syncs that nobody's mail hangs on, and why. */
const UNFELT: ReadonlyMap<string, string> = new Map([
  ["syncDirectory spool/tmp", "only tried out: what is there is swept"],
  ["syncDirectory spool/damaged", "what a cut damages was not acknowledged"],
]);

/** Among what is handed in and asked for is what hangs on any of the others. */
const PLANS = Array.from({ length: 600 }, (_, i) => planOf(i + 1))
  .filter(({ deeds }) => deeds.some(({ kind }) => kind === "remove"));

const SYNCS = KNOWN.filter((step) => /^sync/.test(step) && !UNFELT.has(step));

for (const step of only === undefined ? SYNCS : []) {
  Deno.test(`a server that did not ${step} would be found out`, async () => {
    const loss = await firstLoss({ skips: (operation) => stepOf(operation) === step }, PLANS, 4);
    assert.match(loss ?? "nothing was lost", /lost|half a|damaged|again|removal|not read/);
  });
}
