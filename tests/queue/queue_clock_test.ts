/** The queue where times in envelopes are not what the clock and the policy would make of them. */

import assert from "node:assert/strict";
import { ARRIVED, DAY, HOUR, idOf, MINUTE, POLICY, recipient } from "./messages.ts";
import { type Office, openOffice } from "./office.ts";

const LONGEST = Math.max(...POLICY.delays);
const waiting = (nextAttempt: number) => [recipient("jones@x.y", { attempts: 1, nextAttempt })];

/** When each of so many messages is tried first, in milliseconds from ARRIVED; none is answered. */
async function tried(office: Office, count: number): Promise<number[]> {
  const times = new Map<string, number>();
  while (times.size < count) {
    await office.sleep();
    const active = await office.queue.take();
    if (!active) continue;
    const paths = active.due().map(({ forwardPath }) => forwardPath);
    const { id } = active.message;
    if (paths.length > 0 && !times.has(id)) times.set(id, office.clock.now() - ARRIVED);
    await active.begin(paths);
    await active.release();
  }
  return [...times.values()];
}

Deno.test("mail that is set for later than any attempt now is tried within the longest delay, not all at once", async () => {
  const office = await openOffice();
  const dues = [DAY, DAY + HOUR, DAY + 2 * HOUR + MINUTE, 30 * DAY + 3 * HOUR];
  for (const [i, due] of dues.entries()) {
    await office.receive({
      id: idOf(i + 1),
      reversePath: null,
      recipients: waiting(ARRIVED + due),
    });
  }
  await office.restart();
  assert.deepEqual(
    await tried(office, 4),
    [0, HOUR, 2 * HOUR + MINUTE, 3 * HOUR],
  );
});

Deno.test("however often it is loaded, such mail is not put off", async () => {
  const office = await openOffice();
  await office.receive({ reversePath: null, recipients: waiting(ARRIVED + DAY + 2 * HOUR) });
  for (let i = 0; i < 4; i++) {
    await office.restart();
    assert.equal(office.queue.next, ARRIVED + 2 * HOUR);
    await office.queue.load();
    assert.equal(office.queue.next, ARRIVED + 2 * HOUR);
    await office.clock.pass(25 * MINUTE);
  }
  assert.deepEqual(await tried(office, 1), [2 * HOUR]);
});

Deno.test("mail that waits no longer than the longest delay waits as its envelope says", async () => {
  const office = await openOffice();
  await office.receive({ reversePath: null, recipients: waiting(ARRIVED + LONGEST) });
  await office.restart();
  assert.equal(office.queue.next, ARRIVED + LONGEST);
});

Deno.test("what is remembered when the clock is set back, and forgotten then, waits no less for it", async () => {
  const office = await openOffice(4);
  const ids = [1, 2, 3, 4].map(idOf);
  for (const [i, id] of ids.entries()) {
    const recipients = waiting(ARRIVED + 2 * HOUR + i * MINUTE);
    await office.receive({ id, reversePath: null, recipients });
  }
  await office.restart();
  assert.equal(await office.queue.take(), undefined);
  office.clock.set(ARRIVED - HOUR);
  assert.equal(await office.queue.take(), undefined);
  // More than can be remembered, and sooner.
  for (let n = 5; n < 9; n++) {
    await office.receive({ id: idOf(n), recipients: waiting(ARRIVED - HOUR) });
  }
  const times = await tried(office, 8);
  assert.deepEqual(times.slice(0, 4), Array(4).fill(-HOUR));
  assert.ok(times.slice(4).every((time) => time > -HOUR), String(times));
});

Deno.test("mail that came while the clock was ahead ends within a second lifetime", async () => {
  const office = await openOffice();
  const arrived = ARRIVED + 30 * DAY;
  await office.receive({ arrived, recipients: waiting(arrived) });
  await office.restart();
  let rounds = 0;
  while ((await office.spool.list()).length > 0) {
    assert.ok(rounds++ < 100, "it ends");
    await office.sleep();
    await office.round({ "jones@x.y": 450, "fred@me.example": 250 });
  }
  const after = office.clock.now() - ARRIVED;
  assert.ok(after >= POLICY.lifetime && after <= 2 * POLICY.lifetime + LONGEST, String(after));
  assert.equal(office.log.fieldsOf("delay reported").length, 1);
  assert.equal(office.log.fieldsOf("message returned").length, 1);
});
