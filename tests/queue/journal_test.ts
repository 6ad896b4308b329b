/** The journal: attempts and removals are durable by one line each, and no line says more than is so. */

import assert from "node:assert/strict";
import { parseMailbox } from "../../src/smtp/address.ts";
import { ARRIVED, idOf, MINUTE, recipient, settlement } from "./messages.ts";
import { type Office, openOffice } from "./office.ts";
import { bytesOf } from "./spooled.ts";

const JONES = parseMailbox("jones@x.y");
const SMITH = parseMailbox("smith@x.y");
const BOTH = { recipients: [recipient("jones@x.y"), recipient("smith@x.y")] };

const attempts = async (office: Office, n = 1) => {
  return (await office.stored(idOf(n))).recipients.map((one) => one.attempts);
};

const journals = ({ disk }: Office) => {
  return [...disk.files.keys()].filter((path) => path.startsWith("/spool/journal-"));
};

/** The nth message, taken and begun. */
async function begun(office: Office, n: number) {
  await office.receive({ id: idOf(n) });
  const active = await office.take();
  await active.begin([JONES]);
  return active;
}

Deno.test("attempts that begin at one time share a sync, and each is recorded", async () => {
  const office = await openOffice();
  const ids = [1, 2, 3, 4, 5];
  for (const n of ids) await office.receive({ id: idOf(n) });
  const active = await Promise.all(ids.map(() => office.take()));
  office.disk.operations.length = 0;
  await Promise.all(active.map((one) => one.begin([JONES])));
  const syncs = office.disk.operations.filter((operation) => operation.startsWith("sync "));
  assert.ok(syncs.length <= 2, `${syncs.length} syncs`);
  for (const n of ids) assert.deepEqual(await attempts(office, n), [1]);
});

Deno.test("after a crash only who was asked has one attempt more", async () => {
  const office = await openOffice();
  await office.receive(BOTH);
  const active = await office.take();
  await active.begin([SMITH]);
  await office.restart();
  const [jones, smith] = (await office.stored(idOf(1))).recipients;
  assert.deepEqual(jones, recipient("jones@x.y"));
  assert.deepEqual(
    smith,
    recipient("smith@x.y", { attempts: 1, nextAttempt: ARRIVED + 5 * MINUTE }),
  );
  const again = await office.take();
  assert.deepEqual(again.due().map(({ forwardPath }) => forwardPath), [JONES]);
  await again.begin([JONES]);
  await office.restart();
  assert.deepEqual(await attempts(office), [1, 1]);
});

Deno.test("crashes in one attempt after another make it rarer and rarer", async () => {
  const office = await openOffice();
  await office.receive();
  const times: number[] = [];
  for (let i = 0; i < 4; i++) {
    await office.sleep();
    times.push(office.clock.now() - ARRIVED);
    await (await office.take()).begin([JONES]);
    await office.restart();
  }
  assert.deepEqual(times, [0, 5, 20, 50].map((minutes) => minutes * MINUTE));
  assert.deepEqual(await attempts(office), [4]);
});

Deno.test("what an envelope says that was written since then outweighs the journal", async () => {
  const office = await openOffice();
  await office.receive(BOTH);
  const active = await office.take();
  await active.begin([JONES, SMITH]);
  await active.settle([settlement("jones@x.y", 250)]);
  await office.clock.pass(MINUTE);
  await active.settle([settlement("smith@x.y", 450)]);
  await office.restart();
  const { recipients } = await office.stored(idOf(1));
  assert.deepEqual(
    recipients.map(({ state, attempts }) => [state, attempts]),
    [["delivered", 1], ["waiting", 1]],
  );
  assert.equal(recipients[1]!.nextAttempt, ARRIVED + 6 * MINUTE);
});

Deno.test("an attempt that is withdrawn is as if none had begun, also after a crash", async () => {
  const office = await openOffice();
  await office.receive(BOTH);
  const active = await office.take();
  await active.begin([JONES, SMITH]);
  await active.withdraw([SMITH]);
  // Its line goes with the next one.
  await begun(office, 2);
  await office.restart();
  assert.deepEqual(await attempts(office), [1, 0]);
});

Deno.test("a message that is gone stays gone where the removal of its names was lost", async () => {
  const office = await openOffice();
  const other = await begun(office, 2);
  const active = await begun(office, 1);
  await active.settle([settlement("jones@x.y", 450)]);
  const files = new Map(office.disk.files);
  const [envelope, text] = [`/spool/queue/${idOf(1)}.json`, `/spool/queue/${idOf(1)}.eml`];
  await active.settle([settlement("jones@x.y", 250)]);
  await active.release();
  assert.ok(files.has(envelope));
  for (const path of [envelope, text]) {
    assert.ok(!office.disk.files.has(path));
    // As a power cut leaves it: the one name is back, or the other.
    office.disk.files.set(path, files.get(path)!);
    await office.restart();
    assert.ok(!office.disk.files.has(path));
    assert.deepEqual(await office.spool.list(), [idOf(2)]);
  }
  assert.deepEqual(office.log.fieldsOf("message damaged"), []);
  assert.ok(!other.over);
});

