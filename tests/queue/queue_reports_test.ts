/** What senders hear from the queue: once, in time, and never in answer to a report. */

import assert from "node:assert/strict";
import { ARRIVED, DAY, HOUR, idOf, MINUTE, POLICY, recipient, settlement } from "./messages.ts";
import { type Codes, type Office, openOffice, reported } from "./office.ts";

/** Several recipients in a message of Fred's, which has come in. */
async function officeWith(
  addresses: readonly string[],
  rest: Parameters<Office["receive"]>[0] = {},
): Promise<Office> {
  const office = await openOffice();
  await office.receive({ recipients: addresses.map((address) => recipient(address)), ...rest });
  return office;
}

/** Rounds up to this time; who has no code of their own hears 450. Reports are taken and left. */
async function workUntil(office: Office, time: number, codes: Codes): Promise<void> {
  while (office.queue.next <= time) {
    await office.sleep();
    const active = await office.queue.take();
    // The tests' own messages are told from reports by their ids.
    if (active?.message.id !== idOf(1)) continue;
    const due = active.due().map(({ forwardPath }) => forwardPath);
    await active.begin(due);
    const settlements = due.map((path) => {
      const address = `${path.localPart}@${path.domain}`;
      return settlement(address, codes[address] ?? 450);
    });
    await active.settle(settlements);
    await active.release();
  }
}

Deno.test("all who failed in a round are in one report (DSN-4, DSN-7)", async () => {
  const office = await officeWith(["a@x.y", "b@x.y", "c@x.y"]);
  const active = await office.take();
  await active.begin(active.due().map(({ forwardPath }) => forwardPath));
  await active.settle([settlement("c@x.y", 550)]);
  await active.settle([settlement("b@x.y", 450)]);
  await active.settle([settlement("a@x.y", 554)]);
  assert.deepEqual(await office.reports(), []);
  await active.release();
  assert.deepEqual((await office.reports()).map(reported), [["a@x.y", "c@x.y"]]);
});

Deno.test("who fails later is in a report of a later round, alone (DSN-4)", async () => {
  const office = await officeWith(["a@x.y", "b@x.y"]);
  await office.round({ "a@x.y": 550, "b@x.y": 450 });
  await office.round({ "fred@me.example": 250 });
  await office.sleep();
  await office.round({ "b@x.y": 550 });
  assert.deepEqual((await office.reports()).map(reported), [["b@x.y"]]);
});

Deno.test("two messages that fail give two reports (DSN-4)", async () => {
  const office = await openOffice();
  for (const n of [1, 2]) await office.receive({ id: idOf(n) });
  await office.round({ "jones@x.y": 550 });
  await office.round({ "jones@x.y": 550, "fred@me.example": 450 });
  await office.round({ "jones@x.y": 550, "fred@me.example": 450 });
  const reports = await office.reports();
  assert.equal(reports.length, 2);
  const ids = reports.map((report) => /^X-denoSMTPD-Queue-ID: (.*)\r$/m.exec(report)?.[1]);
  assert.deepEqual(ids.sort(), [1, 2].map(idOf));
});

Deno.test("a report is due at once and goes to the reverse-path (DSN-1)", async () => {
  const office = await officeWith(["a@x.y"]);
  await office.round({ "a@x.y": 550 });
  const active = await office.take();
  assert.equal(active.message.reversePath, null);
  assert.deepEqual(
    active.due().map(({ forwardPath }) => forwardPath),
    [{ localPart: "fred", domain: "me.example" }],
  );
  const [told] = office.log.fieldsOf("message returned");
  assert.deepEqual(told, {
    id: idOf(1),
    to: ["<a@x.y>"],
    from: "<fred@me.example>",
    report: active.message.id,
  });
});

Deno.test("a report is durable before its message goes", async () => {
  const office = await officeWith(["a@x.y"]);
  await office.round({ "a@x.y": 550 });
  const { operations } = office.disk;
  const removed = operations.indexOf(`remove /spool/queue/${idOf(1)}.eml`);
  const [id] = await office.spool.list();
  const moved = operations.findIndex((operation) => operation.endsWith(`/queue/${id}.eml`));
  assert.ok(moved > 0 && moved + 1 < removed);
  assert.equal(operations[moved + 1], "syncDirectory /spool/queue");
});

Deno.test("a message from nobody that fails is gone, logged and not answered (DSN-1, BUG-18)", async () => {
  const office = await officeWith(["a@x.y"], { reversePath: null });
  await office.round({ "a@x.y": 550 });
  assert.equal(office.spooled.length, 0);
  assert.equal(office.queue.next, Infinity);
  const [lost] = office.log.fieldsOf("message lost");
  assert.deepEqual(lost?.to, ["<a@x.y>"]);
  assert.equal(lost?.id, idOf(1));
});

Deno.test("a report that fails is not reported (DSN-1, BUG-18)", async () => {
  const office = await officeWith(["a@x.y"]);
  await office.round({ "a@x.y": 550 });
  await office.round({ "fred@me.example": 550 });
  assert.equal(office.spooled.length, 0);
  assert.equal(office.queue.next, Infinity);
});

