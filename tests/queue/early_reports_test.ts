/** Who has failed is reported while others are still tried, and that gets in the way of nothing. */

import assert from "node:assert/strict";
import { DAY, idOf, MINUTE, recipient, settlement } from "./messages.ts";
import { type Office, openOffice, reported } from "./office.ts";

/** More than a report takes. */
const STEPS = 80;

/** A message under way: A has failed, and of B nothing is known yet. */
async function underWay() {
  const office = await openOffice();
  const recipients = ["a@x.y", "b@x.y"].map((address) => recipient(address));
  await office.receive({ recipients });
  const active = await office.take();
  await active.begin(recipients.map(({ forwardPath }) => forwardPath));
  await active.settle([settlement("a@x.y", 550)]);
  return { office, active };
}

async function reportedIn(office: Office): Promise<string[][]> {
  return (await office.reports()).map(reported);
}

Deno.test("a report before the release is not given again, not even after a crash (DSN-4)", async () => {
  const { office, active } = await underWay();
  await active.reportFailures();
  await active.reportFailures();
  assert.deepEqual(await reportedIn(office), [["a@x.y"]]);
  await office.restart();
  await office.clock.pass(5 * MINUTE);
  for (let n = 0; n < 2; n++) await office.round({ "b@x.y": 250, "fred@me.example": 450 });
  assert.deepEqual(await reportedIn(office), [["a@x.y"]]);
});

Deno.test("who fails after the report is in the next one, alone (DSN-4)", async () => {
  const { office, active } = await underWay();
  const reporting = active.reportFailures();
  await active.settle([settlement("b@x.y", 550)]);
  await reporting;
  await active.release();
  assert.deepEqual((await reportedIn(office)).flat().sort(), ["a@x.y", "b@x.y"]);
});

Deno.test("where a report cannot be written now, the release does it", async () => {
  const { office, active } = await underWay();
  office.fail(/^create/);
  await active.reportFailures();
  office.heal();
  await active.settle([settlement("b@x.y", 250)]);
  await active.release();
  assert.deepEqual(await reportedIn(office), [["a@x.y"]]);
});

Deno.test("where nobody has failed, nothing is written", async () => {
  const office = await openOffice();
  await office.receive();
  const active = await office.take();
  await active.begin(active.due().map(({ forwardPath }) => forwardPath));
  const before = office.disk.operations.length;
  await active.reportFailures();
  assert.deepEqual(office.disk.operations.slice(before), []);
});

Deno.test("a message that is done while its report is written is gone for good", async () => {
  for (let steps = 0; steps < STEPS; steps++) {
    const { office, active } = await underWay();
    const reporting = active.reportFailures();
    for (let step = 0; step < steps; step++) await Promise.resolve();
    await active.settle([settlement("b@x.y", 250)]);
    await active.release();
    await reporting;
    assert.deepEqual(await reportedIn(office), [["a@x.y"]], `${steps} steps`);
    const left = [...office.disk.files.keys()].filter((path) => path.includes(idOf(1)));
    assert.deepEqual(left, [], `${steps} steps`);
    await office.clock.pass(DAY);
    assert.deepEqual(office.log.fieldsOf("queue trouble"), [], `${steps} steps`);
  }
});

Deno.test("of a message that is to be removed nobody is told", async () => {
  const { office, active } = await underWay();
  const removed = office.queue.remove(idOf(1));
  await office.clock.pass(0);
  await active.reportFailures();
  await active.release();
  assert.equal(await removed, true);
  assert.equal(office.spooled.length, 0);
});