Deno.test("a removal that no line can tell of is made durable by itself", async () => {
  const office = await openOffice();
  const active = await begun(office, 1);
  await active.settle([settlement("jones@x.y", 250)]);
  office.fail(/^write /);
  office.disk.operations.length = 0;
  await active.release();
  assert.deepEqual(office.spooled, []);
  assert.deepEqual(office.disk.operations, [
    `remove /spool/queue/${idOf(1)}.eml`,
    "syncDirectory /spool/queue",
    `remove /spool/queue/${idOf(1)}.json`,
  ]);
});

Deno.test("a journal that says nothing more goes, once what it told of is durable without it", async () => {
  const office = await openOffice();
  const active = await begun(office, 1);
  await active.settle([settlement("jones@x.y", 250)]);
  await active.release();
  assert.equal(journals(office).length, 1);
  await office.clock.pass(MINUTE);
  assert.deepEqual(journals(office), []);
  const last = office.disk.operations.slice(-2);
  assert.deepEqual(last, ["syncDirectory /spool/queue", "remove /spool/journal-1"]);
  assert.equal(office.clock.pending, 0);
  await begun(office, 2);
  assert.equal(journals(office).length, 1);
});

Deno.test("a long journal is begun anew with what still counts, and the old one goes", async () => {
  const office = await openOffice();
  await begun(office, 1);
  const first = journals(office);
  // A line for each recipient that an attempt begins for.
  const recipients = Array.from({ length: 1000 }, (_, i) => recipient(`user${i}@x.y`));
  for (let n = 2; journals(office)[0] === first[0]; n++) {
    assert.ok(n < 200, "it goes on for ever");
    await office.receive({ id: idOf(n), recipients });
    const active = await office.take();
    await active.begin(recipients.map(({ forwardPath }) => forwardPath));
    await active.settle(recipients.map(({ forwardPath }) => {
      return settlement(`${forwardPath.localPart}@x.y`, 250);
    }));
    await active.release();
  }
  assert.equal(journals(office).length, 1);
  assert.ok(office.disk.files.get(journals(office)[0]!)!.bytes.length < 100_000);
  await office.restart();
  assert.deepEqual(await attempts(office), [1]);
  assert.deepEqual(await office.spool.list(), [idOf(1)]);
});

Deno.test("lines that are cut off or are none are passed over", async () => {
  const office = await openOffice();
  await begun(office, 1);
  const [path] = journals(office);
  const file = office.disk.files.get(path!)!;
  const whole = new TextDecoder().decode(file.bytes);
  for (const spoiled of [whole.slice(0, -1), "\0".repeat(20), `${whole.slice(0, 10)}\n`, "x\n\n"]) {
    file.bytes = bytesOf(spoiled);
    assert.deepEqual(await attempts(office), [0], JSON.stringify(spoiled));
    file.bytes = bytesOf(`${spoiled}\n${whole}`);
    assert.deepEqual(await attempts(office), [1], JSON.stringify(spoiled));
  }
});

Deno.test("closing leaves nothing where nothing is under way, and otherwise what counts", async () => {
  const office = await openOffice();
  const active = await begun(office, 1);
  await office.queue.close();
  assert.equal(journals(office).length, 1);
  await active.settle([settlement("jones@x.y", 250)]);
  await active.release();
  await office.restart();
  await office.queue.close();
  assert.deepEqual([...office.disk.files.keys()], []);
  assert.equal(office.clock.pending, 0);
});

Deno.test("an attempt that was cut short is none after a restart either", async () => {
  const office = await openOffice();
  // The journal stays for this one's sake.
  await begun(office, 1);
  const second = await begun(office, 2);
  await second.withdraw([JONES]);
  await office.queue.close();
  await office.restart();
  assert.deepEqual(await attempts(office, 2), [0]);
  assert.deepEqual(await attempts(office, 1), [1]);
});

Deno.test("after a restart the names of those that were gone are gone for good first", async () => {
  const office = await openOffice();
  const first = await begun(office, 1);
  await begun(office, 2);
  await first.settle([settlement("jones@x.y", 250)]);
  await first.release();
  await office.restart();
  office.disk.operations.length = 0;
  await begun(office, 3);
  const { operations } = office.disk;
  const synced = operations.findIndex((one) => /^syncDirectory .*queue/.test(one));
  const removed = operations.findIndex((one) => /^remove .*journal-/.test(one));
  assert.ok(removed >= 0 && synced >= 0 && synced < removed, operations.join(", "));
});

Deno.test("what a journal says is in the envelopes after a restart, where everybody reads it", async () => {
  const office = await openOffice();
  await begun(office, 1);
  await office.restart();
  const { recipients } = await office.spool.read(idOf(1));
  assert.deepEqual(recipients.map((one) => one.attempts), [1]);
});

Deno.test("a full disk is not filled with journals", async () => {
  const office = await openOffice();
  await begun(office, 1);
  await office.receive({ id: idOf(2) });
  const active = await office.take();
  office.fail(/^(sync|write) /);
  for (let i = 0; i < 6; i++) await assert.rejects(active.begin([JONES]));
  assert.ok(journals(office).length <= 1, journals(office).join(", "));
});
