/** What the system tells of its processors' work. */

import assert from "node:assert/strict";
import { busySeconds } from "./others.ts";

Deno.test("the processors work for programs and for themselves, not while they wait", () => {
  const stat = "cpu  100 20 300 9999 8888 4 5 600 0 0\ncpu0 50 10 150 5000 4444 2 3 300 0 0\n";
  assert.equal(busySeconds(stat), 10.29);
});
