/** The queue where the disk fails or a file is damaged: nothing is lost, nobody is tried twice. */

import assert from "node:assert/strict";
import { SHORTLY } from "../../src/queue/active.ts";
import { DamagedError } from "../../src/queue/envelope.ts";
import { QueueAwayError } from "../../src/queue/spool.ts";
import { parseMailbox } from "../../src/smtp/address.ts";
import { ARRIVED, idOf, MINUTE, recipient, settlement } from "./messages.ts";
import { type Office, openOffice } from "./office.ts";
import { bytesOf } from "./spooled.ts";

const JONES = parseMailbox("jones@x.y");
const SMITH = parseMailbox("smith@x.y");

/** Replaces the content of a file. */
async function overwrite({ disk }: Office, path: string, content: string): Promise<void> {
  await disk.remove(path);
  const file = await disk.create(path);
  await file.write(bytesOf(content));
  file.close();
}

const envelopeOf = (n: number) => `/spool/queue/${idOf(n)}.json`;
const textOf = (n: number) => `/spool/queue/${idOf(n)}.eml`;

for (const failing of ["create", "write", "sync", "syncDirectory"]) {
  Deno.test(`an attempt whose record fails at ${failing} must not begin and does not count`, async () => {
    const office = await openOffice();
    await office.receive();
    const active = await office.take();
    office.fail(new RegExp(`^${failing} `));
    await assert.rejects(active.begin([JONES]), /^Error: no /);
    office.heal();
    assert.equal(active.message.recipients[0]!.attempts, 0);
    assert.deepEqual(active.due().map(({ forwardPath }) => forwardPath), [JONES]);
    await active.release();
    await office.clock.pass(SHORTLY);
    assert.deepEqual(await office.round({ "jones@x.y": 450 }), ["jones@x.y"]);
    assert.equal((await office.spool.read(idOf(1))).recipients[0]!.attempts, 1);
  });
}

Deno.test("what is delivered is not tried again where the disk does not take it", async () => {
  for (const failing of [/./, /^(remove|write|rename) /, /^sync/]) {
    const office = await openOffice();
    await office.receive();
    const active = await office.take();
    await active.begin([JONES]);
    office.fail(failing);
    await active.settle([settlement("jones@x.y", 250)]);
    await active.release();
    assert.equal(office.queue.active, 1, "it is kept in memory");
    for (let tries = 0; tries < 10; tries++) {
      await office.clock.pass(SHORTLY);
      assert.equal(await office.queue.take(), undefined);
    }
    office.heal();
    await office.clock.pass(2 * SHORTLY);
    assert.equal(office.queue.active, 0);
    assert.equal(office.disk.files.size, 0);
    assert.equal(office.clock.pending, 0);
    assert.ok(office.log.fieldsOf("queue trouble").length > 0);
  }
});

Deno.test("what is delivered while the queue is away is not tried again when it is back", async () => {
  const office = await openOffice();
  const { disk, queue, clock } = office;
  await office.receive();
  const active = await office.take();
  await active.begin([JONES]);
  const files = [...disk.files].filter(([path]) => path.startsWith("/spool/queue/"));
  for (const [path] of files) disk.files.delete(path);
  disk.directories.delete("/spool/queue");
  await active.settle([settlement("jones@x.y", 250)]);
  await active.release();
  assert.equal(queue.active, 1);
  disk.directories.add("/spool/queue");
  for (const [path, file] of files) disk.files.set(path, file);
  await queue.hastenAll();
  assert.equal(await queue.take(), undefined);
  await clock.pass(2 * SHORTLY);
  assert.equal(queue.active, 0);
  assert.deepEqual(office.spooled, []);
});

