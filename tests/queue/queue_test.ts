/** The queue: who is next, and what an attempt leaves behind. */

import assert from "node:assert/strict";
import type { QueuedMessage } from "../../src/queue/envelope.ts";
import { parseMailbox } from "../../src/smtp/address.ts";
import { ARRIVED, HOUR, idOf, MINUTE, POLICY, recipient, settlement } from "./messages.ts";
import { type Office, openOffice } from "./office.ts";

const JONES = parseMailbox("jones@x.y");
const dueAt = (nextAttempt: number) => [recipient("jones@x.y", { nextAttempt })];

/** What is on the disk of the first message. */
const stored = (office: Office): Promise<QueuedMessage> => office.stored(idOf(1));

Deno.test("messages are taken soonest first, when they are due, each once", async () => {
  const office = await openOffice();
  for (const [n, after] of [[1, 20], [2, 0], [3, 10]] as const) {
    await office.receive({ id: idOf(n), recipients: dueAt(ARRIVED + after) });
  }
  await office.restart();
  const taken: string[] = [];
  for (let i = 0; i < 3; i++) {
    await office.sleep();
    taken.push((await office.take()).message.id);
    assert.equal(await office.queue.take(), undefined);
  }
  assert.deepEqual(taken, [2, 3, 1].map(idOf));
  assert.equal(office.clock.now(), ARRIVED + 20);
  assert.equal(office.queue.next, Infinity);
  assert.equal(office.queue.active, 3);
});

Deno.test("loading tells how many messages wait", async () => {
  const office = await openOffice();
  assert.equal(await office.queue.load(), 0);
  for (const n of [1, 2, 3]) await office.receive({ id: idOf(n) });
  assert.equal(await office.queue.load(), 3);
});

Deno.test("a new message is due at once, and whoever waits for one is told", async () => {
  const office = await openOffice();
  let told = 0;
  office.queue.changed = () => told++;
  await office.receive();
  assert.equal(told, 1);
  assert.ok(office.queue.next <= ARRIVED);
});

Deno.test("nobody else gets a message that is being worked on", async () => {
  const office = await openOffice();
  const id = await office.receive();
  const active = await office.take();
  office.queue.add(id);
  await office.queue.load();
  assert.equal(await office.queue.take(), undefined);
  await active.release();
  assert.equal(office.queue.active, 0);
});

Deno.test("takers at the same time get messages of their own", async () => {
  const office = await openOffice();
  for (const n of [1, 2, 3]) await office.receive({ id: idOf(n) });
  const takers = Array.from({ length: 5 }, () => office.queue.take());
  const taken = (await Promise.all(takers)).map((active) => active?.message.id);
  assert.deepEqual(taken.sort(), [idOf(1), idOf(2), idOf(3), undefined, undefined]);
});

Deno.test("a message that is gone from the disk is passed over", async () => {
  const office = await openOffice();
  await office.spool.remove(await office.receive());
  await office.receive({ id: idOf(2) });
  assert.equal((await office.take()).message.id, idOf(2));
});

Deno.test("an attempt is recorded before it starts, and survives a crash", async () => {
  const office = await openOffice();
  await office.receive();
  const active = await office.take();
  await active.begin([JONES]);
  assert.equal(office.disk.operations.at(-1), "sync /spool/journal-1");
  const [jones] = (await stored(office)).recipients;
  assert.deepEqual(
    jones,
    recipient("jones@x.y", { attempts: 1, nextAttempt: ARRIVED + 5 * MINUTE }),
  );
  await office.restart();
  assert.equal(await office.queue.take(), undefined);
  assert.equal(office.queue.next, ARRIVED + 5 * MINUTE);
});

Deno.test("of three, one is delivered, one waits, one is returned, each for itself (CL-17, BUG-24)", async () => {
  const office = await openOffice();
  const recipients = ["a@x.y", "b@x.y", "c@x.y"].map((address) => recipient(address));
  await office.receive({ recipients });
  await office.round({ "a@x.y": 250, "b@x.y": 450, "c@x.y": 550 });
  assert.deepEqual(
    (await stored(office)).recipients.map(({ state }) => state),
    ["delivered", "waiting", "returned"],
  );
  assert.equal((await office.reports()).length, 1);
  assert.deepEqual(await office.round({}), ["fred@me.example"]);
  await office.sleep();
  assert.deepEqual(await office.round({ "b@x.y": 250 }), ["b@x.y"]);
  await assert.rejects(stored(office), Deno.errors.NotFound);
});

