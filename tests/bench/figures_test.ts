import assert from "node:assert/strict";
import { digits, printSpread, ratios, spreadOf } from "./figures.ts";

Deno.test("a median is the middle figure, or the mean of the two in the middle", () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, least: 1, most: 3 });
  assert.deepEqual(spreadOf([4, 1, 2, 10]), { median: 3, least: 1, most: 10 });
  assert.deepEqual(spreadOf([7]), { median: 7, least: 7, most: 7 });
  assert.throws(() => spreadOf([]), RangeError);
});

Deno.test("ratios are those of the same round", () => {
  assert.deepEqual(ratios([6, 2], [2, 4]), [3, 0.5]);
});

Deno.test("a figure has three digits that count", () => {
  const all = [0, 0.01234, 0.1234, 1.234, 12.34, 123.4, 1234.4].map(digits);
  assert.deepEqual(all, ["0", "0.0123", "0.123", "1.23", "12.3", "123", "1234"]);
});

Deno.test("a range stands behind its median, where there is one", () => {
  assert.equal(printSpread(spreadOf([1000, 1100, 900])), "1000 (900-1100)");
  assert.equal(printSpread(spreadOf([1.5])), "1.50");
});