Deno.test("of two, only who waits is tried again after a disk that failed", async () => {
  const office = await openOffice();
  await office.receive({ recipients: [recipient("jones@x.y"), recipient("smith@x.y")] });
  const active = await office.take();
  await active.begin([JONES, SMITH]);
  office.fail(/^(create|write|rename) /);
  await active.settle([settlement("jones@x.y", 250)]);
  await active.settle([settlement("smith@x.y", 450)]);
  await active.release();
  await office.clock.pass(SHORTLY);
  office.heal();
  await office.clock.pass(SHORTLY);
  assert.equal(office.queue.active, 0);
  const { recipients } = await office.spool.read(idOf(1));
  assert.deepEqual(recipients.map(({ state }) => state), ["delivered", "waiting"]);
  await office.sleep();
  assert.equal(office.clock.now(), ARRIVED + 5 * MINUTE);
  assert.deepEqual(await office.round({ "smith@x.y": 250 }), ["smith@x.y"]);
  assert.equal(office.spooled.length, 0);
});

Deno.test("outcomes are recorded in their order, though they come at one time", async () => {
  const office = await openOffice();
  const recipients = ["a@x.y", "b@x.y", "c@x.y", "d@x.y"].map((address) => recipient(address));
  await office.receive({ recipients });
  const active = await office.take();
  await active.begin(recipients.map(({ forwardPath }) => forwardPath));
  await Promise.all(["a@x.y", "b@x.y", "c@x.y"].map((address) => {
    return active.settle([settlement(address, 250)]);
  }));
  const { recipients: stored } = await office.spool.read(idOf(1));
  assert.equal(stored.filter(({ state }) => state === "delivered").length, 3);
});

Deno.test("damaged envelopes are put aside when loading, and harm no other", async () => {
  const office = await openOffice();
  for (const n of [1, 2, 3, 4]) await office.receive({ id: idOf(n) });
  await overwrite(office, envelopeOf(1), "");
  await overwrite(office, envelopeOf(3), '{"form":2}');
  await office.restart();
  assert.deepEqual(await office.spool.list(), [2, 4].map(idOf));
  assert.deepEqual(
    (await office.disk.list("/spool/damaged")).sort(),
    [1, 3].flatMap((n) => [`${idOf(n)}.eml`, `${idOf(n)}.json`]),
  );
  assert.deepEqual(office.log.fieldsOf("message damaged"), [
    { id: idOf(1), reason: "the envelope is no JSON", moved: "/spool/damaged" },
    { id: idOf(3), reason: "the envelope has an unknown form", moved: "/spool/damaged" },
  ]);
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await office.round({ "jones@x.y": 250 }), ["jones@x.y"]);
  }
  assert.equal(await office.queue.take(), undefined);
});

Deno.test("an envelope damaged later is put aside when its turn comes, and the next is taken", async () => {
  const office = await openOffice();
  for (const n of [1, 2]) await office.receive({ id: idOf(n) });
  await overwrite(office, envelopeOf(1), "[");
  assert.equal((await office.take()).message.id, idOf(2));
  assert.equal(office.log.fieldsOf("message damaged").length, 1);
  assert.equal(await office.queue.hasten(idOf(1)), false);
  assert.equal(await office.queue.remove(idOf(1)), false);
});

Deno.test("a damaged envelope that cannot be put aside harms no other either", async () => {
  const office = await openOffice();
  for (const n of [1, 2]) await office.receive({ id: idOf(n) });
  await overwrite(office, envelopeOf(1), "[");
  office.fail(/^rename /);
  assert.equal(await office.queue.load(), 1);
  assert.equal((await office.take()).message.id, idOf(2));
  assert.equal(await office.queue.take(), undefined);
  assert.ok(office.disk.files.has(envelopeOf(1)));
});

Deno.test("a message whose text is damaged is over, and put aside when it is released", async () => {
  for (const content of ["", "shorter", "longer than the envelope says it is, by far"]) {
    const office = await openOffice();
    await office.receive();
    const active = await office.take();
    await active.begin([JONES]);
    await overwrite(office, textOf(1), content);
    await assert.rejects(Array.fromAsync(active.text()), DamagedError);
    assert.equal(active.over, true);
    await active.settle([settlement("jones@x.y", 450)]);
    await active.release();
    assert.deepEqual(await office.spool.list(), []);
    assert.equal((await office.disk.list("/spool/damaged")).length, 2);
    assert.equal(office.queue.active, 0);
    assert.equal(office.queue.next, Infinity);
    assert.equal(office.log.fieldsOf("message damaged").length, 1);
  }
});

