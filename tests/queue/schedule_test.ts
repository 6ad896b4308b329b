/** The schedule: soonest first, in bounded memory, and nothing forgotten for good. */

import assert from "node:assert/strict";
import { Schedule } from "../../src/queue/schedule.ts";

/** What is due now, in the order it comes out. */
function takeAll(schedule: Schedule, now = Infinity): string[] {
  const taken: string[] = [];
  for (let id = schedule.take(now); id !== undefined; id = schedule.take(now)) taken.push(id);
  return taken;
}

function scheduleOf(dues: Readonly<Record<string, number>>, mostRemembered?: number): Schedule {
  const schedule = new Schedule(mostRemembered);
  for (const [id, due] of Object.entries(dues)) schedule.set(id, due);
  return schedule;
}

Deno.test("messages come out in the order they are due, each once", () => {
  const schedule = scheduleOf({ c: 30, a: 10, e: 50, b: 20, d: 40 });
  assert.equal(schedule.next, 10);
  assert.equal(schedule.size, 5);
  assert.deepEqual(takeAll(schedule), ["a", "b", "c", "d", "e"]);
  assert.equal(schedule.size, 0);
  assert.equal(schedule.next, Infinity);
});

Deno.test("a message comes out when it is due and not before", () => {
  const schedule = scheduleOf({ a: 10, b: 20 });
  assert.equal(schedule.take(9), undefined);
  assert.equal(schedule.take(10), "a");
  assert.equal(schedule.take(10), undefined);
  assert.equal(schedule.next, 20);
});

Deno.test("a due that is set again counts, sooner or later or the same", () => {
  const schedule = scheduleOf({ a: 10, b: 20, c: 30 });
  schedule.set("a", 40);
  schedule.set("c", 5);
  schedule.set("b", 20);
  assert.equal(schedule.size, 3);
  assert.deepEqual(takeAll(schedule), ["c", "b", "a"]);
});

Deno.test("a due that is set there and back does not bring a message twice", () => {
  const schedule = scheduleOf({ a: 10 });
  schedule.set("a", 20);
  schedule.set("a", 10);
  assert.deepEqual(takeAll(schedule), ["a"]);
});

Deno.test("a message that is deleted does not come, and may be set again", () => {
  const schedule = scheduleOf({ a: 10, b: 20 });
  schedule.delete("a");
  schedule.delete("nobody");
  assert.equal(schedule.next, 20);
  assert.equal(schedule.size, 1);
  schedule.set("a", 30);
  assert.deepEqual(takeAll(schedule), ["b", "a"]);
});

Deno.test("a schedule that is too long keeps the sooner half and says when the rest is due", () => {
  const schedule = scheduleOf({ a: 10, b: 20, c: 30, d: 40 }, 4);
  assert.equal(schedule.horizon, Infinity);
  schedule.set("e", 15);
  assert.equal(schedule.size, 2);
  assert.equal(schedule.horizon, 20);
  assert.equal(schedule.next, 10);
  assert.deepEqual(takeAll(schedule), ["a", "e"]);
  assert.equal(schedule.next, 20);
});

Deno.test("what is due behind the horizon is not remembered, what is due before it is", () => {
  const schedule = scheduleOf({ a: 10, b: 20, c: 30 }, 2);
  assert.equal(schedule.horizon, 20);
  schedule.set("late", 20);
  schedule.set("soon", 19);
  schedule.set("a", 99);
  assert.deepEqual(takeAll(schedule), ["soon"]);
});

Deno.test("after the forgotten part is read again there is no horizon", () => {
  const schedule = scheduleOf({ a: 10, b: 20, c: 30 }, 2);
  schedule.forgetHorizon();
  assert.equal(schedule.horizon, Infinity);
  schedule.set("b", 20);
  assert.deepEqual(takeAll(schedule), ["a", "b"]);
  assert.equal(schedule.next, Infinity);
});

Deno.test("changes without end do not make it grow", () => {
  const schedule = scheduleOf({ a: 10, b: 20 }, 8);
  for (let i = 0; i < 10_000; i++) schedule.set("a", i % 7);
  assert.equal(schedule.size, 2);
  assert.equal(schedule.horizon, Infinity);
  assert.deepEqual(takeAll(schedule), ["a", "b"]);
});

/** A random number from 0 up to, not including, `below`, the same ones for the same seed. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

/** A schedule beside a plain map of all messages, which stands for the disk. */
class Pair {
  readonly schedule: Schedule;
  readonly disk = new Map<string, number>();
  reloads = 0;

  constructor(readonly mostRemembered: number) {
    this.schedule = new Schedule(mostRemembered);
  }

  set(id: string, due: number): void {
    this.disk.set(id, due);
    this.schedule.set(id, due);
  }

  delete(id: string): void {
    this.disk.delete(id);
    this.schedule.delete(id);
  }

  take(now: number): void {
    const id = this.schedule.take(now);
    const soonest = Math.min(...this.disk.values());
    if (id !== undefined) {
      assert.equal(this.disk.get(id), soonest, "the soonest comes first");
      assert.ok(soonest <= now, "nothing comes before it is due");
      this.disk.delete(id);
    } else if (this.schedule.horizon <= now) this.reload();
    else assert.ok(soonest > now, "what is due comes");
  }

  reload(): void {
    this.reloads++;
    this.schedule.forgetHorizon();
    for (const [id, due] of this.disk) this.schedule.set(id, due);
  }

  check(): void {
    const { size, next, horizon } = this.schedule;
    const soonest = Math.min(...this.disk.values());
    assert.ok(size <= this.mostRemembered, "memory is bounded");
    assert.ok(next <= soonest, "nothing is overslept");
    if (horizon === Infinity) {
      assert.equal(size, this.disk.size, "all is remembered");
      assert.equal(next, soonest, "nobody is woken for nothing");
    }
  }
}

function tryOut(seed: number): number {
  const random = seeded(seed);
  const pair = new Pair(1 + random(8));
  const ids = 1 + random(24);
  let now = 0;
  for (let step = 0; step < 300; step++) {
    const what = random(10);
    const id = `id${random(ids)}`;
    if (what < 4) pair.set(id, now + random(50));
    else if (what < 5) pair.set(id, 0);
    else if (what < 6) pair.delete(id);
    else if (what < 9) pair.take(now);
    else now += random(20);
    pair.check();
  }
  // In the end everything comes out.
  for (let left = 10_000; pair.disk.size > 0 && left > 0; left--) pair.take(1000 + now);
  assert.equal(pair.disk.size, 0, "everything comes out");
  return pair.reloads;
}

Deno.test("whatever is set, deleted and taken, it agrees with a plain map", () => {
  const first = Math.floor(Math.random() * 2 ** 31);
  let reloads = 0;
  for (let seed = first; seed < first + 1000; seed++) {
    try {
      reloads += tryOut(seed);
    } catch (error) {
      throw new Error(`with the seed ${seed}`, { cause: error });
    }
  }
  assert.ok(reloads > 0, "the bound was never met");
});

Deno.test("all is due sooner, in the same order, and so is what had to be forgotten", () => {
  const schedule = new Schedule(2);
  for (const [i, id] of ["a", "b", "c"].entries()) schedule.set(id, 100 * (i + 1));
  const horizon = schedule.horizon;
  assert.ok(horizon < Infinity);
  assert.deepEqual(schedule.advance(90), ["a"]);
  assert.deepEqual([schedule.next, schedule.horizon], [10, horizon - 90]);
  assert.equal(schedule.take(9), undefined);
  assert.equal(schedule.take(10), "a");
  assert.deepEqual(schedule.advance(5), []);
});
