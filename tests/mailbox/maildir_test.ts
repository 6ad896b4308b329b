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

async function deliver(
  disk: MemoryDisk,
  directories: string[],
  text = TEXT,
  source = names(),
): Promise<void> {
  const delivery = new MaildirDelivery(disk, source, directories, TOP);
  await delivery.write(text);
  await new Storing([delivery]).store();
}

/** Links into a mailbox are refused. */
function failLinks(memory: MemoryDisk, directory: string, code: string): void {
  memory.before = (operation) => {
    if (operation.startsWith("link ") && operation.includes(` ${directory}/`)) {
      throw Object.assign(new Error(`${code}: link`), { code });
    }
  };
}

/** Whose new has the first message, and nothing else has anything. */
function inboxes(memory: MemoryDisk): string[] {
  const end = `/new/${NAME},S=52`;
  const paths = [...memory.files.keys()];
  assert.ok(paths.every((path) => path.endsWith(end)), paths.join(" "));
  return DIRECTORIES.filter((directory) => paths.includes(directory + end));
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

Deno.test("several recipients share one write: the first one's file, linked into each other's new", async () => {
  const memory = await disk();
  await deliver(memory, DIRECTORIES);
  assert.deepEqual(memory.operations, [
    `create /john/tmp/${NAME}`,
    `write /john/tmp/${NAME}`,
    `sync /john/tmp/${NAME}`,
    `link /john/tmp/${NAME} /jack/new/${NAME},S=52`,
    `link /john/tmp/${NAME} /jill/new/${NAME},S=52`,
    `rename /john/tmp/${NAME} /john/new/${NAME},S=52`,
    ...["/jack/new", "/jill/new", "/john/new"].map((path) => `syncDirectory ${path}`),
  ]);
  assert.deepEqual(inboxes(memory), DIRECTORIES);
});

Deno.test("where no link can be, a recipient gets a copy, synced before it is in new", async () => {
  for (const code of ["EXDEV", "EPERM", "ENOTSUP", "EMLINK", "EUNKNOWN"]) {
    const memory = await disk();
    failLinks(memory, "/jill", code);
    await deliver(memory, DIRECTORIES);
    assert.deepEqual(memory.operations.slice(3), [
      `link /john/tmp/${NAME} /jack/new/${NAME},S=52`,
      `copy /john/tmp/${NAME} /jill/tmp/${NAME}`,
      `rename /jill/tmp/${NAME} /jill/new/${NAME},S=52`,
      `rename /john/tmp/${NAME} /john/new/${NAME},S=52`,
      ...["/jack/new", "/jill/new", "/john/new"].map((path) => `syncDirectory ${path}`),
    ], code);
    assert.deepEqual(inboxes(memory), DIRECTORIES);
  }
});

Deno.test("where no link was possible, the next message is copied before anybody sees it", async () => {
  const memory = await disk();
  failLinks(memory, "/jill", "EXDEV");
  const source = names();
  await deliver(memory, DIRECTORIES, TEXT, source);
  memory.operations.length = 0;
  let links = 0;
  const fail = memory.before;
  memory.before = (operation) => {
    if (operation.startsWith("link ")) links++;
    fail(operation);
  };
  await deliver(memory, DIRECTORIES, TEXT, source);
  assert.deepEqual(memory.operations.slice(2, 6).map((operation) => operation.split(" ")[0]), [
    "sync",
    "copy",
    "link",
    "rename",
  ]);
  assert.equal(links, 1, "only where it is possible");
  assert.equal(memory.files.size, 6);
});

Deno.test("where there were too many links to one file, the next one is linked again", async () => {
  const memory = await disk();
  const source = names();
  failLinks(memory, "/jill", "EMLINK");
  await deliver(memory, DIRECTORIES, TEXT, source);
  memory.before = () => {};
  memory.operations.length = 0;
  await deliver(memory, DIRECTORIES, TEXT, source);
  assert.equal(memory.operations.filter((operation) => operation.startsWith("link ")).length, 2);
});

Deno.test("readers of new see whole texts that are on the disk, at every moment", async () => {
  for (const code of ["", "EXDEV"]) {
    const memory = await disk();
    if (code !== "") failLinks(memory, "/jill", code);
    const fail = memory.before;
    let seen = 0;
    const look = (operation: string) => {
      for (const [path, { bytes, synced }] of memory.files) {
        if (!path.includes("/new/")) continue;
        seen++;
        assert.ok(synced && path.endsWith(`,S=${bytes.length}`), `${path} before ${operation}`);
      }
      fail(operation);
    };
    memory.before = look;
    const source = names();
    for (let i = 0; i < 2; i++) await deliver(memory, DIRECTORIES, TEXT, source);
    look("the end");
    assert.ok(seen > 6);
  }
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

for (const code of ["", "EXDEV"]) {
  const what = code === "" ? "by links" : "by a link and a copy that is known to be needed";
  Deno.test(`whichever operation fails, nothing remains for anyone: ${what}`, async () => {
    const prepared = async () => {
      const memory = await disk();
      const source = names();
      if (code !== "") failLinks(memory, "/jill", code);
      await deliver(memory, DIRECTORIES, TEXT, source);
      memory.operations.length = 0;
      memory.files.clear();
      return { memory, source };
    };
    const { memory: whole, source } = await prepared();
    await deliver(whole, DIRECTORIES, TEXT, source);
    const { operations } = whole;
    assert.equal(operations.length, code === "" ? 9 : 10);
    for (const failing of operations.keys()) {
      const { memory, source } = await prepared();
      let at = 0;
      memory.before = (operation) => {
        if (at++ === failing) throw Object.assign(new Error(`no ${operation}`), { code: "EIO" });
      };
      await assert.rejects(deliver(memory, DIRECTORIES, TEXT, source), /^Error: no /);
      assert.deepEqual([...memory.files.keys()], [], `after ${operations[failing]}`);
    }
  });
}

for (const code of ["ENOSPC", "EDQUOT", "EIO", "EROFS"]) {
  Deno.test(`a link that fails by ${code} is not tried as a copy: nothing remains for anyone`, async () => {
    const memory = await disk();
    failLinks(memory, "/jill", code);
    await assert.rejects(deliver(memory, DIRECTORIES), new RegExp(code));
    assert.deepEqual([...memory.files.keys()], []);
    assert.ok(!memory.operations.some((operation) => operation.startsWith("copy ")));
    assert.ok(
      memory.operations.includes("syncDirectory /jack/new"),
      "who saw it is durably without",
    );
  });
}

Deno.test("when neither a link nor a copy can be made, nothing remains for anyone", async () => {
  const memory = await disk();
  memory.before = (operation) => {
    if (/^(link|copy) .*jill/.test(operation)) throw new Error("no space");
  };
  await assert.rejects(deliver(memory, DIRECTORIES), /no space/);
  assert.deepEqual([...memory.files.keys()], []);
});

Deno.test("a name that is taken in new keeps what it has, and nothing remains for the others", async () => {
  const memory = await disk();
  const taken = `/jill/new/${NAME},S=52`;
  await memory.create(taken);
  await assert.rejects(deliver(memory, DIRECTORIES), Deno.errors.AlreadyExists);
  assert.deepEqual([...memory.files].map(([path, { bytes }]) => [path, bytes.length]), [
    [taken, 0],
  ]);
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