Deno.test("what was heard is recorded at once, and survives a crash", async () => {
  const office = await openOffice();
  const recipients = ["jones@x.y", "smith@x.y"].map((address) => recipient(address));
  await office.receive({ recipients });
  const active = await office.take();
  await active.begin(recipients.map(({ forwardPath }) => forwardPath));
  await active.settle([settlement("jones@x.y", 250)]);
  await office.restart();
  await office.clock.pass(5 * MINUTE);
  assert.deepEqual(await office.round({ "smith@x.y": 250 }), ["smith@x.y"]);
});

Deno.test("a message that is delivered to all is gone, and nobody hears of it (CL-19)", async () => {
  const office = await openOffice();
  await office.receive();
  await office.round({ "jones@x.y": 250 });
  assert.equal(office.spooled.length, 0);
  assert.equal(office.queue.active, 0);
  assert.equal(office.queue.next, Infinity);
  assert.deepEqual(office.log.all.map(({ event }) => event), ["message sent"]);
});

Deno.test("a recipient for whom there was no room is tried shortly, not at once", async () => {
  const office = await openOffice();
  await office.receive();
  const active = await office.take();
  await active.begin([]);
  await active.release();
  assert.equal(await office.queue.take(), undefined);
  assert.ok(office.queue.next > ARRIVED && office.queue.next <= ARRIVED + 5 * MINUTE);
  await office.sleep();
  assert.deepEqual(await office.round({ "jones@x.y": 250 }), ["jones@x.y"]);
});

Deno.test("each outcome is logged once, with who, what and when again", async () => {
  const office = await openOffice();
  const recipients = ["a@x.y", "b@x.y", "c@x.y"].map((address) => recipient(address));
  const id = await office.receive({ recipients });
  await office.round({ "a@x.y": 250, "b@x.y": 450, "c@x.y": 550 });
  assert.equal(office.log.fieldsOf("message sent")[0]?.to, "<a@x.y>");
  assert.deepEqual(office.log.fieldsOf("message deferred"), [{
    id,
    to: "<b@x.y>",
    host: undefined,
    tls: undefined,
    verified: undefined,
    reply: "450 4.0.0 reply 450",
    attempts: 1,
    next: new Date(ARRIVED + 5 * MINUTE).toISOString(),
  }]);
  assert.equal(office.log.fieldsOf("message failed")[0]?.reply, "550 5.0.0 reply 550");
});

Deno.test("a schedule that is too short for the queue reads the rest again", async () => {
  const office = await openOffice(4);
  const ids = Array.from({ length: 30 }, (_, i) => idOf(i + 1));
  for (const [i, id] of ids.entries()) {
    await office.receive({ id, recipients: dueAt(ARRIVED + 1000 * i) });
  }
  await office.restart();
  const taken: string[] = [];
  while (taken.length < ids.length) {
    await office.sleep();
    const active = await office.queue.take();
    if (!active) continue;
    taken.push(active.message.id);
    assert.ok(active.due().length > 0, "nothing is taken before it is due");
    await active.begin([JONES]);
    await active.settle([settlement("jones@x.y", 250)]);
    await active.release();
  }
  assert.deepEqual(taken, ids);
  assert.equal(office.spooled.length, 0);
});

Deno.test("what a schedule has forgotten is not lost where the disk cannot be read for a while", async () => {
  const office = await openOffice(2);
  const ids = Array.from({ length: 6 }, (_, i) => idOf(i + 1));
  for (const id of ids) await office.receive({ id });
  await office.restart();
  const taken: string[] = [];
  for (let tries = 0; tries < 20; tries++) {
    office.heal();
    if (tries % 2 === 0) office.fail(/^list/);
    const active = await office.queue.take().catch(() => undefined);
    if (active) taken.push(active.message.id);
  }
  assert.deepEqual(taken.sort(), ids);
});

Deno.test("attempts go on to the end of the lifetime, with one notice and one bounce (CL-22)", async () => {
  const office = await openOffice();
  await office.receive();
  const attempts: number[] = [];
  const events: (readonly [event: string, after: number])[] = [];
  while (await office.spool.list().then((ids) => ids.includes(idOf(1)))) {
    await office.sleep();
    const asked = await office.round({ "jones@x.y": 450, "fred@me.example": 250 });
    if (asked.includes("jones@x.y")) attempts.push(office.clock.now() - ARRIVED);
    for (const { event } of office.log.all.splice(0)) {
      if (/returned|delay/.test(event)) events.push([event, office.clock.now() - ARRIVED]);
    }
  }
  assert.deepEqual(attempts.slice(0, 4), [0, 5, 20, 50].map((minutes) => minutes * MINUTE));
  assert.equal(attempts.at(-1), POLICY.lifetime);
  assert.deepEqual(events, [
    ["delay reported", 4 * HOUR],
    ["message returned", POLICY.lifetime],
  ]);
});
