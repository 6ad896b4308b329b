/** What people may ask of the queue: to try a message now, or to remove it. */

import assert from "node:assert/strict";
import { parseMailbox } from "../../src/smtp/address.ts";
import { ARRIVED, HOUR, idOf, MINUTE, recipient, settlement } from "./messages.ts";
import { openOffice } from "./office.ts";

const JONES = parseMailbox("jones@x.y");
const dueAt = (nextAttempt: number) => [recipient("jones@x.y", { nextAttempt })];

Deno.test("a hastened message is tried at once, and then as ever", async () => {
  const office = await openOffice();
  const id = await office.receive({ recipients: dueAt(ARRIVED + HOUR) });
  await office.restart();
  assert.equal(office.queue.next, ARRIVED + HOUR);
  let told = 0;
  office.queue.changed = () => told++;
  assert.equal(await office.queue.hasten(id), true);
  assert.equal(told, 1);
  assert.deepEqual(await office.round({ "jones@x.y": 450 }), ["jones@x.y"]);
  assert.equal(await office.queue.take(), undefined);
  assert.equal(office.queue.next, ARRIVED + 5 * MINUTE);
});

Deno.test("nobody is hastened who is not there; who is being worked on is due already", async () => {
  const office = await openOffice();
  assert.equal(await office.queue.hasten(idOf(1)), false);
  assert.equal(await office.queue.hasten("../tmp/x"), false);
  const id = await office.receive();
  const active = await office.take();
  assert.equal(await office.queue.hasten(id), true);
  assert.equal(await office.queue.take(), undefined);
  await active.release();
});

Deno.test("asked for while another recipient is still tried, who waits is tried right after", async () => {
  const office = await openOffice();
  const recipients = ["jones@x.y", "slow@far.y"].map((address) => recipient(address));
  const id = await office.receive({ recipients });
  const active = await office.take();
  await active.begin(recipients.map(({ forwardPath }) => forwardPath));
  await active.settle([settlement("jones@x.y", 450)]);
  assert.equal(await office.queue.hasten(id), true);
  assert.equal(await office.queue.take(), undefined);
  await active.settle([settlement("slow@far.y", 250)]);
  let told = 0;
  office.queue.changed = () => told++;
  await active.release();
  assert.equal(told, 1);
  assert.ok(office.queue.next <= office.clock.now());
  assert.deepEqual(await office.round({ "jones@x.y": 250 }), ["jones@x.y"]);
  assert.equal(office.clock.now(), ARRIVED);
  assert.equal(office.spooled.length, 0);
});

Deno.test("a removed message is gone, and its sender does not hear of it", async () => {
  const office = await openOffice();
  const id = await office.receive({ recipients: dueAt(ARRIVED + HOUR) });
  assert.equal(await office.queue.remove(id), true);
  assert.equal(office.spooled.length, 0);
  assert.deepEqual(office.log.fieldsOf("message removed"), [{ id }]);
  assert.equal(office.queue.next, Infinity);
  assert.equal(await office.queue.remove(id), false);
});

Deno.test("a message removed while it is worked on goes after that, untold to anybody", async () => {
  for (const code of [250, 450, 550]) {
    const office = await openOffice();
    const id = await office.receive();
    const active = await office.take();
    await active.begin([JONES]);
    assert.equal(active.over, false);
    const removed = office.queue.remove(id);
    await office.clock.pass(0);
    assert.equal(active.over, true);
    await active.settle([settlement("jones@x.y", code)]);
    assert.notEqual(office.spooled.length, 0);
    await active.release();
    assert.equal(await removed, true);
    assert.equal(office.spooled.length, 0);
    assert.equal(office.queue.next, Infinity);
    // Nothing was removed of what has gone to everybody.
    assert.deepEqual(office.log.fieldsOf("message removed"), code === 250 ? [] : [{ id }]);
  }
});

Deno.test("a removal at any moment of a release is carried out", async () => {
  for (let steps = 0; steps < 60; steps++) {
    const office = await openOffice();
    const id = await office.receive();
    const active = await office.take();
    await active.begin([JONES]);
    await active.settle([settlement("jones@x.y", 450)]);
    const released = active.release();
    for (let step = 0; step < steps; step++) await Promise.resolve();
    const removed = office.queue.remove(id);
    await released;
    assert.equal(await removed, true, `after ${steps} steps`);
    assert.equal(office.spooled.length, 0, `after ${steps} steps`);
  }
});

Deno.test("a message removed in the middle of its release goes all the same", async () => {
  const office = await openOffice();
  const id = await office.receive();
  const active = await office.take();
  await active.begin([JONES]);
  office.fail(/^create/);
  await active.settle([settlement("jones@x.y", 450)]);
  let removed: Promise<boolean> | undefined;
  office.disk.before = (operation) => {
    if (operation.startsWith("rename")) removed ??= office.queue.remove(id);
  };
  await active.release();
  assert.equal(await removed, true);
  await office.clock.pass(MINUTE);
  assert.equal(office.spooled.length, 0);
});

Deno.test("all are due when that is asked for, those that are worked on right after", async () => {
  const office = await openOffice();
  for (const n of [1, 2, 3]) {
    await office.receive({ id: idOf(n) });
    await office.round({ "jones@x.y": 450 });
  }
  await office.clock.pass(5 * MINUTE);
  const active = await office.take();
  await active.begin([JONES]);
  await office.queue.hastenAll();
  assert.deepEqual(await office.round({ "jones@x.y": 250 }), ["jones@x.y"]);
  await active.settle([settlement("jones@x.y", 450)]);
  await active.release();
  for (let n = 0; n < 2; n++) await office.round({ "jones@x.y": 250 });
  assert.deepEqual(office.spooled, []);
});

Deno.test("who is held back stays asked for, and costs the disk nothing", async () => {
  const office = await openOffice();
  const id = await office.receive();
  await office.round({ "jones@x.y": 450 });
  await office.queue.hastenAll();
  const active = await office.take();
  office.disk.operations.length = 0;
  await active.begin([]);
  await active.release(HOUR);
  assert.ok(office.queue.next > office.clock.now());
  office.queue.add(id);
  const again = await office.take();
  assert.deepEqual(again.due().map(({ forwardPath }) => forwardPath), [JONES]);
  assert.deepEqual(office.disk.operations, []);
});
