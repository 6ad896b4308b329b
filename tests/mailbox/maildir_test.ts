/** Delivery into mailboxes: synced before it counts, for all recipients or for none. */

import assert from "node:assert/strict";
import { MaildirDelivery, makeMaildir, sweepMaildir } from "../../src/mailbox/maildir.ts";
import { MaildirNames } from "../../src/mailbox/name.ts";
import { Storing } from "../../src/receiver/storing.ts";
import { MemoryDisk } from "../support/memory_disk.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const TOP = encoder.encode("Return-Path: <a@b>\r\nReceived: here\r\n");
const TEXT = encoder.encode("Subject: Hi\r\n\r\nbody\r\n");
const DIRECTORIES = ["/john", "/jack", "/jill"];

async function disk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  for (const directory of DIRECTORIES) await makeMaildir(disk, directory);
  disk.operations.length = 0;
  return disk;
}

const names = () =>
  new MaildirNames({ host: "me.example", process: 1, random: () => 0, now: () => 1000 });

const NAME = "1.M0P1Q1R00000000.me.example";

async function deliver(disk: MemoryDisk, directories: string[], text = TEXT): Promise<void> {
  const delivery = new MaildirDelivery(disk, names(), directories, TOP);
  await delivery.write(text);
  await new Storing([delivery]).store();
}

Deno.test("a message is written, synced, moved to new, and new is synced, in this order", async () => {
  const memory = await disk();
  await deliver(memory, ["/john"]);
  assert.deepEqual(memory.operations, [
    `create /john/tmp/${NAME}`,
    `write /john/tmp/${NAME}`,
    `sync /john/tmp/${NAME}`,
    `rename /john/tmp/${NAME} /john/new/${NAME},S=52`,
    "syncDirectory /john/new",
  ]);
});

Deno.test("the file has the trace on top, LF line ends, and its size in its name", async () => {
  const memory = await disk();
  await deliver(memory, ["/john"]);
  const [[path, { bytes }] = assert.fail()] = memory.files;
  assert.equal(
    decoder.decode(bytes),
    "Return-Path: <a@b>\nReceived: here\nSubject: Hi\n\nbody\n",
  );
  assert.ok(path.endsWith(`,S=${bytes.length}`));
});

Deno.test("several recipients share one write and each has a name of it", async () => {
  const memory = await disk();
  await deliver(memory, DIRECTORIES);
  assert.equal(memory.operations.filter((operation) => operation.startsWith("write")).length, 1);
  assert.deepEqual(
    [...memory.files.keys()],
    DIRECTORIES.map((directory) => `${directory}/new/${NAME},S=52`),
  );
});

Deno.test("where the file system has no links each recipient gets a copy", async () => {
  const memory = await disk();
  memory.before = (operation) => {
    if (operation.startsWith("link")) throw new Error("Invalid cross-device link (os error 18)");
  };
  await deliver(memory, DIRECTORIES);
  assert.equal(memory.files.size, 3);
  assert.ok([...memory.files.values()].every(({ synced }) => synced));
});

Deno.test("a text beyond 64 KiB streams to the disk before it is whole", async () => {
  const memory = await disk();
  const line = encoder.encode(`${"x".repeat(998)}\r\n`);
  const delivery = new MaildirDelivery(memory, names(), ["/john"], TOP);
  for (let i = 0; i < 1000; i++) await delivery.write(line);
  assert.ok(memory.operations.filter((operation) => operation.startsWith("write")).length > 10);
  await new Storing([delivery]).store();
  const [{ bytes } = assert.fail()] = memory.files.values();
  assert.equal(bytes.length, TOP.length - 2 + 1000 * 999);
});

Deno.test("whichever operation fails, nothing remains for anyone", async () => {
  const whole = await disk();
  await deliver(whole, DIRECTORIES);
  const count = whole.operations.length;
  assert.equal(count, 11);
  for (let failing = 0; failing < count; failing++) {
    const memory = await disk();
    let at = 0;
    memory.before = (operation) => {
      if (at++ === failing) throw new Error(`no ${operation}`);
    };
    // A link that fails is made up for by a copy, which succeeds.
    if (whole.operations[failing]!.startsWith("link")) continue;
    await assert.rejects(deliver(memory, DIRECTORIES), /^Error: no /);
    assert.deepEqual([...memory.files.keys()], [], `after ${whole.operations[failing]}`);
  }
});

Deno.test("when neither a link nor a copy can be made, nothing remains for anyone", async () => {
  const memory = await disk();
  memory.before = (operation) => {
    if (/^(link|copy) .*jill/.test(operation)) throw new Error("no space");
  };
  await assert.rejects(deliver(memory, DIRECTORIES), /no space/);
  assert.deepEqual([...memory.files.keys()], []);
});

Deno.test("a message discarded half way leaves nothing", async () => {
  const memory = await disk();
  const delivery = new MaildirDelivery(memory, names(), ["/john"], TOP);
  await delivery.write(new Uint8Array(100_000));
  assert.equal(memory.files.size, 1);
  await delivery.discard();
  assert.equal(memory.files.size, 0);
});

Deno.test("the same text twice is two messages", async () => {
  const memory = await disk();
  const both = names();
  for (let i = 0; i < 2; i++) {
    const delivery = new MaildirDelivery(memory, both, ["/john"], TOP);
    await delivery.write(TEXT);
    await new Storing([delivery]).store();
  }
  assert.equal(memory.files.size, 2);
});

Deno.test("a sweep removes what we left in tmp, and nothing else", async () => {
  const memory = await disk();
  for (const path of [`/john/tmp/${NAME}`, "/john/tmp/1.M2P3.other", `/john/new/${NAME},S=1`]) {
    await memory.create(path);
  }
  assert.equal(await sweepMaildir(memory, names(), "/john"), 1);
  assert.deepEqual([...memory.files.keys()], ["/john/tmp/1.M2P3.other", `/john/new/${NAME},S=1`]);
});
