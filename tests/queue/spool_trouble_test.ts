/** The spool where the disk fails, or the world stops: nothing is half there. */

import assert from "node:assert/strict";
import type { Spool } from "../../src/queue/spool.ts";
import type { MemoryDisk } from "../support/memory_disk.ts";
import { ARRIVED, FRED, idOf, message, recipient } from "./messages.ts";
import { bytesOf, newSpool, put, readText } from "./spooled.ts";

const ID = idOf(1);
/** Long enough to be written before it is whole. */
const PIECES = [new Uint8Array(70_000).fill(65), bytesOf("Subject: Hi\r\n\r\nbody\r\n")];
const SIZE = 70_021;
const NEW = { id: ID, arrived: ARRIVED, reversePath: FRED, recipients: [recipient("jones@x.y")] };
const OLD = message({ size: SIZE });
const CHANGED = message({ size: SIZE, delayReported: true });

/** Makes the operation of this number fail, and with `dead` all after it too. */
function failAt(disk: MemoryDisk, failing: number, dead = false): void {
  let at = 0;
  disk.before = (operation) => {
    const number = at++;
    if (number === failing || (dead && number > failing)) throw new Error(`no ${operation}`);
    assertWhole(disk, operation);
  };
}

/** What is in the queue is whole and synced. */
function assertWhole({ files }: MemoryDisk, when: string): void {
  for (const [path, { bytes, synced }] of files) {
    if (!path.startsWith("/spool/queue/")) continue;
    assert.ok(synced, `before ${when}`);
    if (path.endsWith(".eml")) assert.ok(bytes.length > SIZE, `before ${when}`);
  }
}

/** The operations it takes where none fails. */
async function operationsOf(
  act: (spool: Spool) => Promise<void>,
  filled = false,
  changed = filled,
): Promise<string[]> {
  const { disk, spool } = await spoolWith(filled, changed);
  failAt(disk, Infinity);
  await act(spool);
  assertWhole(disk, "the end");
  return disk.operations;
}

/** With a message, and an envelope of its own if that has `changed`. */
async function spoolWith(
  filled: boolean,
  changed = filled,
): Promise<{ disk: MemoryDisk; spool: Spool }> {
  const made = await newSpool();
  if (filled) await put(made.spool, NEW, ...PIECES);
  if (changed) await made.spool.write(OLD);
  made.disk.operations.length = 0;
  return made;
}

const receive = (spool: Spool) => put(spool, NEW, ...PIECES);

Deno.test("whichever operation fails while a message comes in, nothing of it remains", async () => {
  const operations = await operationsOf(receive);
  assert.equal(operations.length, 6);
  for (const [failing, what] of operations.entries()) {
    const { disk, spool } = await spoolWith(false);
    failAt(disk, failing);
    await assert.rejects(receive(spool), /^Error: no /, what);
    assert.deepEqual([...disk.files.keys()], [], `after ${what}`);
  }
});

Deno.test("a message discarded that was in the queue already is removed durably", async () => {
  const operations = await operationsOf(receive);
  for (let failing = operations.length - 2; failing < operations.length; failing++) {
    const { disk, spool } = await spoolWith(false);
    failAt(disk, failing);
    await assert.rejects(receive(spool));
    assert.equal(disk.operations.at(-1), "syncDirectory /spool/queue");
  }
});

Deno.test("a message discarded before it is whole leaves nothing", async () => {
  const { disk, spool } = await spoolWith(false);
  const delivery = spool.receive(NEW);
  await delivery.write(PIECES[0]!);
  assert.equal(disk.files.size, 1);
  await delivery.discard();
  assert.equal(disk.files.size, 0);
  const untouched = spool.receive(NEW);
  await untouched.discard();
  assert.equal(disk.files.size, 0);
});

Deno.test("discarding does not reject when the disk fails at that too", async () => {
  const { disk, spool } = await spoolWith(false);
  const delivery = spool.receive(NEW);
  await delivery.write(PIECES[0]!);
  failAt(disk, 0, true);
  await delivery.discard();
});

Deno.test("wherever the world stops while a message comes in, a sweep leaves all of it or nothing", async () => {
  const operations = await operationsOf(receive);
  const kept: boolean[] = [];
  for (const [failing, what] of operations.entries()) {
    const { disk, spool } = await spoolWith(false);
    failAt(disk, failing, true);
    await assert.rejects(receive(spool));
    disk.before = () => {};
    const swept = await spool.sweep();
    const [id] = await spool.list();
    kept.push(id !== undefined);
    if (id === undefined) {
      assert.deepEqual([...disk.files.keys()], [], `after ${what}`);
      continue;
    }
    assert.equal(swept, 0);
    assert.deepEqual(await spool.read(ID), OLD);
    await readText(spool, OLD);
  }
  // It is there once it has its name.
  assert.deepEqual(kept, operations.map((what) => what.startsWith("syncDirectory")));
});

