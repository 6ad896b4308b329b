/** The words of `deno task bench:growth`. */

import assert from "node:assert/strict";
import { readOptions } from "./options.ts";

const CURVES = ["sessions", "queue", "mailbox"];

Deno.test("without words all is measured, three times", () => {
  assert.deepEqual(readOptions([], CURVES), {
    curves: CURVES,
    rounds: 3,
    quick: false,
    source: false,
    svg: undefined,
    folder: undefined,
  });
});

Deno.test("some curves are measured in the order that there are", () => {
  const words = ["mailbox", "--quick", "--rounds=5", "sessions", "--source", "--svg", "a.svg"];
  const options = readOptions(words, CURVES);
  assert.deepEqual(options.curves, ["sessions", "mailbox"]);
  assert.deepEqual([options.rounds, options.quick, options.source], [5, true, true]);
  assert.equal(options.svg, "a.svg");
});

for (const words of [["sizes"], ["--fast"], ["--rounds=0"], ["--rounds=1.5"], ["--rounds=x"]]) {
  Deno.test(`${words.join(" ")} is refused`, () => {
    assert.throws(() => readOptions(words, CURVES), RangeError);
  });
}
