/** Waits that share a timer end like those with one each. */

import assert from "node:assert/strict";
import { SharedTimer } from "../src/shared_timer.ts";
import { FakeClock } from "./support/fake_clock.ts";

const GRAIN = 100;

class Waits {
  readonly clock = new FakeClock();
  readonly timer = new SharedTimer(this.clock);
  readonly over: string[] = [];

  after(milliseconds: number, name: string): () => void {
    return this.timer.after(milliseconds, () => this.over.push(name));
  }
}

Deno.test("waits end in their order, never early and hardly late", () => {
  const waits = new Waits();
  waits.after(3000, "long");
  waits.after(1000, "short");
  waits.after(2000, "middle");
  waits.clock.advance(999);
  assert.deepEqual(waits.over, []);
  waits.clock.advance(1 + GRAIN);
  assert.deepEqual(waits.over, ["short"]);
  waits.clock.advance(1000);
  assert.deepEqual(waits.over, ["short", "middle"]);
  waits.clock.advance(1000);
  assert.deepEqual(waits.over, ["short", "middle", "long"]);
  waits.clock.advance(10_000);
  assert.equal(waits.over.length, 3);
});

Deno.test("a wait that is called off does not end, the others of the same moment do", () => {
  const waits = new Waits();
  const callOff = waits.after(1000, "one");
  waits.after(1000, "two");
  callOff();
  callOff();
  waits.clock.advance(2000);
  assert.deepEqual(waits.over, ["two"]);
  waits.after(1000, "three")();
  waits.after(500, "four");
  waits.clock.advance(2000);
  assert.deepEqual(waits.over, ["two", "four"]);
});

Deno.test("what a wait's end begins, and calls off, counts", () => {
  const waits = new Waits();
  let callOff = () => {};
  waits.timer.after(1000, () => {
    waits.over.push("first");
    waits.after(1000, "second");
    callOff();
  });
  callOff = waits.after(1000, "called off");
  waits.clock.advance(1000 + GRAIN);
  assert.deepEqual(waits.over, ["first"]);
  waits.clock.advance(1000 + GRAIN);
  assert.deepEqual(waits.over, ["first", "second"]);
});

Deno.test("a thousand waits take one timer, and closing ends them all", () => {
  const waits = new Waits();
  let timers = 0;
  const { clock } = waits;
  const counted = new SharedTimer({
    now: () => clock.now(),
    after(milliseconds, act) {
      timers++;
      return clock.after(milliseconds, act);
    },
  });
  for (let i = 0; i < 1000; i++) counted.after(300_000 + i / 20, () => waits.over.push("late"));
  assert.equal(timers, 1);
  counted.close();
  clock.advance(600_000);
  assert.deepEqual(waits.over, []);
});

Deno.test("no wait is asked for that is shorter than none, though time goes on meanwhile", () => {
  let now = 0;
  const asked: number[] = [];
  const timer = new SharedTimer({
    // A grain passes between any two looks.
    now: () => now += 100,
    after(milliseconds) {
      asked.push(milliseconds);
      return () => {};
    },
  });
  for (const milliseconds of [0, 1, 50, 150]) timer.after(milliseconds, () => {});
  assert.ok(asked.length > 0 && asked.every((one) => one >= 0), `${asked}`);
  timer.close();
});
