/** What is known for a while, and of how many. */

import assert from "node:assert/strict";
import { Recent } from "../../src/receiver/recent.ts";

Deno.test("what was put is known until its window ends, and no longer", () => {
  const recent = new Recent<string>({ window: 100, most: 10 });
  recent.put("a", "x", 0);
  assert.equal(recent.get("a", 99), "x");
  assert.equal(recent.get("a", 100), undefined);
  assert.equal(recent.get("b", 0), undefined);
});

Deno.test("a clock that is set back makes nothing last for longer", () => {
  const recent = new Recent<string>({ window: 100, most: 10 });
  recent.put("a", "x", 1000);
  assert.equal(recent.get("a", 901), "x");
  assert.equal(recent.get("a", 900), undefined);
});

Deno.test("putting it again begins its time anew", () => {
  const recent = new Recent<string>({ window: 100, most: 10 });
  recent.put("a", "x", 0);
  recent.put("a", "y", 60);
  assert.equal(recent.get("a", 120), "y");
});

Deno.test("beyond the most the one that was put longest ago goes", () => {
  const recent = new Recent<number>({ window: 100, most: 2 });
  recent.put("a", 1, 0);
  recent.put("b", 2, 1);
  recent.put("a", 3, 2);
  recent.put("c", 4, 3);
  assert.deepEqual(["a", "b", "c"].map((key) => recent.get(key, 4)), [3, undefined, 4]);
  assert.equal(recent.size, 2);
});

Deno.test("what is over is dropped, not only hidden", () => {
  const recent = new Recent<number>({ window: 100, most: 1000 });
  for (let i = 0; i < 500; i++) recent.put(`${i}`, i, i);
  recent.put("last", 0, 1000);
  assert.equal(recent.size, 1);
});