Deno.test("whichever operation fails while an envelope is replaced, the old or the new is there", async () => {
  for (const changed of [false, true]) {
    const operations = await operationsOf((spool) => spool.write(CHANGED), true, changed);
    assert.equal(operations.length, 5);
    for (const [failing, what] of operations.entries()) {
      const { disk, spool } = await spoolWith(true, changed);
      failAt(disk, failing);
      await assert.rejects(spool.write(CHANGED), /^Error: no /, what);
      const expected = what.startsWith("syncDirectory") ? CHANGED : OLD;
      assert.deepEqual(await spool.read(ID), expected, `after ${what}`);
      assert.deepEqual(await disk.list("/spool/tmp"), [], `after ${what}`);
      assert.equal((await readText(spool, OLD)).length, SIZE);
    }
  }
});

Deno.test("wherever the world stops while a message is removed, a sweep leaves all of it or nothing", async () => {
  const operations = await operationsOf((spool) => spool.remove(ID), true);
  for (const [failing, what] of operations.entries()) {
    const { disk, spool } = await spoolWith(true);
    failAt(disk, failing, true);
    await assert.rejects(spool.remove(ID));
    disk.before = () => {};
    await spool.sweep();
    const left = await spool.list();
    assert.equal(disk.files.size, 2 * left.length, `after ${what}`);
    if (left.length > 0) await readText(spool, OLD);
  }
});

Deno.test("a rename that happens and is called failed all the same leaves nothing of a message", async () => {
  const { disk, spool } = await newSpool();
  const rename = disk.rename.bind(disk);
  disk.rename = async (from, to) => {
    await rename(from, to);
    throw new Error("no answer");
  };
  await assert.rejects(receive(spool), /no answer/);
  assert.deepEqual([...disk.files.keys()], []);
});

Deno.test("a removal that failed can be done again", async () => {
  const operations = await operationsOf((spool) => spool.remove(ID), true);
  for (const failing of operations.keys()) {
    const { disk, spool } = await spoolWith(true);
    failAt(disk, failing);
    await assert.rejects(spool.remove(ID));
    await spool.remove(ID);
    assert.equal(disk.files.size, 0);
  }
});

Deno.test("a sweep removes what was never accepted, says how much, and nothing else", async () => {
  const { disk, spool } = await spoolWith(true);
  const kept = [
    `/spool/queue/${ID}.eml`,
    `/spool/queue/${ID}.json`,
    `/spool/queue/${idOf(2)}.eml`,
    "/spool/queue/README",
    "/spool/queue/notes.json",
    `/spool/damaged/${idOf(4)}.eml`,
    `/spool/requests/${idOf(5)}`,
  ];
  const gone = [
    `/spool/queue/${idOf(3)}.json`,
    "/spool/tmp/a1-x.eml",
    "/spool/tmp/b",
    "/spool/tmp/c",
  ];
  for (const path of [...kept.slice(2), ...gone]) await disk.create(path);
  assert.equal(await spool.sweep(), gone.length);
  assert.deepEqual([...disk.files.keys()].sort(), [...kept].sort());
  assert.equal(await spool.sweep(), 0);
});

Deno.test("a message put aside is out of the queue, whole, and that is durable", async () => {
  const { disk, spool } = await spoolWith(true);
  await spool.putAside(ID);
  assert.deepEqual(disk.operations, [
    `rename /spool/queue/${ID}.eml /spool/damaged/${ID}.eml`,
    "syncDirectory /spool/damaged",
    "syncDirectory /spool/queue",
    `rename /spool/queue/${ID}.json /spool/damaged/${ID}.json`,
    "syncDirectory /spool/damaged",
    "syncDirectory /spool/queue",
  ]);
  assert.deepEqual(await spool.list(), []);
  assert.ok(disk.files.get(`/spool/damaged/${ID}.eml`)!.bytes.length > SIZE);
});

Deno.test("a message of which only a part is left is put aside too", async () => {
  for (const [lost, left] of [[".eml", ".json"], [".json", ".eml"]] as const) {
    const { disk, spool } = await spoolWith(true);
    await disk.remove(`/spool/queue/${ID}${lost}`);
    await spool.putAside(ID);
    assert.deepEqual([...disk.files.keys()], [`/spool/damaged/${ID}${left}`]);
  }
});

Deno.test("nothing is lost where putting aside fails, and it can be done again", async () => {
  for (let failing = 0; failing < 6; failing++) {
    const { disk, spool } = await spoolWith(true);
    let at = 0;
    disk.before = (operation) => {
      if (at++ === failing) throw new Error(`no ${operation}`);
    };
    await assert.rejects(spool.putAside(ID), /^Error: no /);
    assert.equal(disk.files.size, 2);
    await spool.putAside(ID);
    assert.equal((await disk.list("/spool/damaged")).length, 2);
  }
});
