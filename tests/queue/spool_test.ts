/** The spool: synced before it counts, a whole message or none. */

import assert from "node:assert/strict";
import { DamagedError, encodeEnvelope } from "../../src/queue/envelope.ts";
import { Spool } from "../../src/queue/spool.ts";
import { ARRIVED, FRED, idOf, message, recipient } from "./messages.ts";
import { bytesOf, newSpool, put, readText } from "./spooled.ts";

const ID = idOf(1);
const TEXT = bytesOf("Subject: Hi\r\n\r\nbody\r\n");
const NEW = { id: ID, arrived: ARRIVED, reversePath: FRED, recipients: [recipient("jones@x.y")] };

Deno.test("a message is one file: written and synced, then moved, and the queue synced", async () => {
  const { disk, spool } = await newSpool();
  await put(spool, NEW, TEXT);
  assert.deepEqual(disk.operations, [
    `create /spool/tmp/a1-${ID}.eml`,
    `write /spool/tmp/a1-${ID}.eml`,
    `sync /spool/tmp/a1-${ID}.eml`,
    `rename /spool/tmp/a1-${ID}.eml /spool/queue/${ID}.eml`,
    "syncDirectory /spool/queue",
  ]);
});

Deno.test("a message is its text, and behind it its envelope and how long that is", async () => {
  const { disk, spool } = await newSpool();
  await put(spool, NEW, TEXT);
  const file = new TextDecoder().decode(disk.files.get(`/spool/queue/${ID}.eml`)!.bytes);
  const [, text, envelope, length] = /^(.*?\r\n)({.*}\n) *(\d+)\n$/s.exec(file) ?? [];
  assert.equal(text, new TextDecoder().decode(TEXT));
  assert.equal(JSON.parse(envelope ?? "").id, ID);
  assert.equal(Number(length), envelope?.length);
});

Deno.test("an envelope is found behind any text, however long it is itself", async () => {
  const recipients = Array.from({ length: 500 }, (_, i) => recipient(`user${i}@x.y`));
  for (const some of [recipients, recipients.slice(0, 1)]) {
    for (const text of ["", "}\n         9\n", "x".repeat(200_000)]) {
      const { spool } = await newSpool();
      await put(spool, { ...NEW, recipients: some }, bytesOf(text));
      const whole = message({ size: text.length, recipients: some });
      assert.deepEqual(await spool.read(ID), whole);
      assert.deepEqual(await readText(spool, whole), bytesOf(text));
    }
  }
});

Deno.test("a spool that has listed nothing knows of changed envelopes all the same", async () => {
  const { disk, spool } = await newSpool();
  await put(spool, NEW, TEXT);
  const changed = message({ size: TEXT.length, delayReported: true });
  await spool.write(changed);
  const other = new Spool(disk, "/spool", "b");
  assert.deepEqual(await other.read(ID), changed);
  await other.remove(ID);
  assert.equal(disk.files.size, 0);
});

for (const size of [0, 30, 200_000]) {
  Deno.test(`a text of ${size} octets alone, with its envelope in a file of its own, is read`, async () => {
    const { disk, spool } = await newSpool();
    const text = new Uint8Array(size).fill(65);
    const queued = message({ size });
    disk.files.set(`/spool/queue/${queued.id}.eml`, { bytes: text, synced: true });
    const bytes = encodeEnvelope(queued);
    disk.files.set(`/spool/queue/${queued.id}.json`, { bytes, synced: true });
    assert.deepEqual(await spool.list(), [queued.id]);
    const read = await spool.read(queued.id);
    assert.deepEqual(read, queued);
    assert.deepEqual(await readText(spool, read), text);
  });
}

Deno.test("of more changed envelopes than are remembered each is found all the same", async () => {
  const { disk, spool } = await newSpool();
  const whole = message({ id: ID });
  await put(spool, whole, TEXT);
  await spool.write({ ...whole, size: TEXT.length, delayReported: true });
  const file = { bytes: new Uint8Array(0), synced: true };
  for (let n = 2; n <= 100_002; n++) disk.files.set(`/spool/queue/${idOf(n)}.json`, file);
  const another = new Spool(disk, "/spool", "b");
  await another.list();
  assert.equal((await another.read(ID)).delayReported, true);
  await another.list();
  assert.equal((await another.read(ID)).delayReported, true);
});

