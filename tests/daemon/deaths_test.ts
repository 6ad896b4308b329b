/** How often threads may die before the daemon gives up. */

import assert from "node:assert/strict";
import { Deaths } from "../../src/daemon/deaths.ts";
import { FakeClock } from "../support/fake_clock.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** What is said to deaths that come so many milliseconds after one another. */
function delays(pauses: readonly number[]): (number | undefined)[] {
  const clock = new FakeClock();
  const deaths = new Deaths(() => clock.now());
  return pauses.map((pause) => {
    clock.advance(pause);
    return deaths.count();
  });
}

Deno.test("the delay grows tenfold with each death of the last hour, up to a minute", () => {
  assert.deepEqual(delays([0, 2 * MINUTE, 2 * MINUTE, 2 * MINUTE, 2 * MINUTE]), [
    100,
    SECOND,
    10 * SECOND,
    MINUTE,
    MINUTE,
  ]);
});

Deno.test("the third death within a minute is the end", () => {
  assert.deepEqual(delays([0, 0, 0]), [100, SECOND, undefined]);
  assert.deepEqual(delays([0, 30 * SECOND, 30 * SECOND - 1]), [100, SECOND, undefined]);
});

Deno.test("also when others came long before", () => {
  assert.deepEqual(delays([0, 10 * MINUTE, SECOND, SECOND]), [
    100,
    SECOND,
    10 * SECOND,
    undefined,
  ]);
});

Deno.test("three within a minute and no less are not", () => {
  assert.deepEqual(delays([0, 30 * SECOND, 30 * SECOND]), [100, SECOND, 10 * SECOND]);
});

Deno.test("deaths that are spread out never are, however many", () => {
  const many = delays(Array<number>(100).fill(MINUTE / 2));
  assert.ok(many.every((delay) => delay !== undefined));
  assert.equal(many.at(-1), MINUTE);
});

Deno.test("an hour of calm forgets them all", () => {
  assert.deepEqual(delays([0, MINUTE, MINUTE, HOUR, MINUTE]), [
    100,
    SECOND,
    10 * SECOND,
    100,
    SECOND,
  ]);
  assert.deepEqual(delays([0, HOUR - 1]), [100, SECOND]);
});