Deno.test("a message whose text is missing when it is to be reported is put aside", async () => {
  const office = await openOffice();
  await office.receive();
  const active = await office.take();
  await active.begin([JONES]);
  await active.settle([settlement("jones@x.y", 550)]);
  await office.disk.remove(textOf(1));
  await active.release();
  await office.clock.pass(0);
  assert.equal(office.queue.active, 0);
  assert.deepEqual(await office.disk.list("/spool/damaged"), [`${idOf(1)}.json`]);
  assert.deepEqual(await office.reports(), []);
});

Deno.test("a text that the disk cannot read now is not damaged", async () => {
  const office = await openOffice();
  await office.receive();
  const active = await office.take();
  await active.begin([JONES]);
  office.fail(/^read .*eml$/);
  await assert.rejects(Array.fromAsync(active.text()), /^Error: no read /);
  assert.equal(active.over, false);
  office.heal();
  await active.settle([settlement("jones@x.y", 451, { heard: false })]);
  await active.release();
  assert.equal(office.queue.next, ARRIVED + 5 * MINUTE);
});

Deno.test("an envelope that cannot be read now is tried again shortly", async () => {
  const office = await openOffice();
  for (const n of [1, 2]) await office.receive({ id: idOf(n) });
  office.fail(new RegExp(`^read ${envelopeOf(1)}`));
  assert.equal((await office.take()).message.id, idOf(2));
  assert.equal(await office.queue.take(), undefined);
  assert.equal(office.queue.next, ARRIVED + SHORTLY);
  office.heal();
  await office.sleep();
  assert.equal((await office.take()).message.id, idOf(1));
  assert.deepEqual(await office.disk.list("/spool/damaged"), []);
});

Deno.test("a queue that cannot be listed says so, and can be loaded later", async () => {
  const office = await openOffice();
  await office.receive();
  office.fail(/^list /);
  await assert.rejects(office.queue.load(), /^Error: no list/);
  office.heal();
  assert.equal(await office.queue.load(), 1);
});

/** The queue's directory goes; what is called brings it back. */
function goesAway({ disk }: Office): () => void {
  const files = new Map(disk.files);
  disk.files.clear();
  disk.directories.delete("/spool/queue");
  return () => {
    disk.directories.add("/spool/queue");
    for (const [path, file] of files) disk.files.set(path, file);
  };
}

Deno.test("a queue that is away says so once for a look, and forgets nothing that waits", async () => {
  const office = await openOffice();
  const ids = [1, 2, 3].map(idOf);
  for (const id of ids) await office.receive({ id });
  const back = goesAway(office);
  await assert.rejects(office.queue.take(), QueueAwayError);
  assert.deepEqual(office.log.all, []);
  back();
  const taken: string[] = [];
  for (let i = 0; i < ids.length; i++) {
    await office.sleep();
    taken.push((await office.take()).message.id);
  }
  assert.deepEqual(taken.sort(), ids);
});

Deno.test("a queue that goes away while it is loaded is told of once, and all of it is tried later", async () => {
  for (const mostRemembered of [undefined, 2]) {
    const office = await openOffice(mostRemembered);
    const ids = [1, 2, 3, 4, 5, 6].map(idOf);
    for (const id of ids) await office.receive({ id });
    let back = () => {};
    office.disk.before = (operation) => {
      if (!operation.startsWith("read")) return;
      back = goesAway(office);
      office.heal();
    };
    assert.equal(await office.queue.load(), 0);
    assert.deepEqual(office.log.fieldsOf("queue trouble"), [
      { error: "QueueAwayError: there is no queue in /spool" },
    ]);
    back();
    const taken: string[] = [];
    for (let tries = 0; tries < 20 && taken.length < ids.length; tries++) {
      await office.sleep();
      const active = await office.queue.take();
      if (active) taken.push(active.message.id);
    }
    assert.deepEqual(taken.sort(), ids);
  }
});