Deno.test("a message that somebody took out and put back is as it was", async () => {
  const { disk, spool } = await newSpool();
  await put(spool, NEW, TEXT);
  const changed = message({ size: TEXT.length, delayReported: true });
  await spool.write(changed);
  await spool.list();
  const files = new Map(disk.files);
  await spool.remove(ID);
  for (const [path, file] of files) disk.files.set(path, file);
  assert.equal(await spool.has(ID), true);
  assert.deepEqual(await spool.read(ID), changed);
});

Deno.test("a message is read back with its size and whether it is 8-bit", async () => {
  const { spool } = await newSpool();
  await put(spool, NEW, TEXT);
  assert.deepEqual(await spool.read(ID), message({ size: TEXT.length }));
  assert.deepEqual(await readText(spool, await spool.read(ID)), TEXT);
  const eight = { ...NEW, id: idOf(2) };
  await put(spool, eight, bytesOf("\x7f"), bytesOf("a\x80b"), bytesOf("c"));
  assert.deepEqual(await spool.read(idOf(2)), message({ id: idOf(2), size: 5, eightBit: true }));
});

Deno.test("a piece of text may be reused as soon as it is handed in", async () => {
  const { spool } = await newSpool();
  const delivery = spool.receive(NEW);
  const piece = bytesOf("one");
  await delivery.write(piece);
  piece.set(bytesOf("two"));
  await delivery.write(piece);
  await delivery.stage();
  await delivery.publish();
  assert.deepEqual(await readText(spool, { id: ID, size: 6 }), bytesOf("onetwo"));
});

Deno.test("an envelope is replaced by a synced one, and the queue is synced", async () => {
  const { disk, spool } = await newSpool();
  await put(spool, NEW, TEXT);
  disk.operations.length = 0;
  const changed = message({ size: TEXT.length, delayReported: true });
  await spool.write(changed);
  assert.deepEqual(disk.operations, [
    `create /spool/tmp/a2-${ID}.json`,
    `write /spool/tmp/a2-${ID}.json`,
    `sync /spool/tmp/a2-${ID}.json`,
    `rename /spool/tmp/a2-${ID}.json /spool/queue/${ID}.json`,
    "syncDirectory /spool/queue",
  ]);
  assert.deepEqual(await spool.read(ID), changed);
});

Deno.test("a message is removed text first, durably before its changed envelope goes", async () => {
  const { disk, spool } = await newSpool();
  await put(spool, NEW, TEXT);
  await spool.write(message({ size: TEXT.length, delayReported: true }));
  disk.operations.length = 0;
  await spool.remove(ID);
  assert.deepEqual(disk.operations, [
    `remove /spool/queue/${ID}.eml`,
    "syncDirectory /spool/queue",
    `remove /spool/queue/${ID}.json`,
  ]);
  assert.equal(disk.files.size, 0);
  await spool.remove(ID);
});

Deno.test("two messages and two writers never use one temporary name", async () => {
  const { disk, spool } = await newSpool();
  const other = (await newSpool(disk, "b")).spool;
  disk.operations.length = 0;
  for (const [one, n] of [[spool, 1], [other, 3]] as const) {
    await put(one, { ...NEW, id: idOf(n) }, TEXT);
    await put(one, { ...NEW, id: idOf(n + 1) }, TEXT);
    await one.write(message());
  }
  const created = disk.operations.filter((operation) => operation.startsWith("create"));
  assert.equal(created.length, 6);
  assert.equal(new Set(created).size, 6);
});

Deno.test("the list holds the ids of all messages, oldest first, and nothing else", async () => {
  const { disk, spool } = await newSpool();
  for (const n of [3, 1, 2]) await put(spool, { ...NEW, id: idOf(n) }, TEXT);
  for (const name of [`${idOf(4)}.json`, "README", "short.eml", `${idOf(5)}.eml~`]) {
    await disk.create(`/spool/queue/${name}`);
  }
  assert.deepEqual(await spool.list(), [1, 2, 3].map(idOf));
});

Deno.test("a message that is not there, or whose id is none, is not found", async () => {
  const { disk, spool } = await newSpool();
  await assert.rejects(spool.read(ID), Deno.errors.NotFound);
  disk.operations.length = 0;
  for (const id of ["", "../tmp/x", ID.toUpperCase(), `${ID}0`, `../queue/${ID}`]) {
    await assert.rejects(spool.read(id), Deno.errors.NotFound, id);
    assert.equal(await spool.has(id), false, id);
  }
  assert.deepEqual(disk.operations, []);
});

