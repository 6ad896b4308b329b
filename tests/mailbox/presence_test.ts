/** Mailbox directories that are away, and how long it is believed that they are there. */

import assert from "node:assert/strict";
import { makeMaildir } from "../../src/mailbox/maildir.ts";
import { Presence } from "../../src/mailbox/presence.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { MemoryDisk } from "../support/memory_disk.ts";

async function mailboxes(): Promise<{ disk: MemoryDisk; clock: FakeClock; presence: Presence }> {
  const disk = new MemoryDisk();
  for (const directory of ["/john", "/jack"]) await makeMaildir(disk, directory);
  disk.operations.length = 0;
  const clock = new FakeClock(1_000_000);
  return { disk, clock, presence: new Presence(disk, clock) };
}

Deno.test("mailboxes that are there are not away", async () => {
  const { presence } = await mailboxes();
  assert.deepEqual(await presence.away(["/john", "/jack"]), []);
});

Deno.test("without a mailbox nobody is away, and the disk is not asked", async () => {
  const { disk, presence } = await mailboxes();
  assert.deepEqual(await presence.away([]), []);
  assert.deepEqual(disk.operations, []);
});

for (const missing of ["/john", "/john/tmp", "/john/new"]) {
  Deno.test(`without ${missing} the mailbox is away, the other is not`, async () => {
    const { disk, presence } = await mailboxes();
    for (const path of disk.directories) {
      if (path.startsWith(missing)) disk.directories.delete(path);
    }
    assert.deepEqual(await presence.away(["/john", "/jack"]), ["/john"]);
  });
}

Deno.test("one that is there is not looked at again for a second", async () => {
  const { disk, clock, presence } = await mailboxes();
  assert.deepEqual(await presence.away(["/john"]), []);
  disk.operations.length = 0;
  disk.directories.delete("/john/new");
  clock.advance(999);
  // At once, not by a promise: nothing waits for a disk that need not be asked.
  assert.deepEqual(presence.away(["/john"]), []);
  assert.deepEqual(disk.operations, []);
  clock.advance(1);
  assert.deepEqual(await presence.away(["/john"]), ["/john"]);
});

Deno.test("one that is away is looked at each time, so that mail goes there at once when it is back", async () => {
  const { disk, presence } = await mailboxes();
  disk.directories.delete("/john/new");
  assert.deepEqual(await presence.away(["/john"]), ["/john"]);
  disk.directories.add("/john/new");
  assert.deepEqual(await presence.away(["/john"]), []);
});

Deno.test("a disk that cannot tell is as good as away", async () => {
  const { disk, presence } = await mailboxes();
  disk.before = (operation) => {
    if (operation.includes("/john/")) throw new Error("Stale file handle (os error 116)");
  };
  assert.deepEqual(await presence.away(["/john", "/jack"]), ["/john"]);
});

Deno.test("a clock that is set back makes nobody count as there for longer", async () => {
  const { disk, clock, presence } = await mailboxes();
  assert.deepEqual(await presence.away(["/john"]), []);
  disk.directories.delete("/john/new");
  clock.set(clock.now() - 3_600_000);
  assert.deepEqual(await presence.away(["/john"]), ["/john"]);
});
