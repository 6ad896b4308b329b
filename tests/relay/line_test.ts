/** Who waits for one destination: in order, and carriers that wait for somebody to come. */

import assert from "node:assert/strict";
import { Line, type Task } from "../../src/relay/line.ts";
import { idOf } from "../queue/messages.ts";
import { openOffice } from "../queue/office.ts";
import { collectGarbage } from "../support/collect_garbage.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { settled } from "../support/settled.ts";

const LINGER = 1000;

function newLine(): { clock: FakeClock; line: Line } {
  const clock = new FakeClock();
  return { clock, line: new Line("x.test", 200, clock) };
}

/** Tasks for that many messages. */
async function tasks(count: number): Promise<Task[]> {
  const office = await openOffice();
  const all: Task[] = [];
  for (let n = 1; n <= count; n++) {
    await office.receive({ id: idOf(n) });
    const message = await office.take();
    const nothing = () => Promise.resolve();
    all.push({ message, recipients: [], settle: nothing, withdraw: nothing, done: () => {} });
  }
  return all;
}

Deno.test("tasks are given out in the order they came, each once", async () => {
  const { line } = newLine();
  const [a, b, c] = await tasks(3);
  assert(a && b && c);
  assert.equal(line.take(), undefined);
  line.push(a);
  line.push(b);
  assert.equal(line.length, 2);
  assert.equal(line.take(), a);
  line.push(c);
  assert.equal(line.length, 2);
  assert.equal(await line.next(LINGER), b);
  assert.equal(line.take(), c);
  assert.equal(line.take(), undefined);
  assert.equal(line.length, 0);
});

Deno.test("a line that never gets empty does not hold what it has given out", async () => {
  const { line } = newLine();
  const [task] = await tasks(1);
  assert(task);
  const pushed: WeakRef<Task>[] = [];
  const push = () => {
    const copy = { ...task };
    pushed.push(new WeakRef(copy));
    line.push(copy);
  };
  for (let n = 0; n < 50; n++) push();
  for (let n = 0; n < 1000; n++) {
    push();
    line.take();
  }
  await collectGarbage();
  assert.equal(line.length, 50);
  const held = pushed.filter((one) => one.deref() !== undefined).length;
  assert(held >= 50 && held <= 150, `${held}`);
});

Deno.test("a task that waits is given out at once, and no time is kept", async () => {
  const { clock, line } = newLine();
  const [a] = await tasks(1);
  assert(a);
  assert.equal(line.push(a), false);
  assert.equal(await line.next(LINGER), a);
  assert.equal(clock.pending, 0);
});

Deno.test("a carrier that waits gets the next task, and whoever brings it is told so", async () => {
  const { clock, line } = newLine();
  const [a] = await tasks(1);
  assert(a);
  const next = line.next(LINGER);
  clock.advance(LINGER - 1);
  assert.equal(line.push(a), true);
  assert.equal(await next, a);
  assert.equal(clock.pending, 0);
});

Deno.test("two carriers that wait get one task each; for a third nobody waits", async () => {
  const { line } = newLine();
  const [a, b, c] = await tasks(3);
  assert(a && b && c);
  const waiting = [line.next(LINGER), line.next(LINGER)];
  assert.deepEqual([a, b, c].map((task) => line.push(task)), [true, true, false]);
  assert.deepEqual(await Promise.all(waiting), [a, b]);
  assert.equal(line.take(), c);
});

Deno.test("where nobody comes a carrier goes when its time is over, and without any at once", async () => {
  const { clock, line } = newLine();
  let over = false;
  const next = line.next(LINGER).finally(() => over = true);
  await clock.pass(LINGER - 1);
  assert.equal(over, false);
  await clock.pass(1);
  assert.equal(await next, undefined);
  assert.equal(await line.next(0), undefined);
  assert.equal(clock.pending, 0);
});

Deno.test("all carriers that wait can be sent away, and tasks can come after that", async () => {
  const { clock, line } = newLine();
  const waiting = [line.next(LINGER), line.next(LINGER)];
  line.wakeIdle();
  assert.deepEqual(await Promise.all(waiting), [undefined, undefined]);
  assert.equal(clock.pending, 0);
  const [a] = await tasks(1);
  assert(a);
  assert.equal(line.push(a), false);
  assert.equal(await line.next(LINGER), a);
});

Deno.test("a line that is stopped sends its carriers away, and who waits there can be fetched", async () => {
  const { clock, line } = newLine();
  const waiting = line.next(LINGER);
  line.stop();
  assert.equal(await waiting, undefined);
  const [a] = await tasks(1);
  assert(a);
  line.push(a);
  assert.equal(await line.next(LINGER), undefined);
  await settled();
  assert.equal(clock.pending, 0);
  assert.equal(line.take(), a);
});

Deno.test("of those that wait on the disk alone a hundred thousand are remembered, the first", () => {
  const { line } = newLine();
  for (let n = 0; n <= 100_000; n++) line.holdBack(idOf(n));
  assert.equal(line.heldBack.size, 100_000);
  assert.ok(line.heldBack.has(idOf(0)) && !line.heldBack.has(idOf(100_000)));
});
