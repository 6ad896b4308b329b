/** Message ids sort as they were made, and no two are the same. */

import assert from "node:assert/strict";
import { type IdSource, MessageIds } from "../../src/queue/id.ts";

/** Ids made at these moments. */
function idsAt(times: readonly number[], random = () => 0): string[] {
  let i = 0;
  const source: IdSource = { now: () => times[i++]!, random };
  const ids = new MessageIds(source);
  return times.map(() => ids.next());
}

Deno.test("an id is 15 digits of Crockford's base 32: time, count, random", () => {
  const [id] = idsAt([Date.UTC(2026, 10, 22)], () => 0.5);
  assert.match(id!, /^[0-9abcdefghjkmnpqrstvwxyz]{15}$/);
  assert.equal(idsAt([1])[0], "000000001000000");
  assert.equal(idsAt([31])[0], "00000000z000000");
  assert.equal(idsAt([32])[0], "000000010000000");
  assert.equal(idsAt([1], () => 1 / 32 ** 4)[0], "000000001000001");
  assert.equal(idsAt([1], () => 1 - Number.EPSILON)[0], "00000000100zzzz");
});

Deno.test("the last moment of its 45 bits is in the year 3084", () => {
  assert.equal(new Date(32 ** 9 - 1).getUTCFullYear(), 3084);
  assert.equal(idsAt([32 ** 9 - 1])[0], "zzzzzzzzz000000");
});

function assertInOrder(ids: readonly string[]): void {
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids).size, ids.length);
}

Deno.test("later ids sort behind earlier ones", () => {
  const start = Date.UTC(2026, 10, 22);
  assertInOrder(idsAt([0, 1, 1000, 60_000, 86_400_000].map((after) => start + after)));
});

Deno.test("ids of one millisecond sort as they were made, whatever their random end", () => {
  let random = 1;
  assertInOrder(idsAt(Array<number>(1000).fill(1_800_000_000_000), () => random *= 0.99));
});

Deno.test("more ids in a millisecond than it counts borrow from the next", () => {
  const ids = idsAt([...Array<number>(5000).fill(1_800_000_000_000), 1_800_000_000_001]);
  assertInOrder(ids);
});

Deno.test("a clock set back does not bring an id again", () => {
  const now = 1_800_000_000_000;
  assertInOrder(idsAt([now, now + 5, now, now - 86_400_000, now + 5, now + 6, 0, now + 7]));
});

Deno.test("fractions of a millisecond do no harm", () => {
  const [id] = idsAt([32.9]);
  assert.equal(id, "000000010000000");
});

Deno.test("two processes at the same moment differ by their random end", () => {
  const [one] = idsAt([1_800_000_000_000], () => 0.1);
  const [other] = idsAt([1_800_000_000_000], () => 0.2);
  assert.notEqual(one, other);
  assert.equal(one!.slice(0, 11), other!.slice(0, 11));
});

Deno.test("the threads of a process never make the same id, whatever their random end", () => {
  const ids = [0, 1, 2, 511, 1022, 1023].flatMap((thread) => {
    return [0, 0.5, 1 - Number.EPSILON].map((random) => {
      return new MessageIds({ now: () => 1_800_000_000_000, random: () => random, thread }).next();
    });
  });
  assert.equal(new Set(ids).size, ids.length);
  // Each has an end of its own to draw from, in the order of their numbers.
  assert.deepEqual([...ids].sort(), ids);
  for (const id of ids) assert.match(id, /^[0-9abcdefghjkmnpqrstvwxyz]{15}$/);
});

Deno.test("threads beyond as many as are told apart begin again", () => {
  const idOf = (thread: number) => {
    return new MessageIds({ now: () => 1, random: () => 0.5, thread }).next();
  };
  assert.equal(idOf(1024), idOf(0));
  assert.equal(idOf(5000), idOf(5000 % 1024));
});