Deno.test("a directory that is made twice is there once", async () => {
  const { disk, spool } = await newSpool();
  await spool.make();
  assert.deepEqual(
    [...disk.directories],
    ["/", "/spool", "/spool/tmp", "/spool/queue", "/spool/damaged", "/spool/requests"],
  );
});

const SIZES = [1, 2, 65_535, 65_536, 65_538, 131_072, 200_000];
const textOf = (size: number) => Uint8Array.from({ length: size }, (_, i) => i % 251);

for (const size of SIZES) {
  Deno.test(`a text of ${size} octets is read as it was written`, async () => {
    const { spool } = await newSpool();
    await put(spool, NEW, textOf(size));
    assert.deepEqual(await readText(spool, { id: ID, size }), textOf(size));
  });

  Deno.test(`a text of ${size} octets that is to have more or fewer is damaged`, async () => {
    const { spool } = await newSpool();
    await put(spool, NEW, textOf(size));
    const complaint = { name: "DamagedError", message: /not as long as its envelope says/ };
    await assert.rejects(readText(spool, { id: ID, size: size + 1 }), complaint);
    await assert.rejects(readText(spool, { id: ID, size: 2 * size + 1 }), complaint);
    if (size > 1) await assert.rejects(readText(spool, { id: ID, size: size - 1 }), complaint);
  });
}

Deno.test("a text that goes on after a full read is damaged before its last piece", async () => {
  for (const size of [65_536, 131_072, 196_608]) {
    const { spool } = await newSpool();
    await put(spool, NEW, textOf(size + 1));
    let given = 0;
    await assert.rejects(async () => {
      for await (const piece of spool.text({ id: ID, size })) given += piece.length;
    }, DamagedError);
    assert.ok(given < size);
  }
});

Deno.test("a text that is missing is damage, and a disk that fails is not", async () => {
  const { disk, spool } = await newSpool();
  for (const size of [20, 70_000]) {
    await put(spool, NEW, textOf(size));
    for (const failing of [/^(open|read) /, /^(read|readEnd) /, /^(read|readPart) /]) {
      disk.before = (operation) => {
        if (failing.test(operation)) throw new Error("input/output error");
      };
      await assert.rejects(readText(spool, { id: ID, size }), /^Error: input\/output error/);
    }
    disk.before = () => {};
    await disk.remove(spool.textPath(ID));
    await assert.rejects(readText(spool, { id: ID, size }), {
      name: "DamagedError",
      message: "the text is missing",
    });
  }
});

Deno.test("a text is closed when it is read, left half read, or damaged", async () => {
  const { disk, spool } = await newSpool();
  await put(spool, NEW, textOf(200_000));
  let open = 0;
  const opens = disk.open.bind(disk);
  disk.open = async (path) => {
    const file = await opens(path);
    open++;
    return { ...file, close: () => void open-- };
  };
  await readText(spool, { id: ID, size: 200_000 });
  assert.equal(open, 0);
  for await (const _ of spool.text({ id: ID, size: 200_000 })) break;
  assert.equal(open, 0);
  await assert.rejects(readText(spool, { id: ID, size: 200_001 }));
  assert.equal(open, 0);
});

Deno.test("a long text goes to the disk before it is whole, and comes back in pieces", async () => {
  const { disk, spool } = await newSpool();
  const delivery = spool.receive(NEW);
  const line = bytesOf(`${"x".repeat(998)}\r\n`);
  for (let i = 0; i < 1000; i++) await delivery.write(line);
  const writes = disk.operations.filter((operation) => operation.startsWith("write"));
  assert.ok(writes.length > 10, `${writes.length} writes`);
  await delivery.stage();
  await delivery.publish();
  let size = 0;
  for await (const piece of spool.text({ id: ID, size: 1_000_000 })) {
    assert.ok(piece.length <= 64 * 1024);
    size += piece.length;
  }
  assert.equal(size, 1_000_000);
});

Deno.test("a text up to 64 KiB is one write", async () => {
  const { disk, spool } = await newSpool();
  await put(spool, NEW, textOf(65_000), textOf(536));
  assert.deepEqual(
    disk.operations.filter((operation) => /^write .*eml$/.test(operation)).length,
    1,
  );
});