Deno.test("a report that can never be delivered ends too (DSN-1, BUG-18)", async () => {
  const office = await officeWith(["a@x.y"]);
  await office.round({ "a@x.y": 550 });
  for (let rounds = 0; office.queue.next < Infinity && rounds < 100; rounds++) {
    await office.sleep();
    await office.round({ "fred@me.example": 450 });
  }
  assert.equal(office.spooled.length, 0);
  assert.equal(office.clock.now(), ARRIVED + POLICY.lifetime);
});

Deno.test("after four hours the sender hears of who still waits, once (CL-22)", async () => {
  const office = await officeWith(["a@x.y", "b@x.y", "c@x.y"]);
  await workUntil(office, ARRIVED + 4 * HOUR - 1, { "a@x.y": 250 });
  assert.deepEqual(await office.reports(), []);
  await workUntil(office, ARRIVED + 4 * DAY, {});
  const reports = await office.reports();
  assert.deepEqual(reports.map(reported), [["b@x.y", "c@x.y"]]);
  assert.match(reports[0]!, /^Subject: Your message is delayed\r$/m);
  assert.match(reports[0]!, /^Date: Sun, 22 Nov 2026 16:00:00 \+0000\r$/m);
  assert.equal(office.log.fieldsOf("delay reported").length, 1);
});

Deno.test("a notice is not given again after a crash", async () => {
  const office = await officeWith(["a@x.y"]);
  await workUntil(office, ARRIVED + 4 * HOUR, {});
  await office.restart();
  await workUntil(office, ARRIVED + DAY, {});
  assert.equal((await office.reports()).length, 1);
});

Deno.test("a message from nobody that waits is not answered (DSN-1, BUG-18)", async () => {
  const office = await officeWith(["a@x.y"], { reversePath: null });
  await workUntil(office, Number.MAX_SAFE_INTEGER, {});
  assert.equal(office.spooled.length, 0);
  assert.equal(office.clock.now(), ARRIVED + POLICY.lifetime);
  assert.equal(office.log.fieldsOf("message lost").length, 1);
});

Deno.test("no notice goes to the sender of a message that was never tried", async () => {
  const office = await officeWith(["a@x.y"]);
  await office.clock.pass(6 * DAY);
  const active = await office.take();
  await active.begin([]);
  await active.release();
  assert.deepEqual(await office.reports(), []);
  await office.sleep();
  assert.deepEqual(await office.round({ "a@x.y": 250 }), ["a@x.y"]);
});

Deno.test("at the lifetime's end the sender hears of it, and it is tried no more (CL-22)", async () => {
  const office = await officeWith(["a@x.y", "b@x.y"]);
  await workUntil(office, ARRIVED + POLICY.lifetime - 1, { "b@x.y": 250 });
  assert.deepEqual(office.log.fieldsOf("message returned"), []);
  await workUntil(office, ARRIVED + 2 * POLICY.lifetime, {});
  const [, bounce, another] = await office.reports();
  assert.equal(another, undefined);
  assert.deepEqual(reported(bounce ?? ""), ["a@x.y"]);
  assert.match(bounce!, /^Status: 4\.4\.7\r$/m);
  await assert.rejects(office.spool.read(idOf(1)), Deno.errors.NotFound);
});

/** A message that is to be released, after one recipient was refused and the other delivered. */
async function refusal(): Promise<{ office: Office; release: () => Promise<void> }> {
  const office = await officeWith(["a@x.y", "b@x.y"]);
  const active = await office.take();
  await active.begin(active.due().map(({ forwardPath }) => forwardPath));
  await active.settle([settlement("a@x.y", 550), settlement("b@x.y", 250)]);
  office.disk.operations.length = 0;
  return { office, release: () => active.release() };
}

Deno.test("whichever operation fails in a release, there is one report at last, and nobody is tried again", async () => {
  const whole = await refusal();
  await whole.release();
  for (const [failing, what] of [...whole.office.disk.operations].entries()) {
    const { office, release } = await refusal();
    let at = 0;
    office.disk.before = (operation) => {
      if (at++ === failing) throw new Error(`no ${operation}`);
    };
    await release();
    await office.clock.pass(MINUTE);
    assert.equal(office.queue.active, 0, what);
    assert.deepEqual((await office.reports()).map(reported), [["a@x.y"]], what);
    assert.equal((await office.spool.list()).length, 1, what);
    assert.deepEqual(await office.round({}), ["fred@me.example"]);
  }
});

Deno.test("wherever the world stops in a release, the sender hears of it, and nobody is tried again", async () => {
  const whole = await refusal();
  await whole.release();
  for (const [failing, what] of [...whole.office.disk.operations].entries()) {
    const { office, release } = await refusal();
    let at = 0;
    office.disk.before = (operation) => {
      if (at++ >= failing) throw new Error(`no ${operation}`);
    };
    await release();
    await office.restart();
    const asked = new Set<string>();
    for (let rounds = 0; rounds < 4 && office.queue.next <= office.clock.now(); rounds++) {
      (await office.round({})).forEach((address) => asked.add(address));
    }
    const reports = await office.reports();
    assert.ok(reports.length > 0, what);
    reports.forEach((report) => assert.deepEqual(reported(report), ["a@x.y"], what));
    assert.deepEqual([...asked], ["fred@me.example"], what);
    await assert.rejects(office.spool.read(idOf(1)), Deno.errors.NotFound, what);
  }
});
