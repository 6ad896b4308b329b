/** What is made beforehand is what the daemon would have made itself. */

import assert from "node:assert/strict";
import { SystemDisk } from "../../../src/disk.ts";
import { dueOf, isDone } from "../../../src/queue/progress.ts";
import { Spool } from "../../../src/queue/spool.ts";
import { makeFolder } from "../../support/folder.ts";
import { readMailbox } from "../../support/daemon.ts";
import { fillMailbox } from "./mailbox_filler.ts";
import { fillSpool, queueFiles, removeOthers } from "./spool_filler.ts";

const HOUR = 3600_000;
const POLICY = { delays: [4 * HOUR], lifetime: 120 * HOUR, notice: 4 * HOUR };

Deno.test("a filled spool holds whole messages, and nothing is to be done for them soon", async () => {
  await using folder = await makeFolder();
  fillSpool(folder.path, 50);
  const spool = new Spool(new SystemDisk(), folder.path, "test");
  assert.equal(await spool.sweep(), 0);
  const ids = await spool.list();
  assert.equal(new Set(ids).size, 50);
  for (const id of ids) {
    const message = await spool.read(id);
    assert.ok(!isDone(message));
    const due = dueOf(message, POLICY);
    assert.ok(due > Date.now() + 2 * HOUR);
    // Else the daemon takes it for a message of a clock that was ahead, and writes it anew.
    assert.ok(due < Date.now() + 4 * HOUR);
    let length = 0;
    for await (const piece of spool.text(message)) length += piece.length;
    assert.equal(length, message.size);
  }
});

Deno.test("what is queued later is removed, and nothing else", async () => {
  await using folder = await makeFolder();
  fillSpool(folder.path, 3);
  const kept = queueFiles(folder.path);
  await Deno.writeTextFile(`${folder.path}/queue/0123456789abcde.eml`, "{}");
  removeOthers(folder.path, kept);
  assert.deepEqual(queueFiles(folder.path), kept);
  assert.equal(kept.size, 6);
});

Deno.test("a filled mailbox holds so many messages, with the sizes that their names tell", async () => {
  await using folder = await makeFolder();
  fillMailbox(`${folder.path}/jones`, 25);
  const stored = await readMailbox(`${folder.path}/jones`);
  assert.equal(stored.length, 25);
  for (const { path, bytes } of stored) assert.ok(path.endsWith(`,S=${bytes.length}`), path);
});

Deno.test("an empty queue and an empty mailbox are directories too", async () => {
  await using folder = await makeFolder();
  fillSpool(folder.path, 0);
  fillMailbox(`${folder.path}/jones`, 0);
  assert.equal(queueFiles(folder.path).size, 0);
  assert.deepEqual(await readMailbox(`${folder.path}/jones`), []);
});
