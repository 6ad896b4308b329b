/** What is tried out in a directory, and what a crash leaves of it. */

import assert from "node:assert/strict";
import { tryMaking } from "../../src/daemon/directories.ts";
import { type DurableFile, SystemDisk } from "../../src/disk.ts";
import { startDaemon } from "../support/daemon.ts";
import { makeFolder } from "../support/folder.ts";
import { namesIn } from "../support/names_in.ts";

/** A try begins, and comes no further. */
class StoppedDisk extends SystemDisk {
  override async create(path: string): Promise<DurableFile> {
    (await super.create(path)).close();
    throw new Error("stopped");
  }
}

/** Somebody else tries the same at the same moment. */
class SharedDisk extends SystemDisk {
  override async create(path: string): Promise<DurableFile> {
    (await super.create(path)).close();
    return await super.create(path);
  }
}

Deno.test("a try leaves nothing, and takes with it what an earlier one was stopped at", async () => {
  await using folder = await makeFolder();
  await assert.rejects(tryMaking(new StoppedDisk(), folder.path), { message: "stopped" });
  await assert.rejects(tryMaking(new StoppedDisk(), folder.path), { message: "stopped" });
  assert.equal((await namesIn(folder.path)).length, 1);
  await tryMaking(new SystemDisk(), folder.path);
  assert.deepEqual(await namesIn(folder.path), []);
});

Deno.test("two tries at a time are in nobody's way", async () => {
  await using folder = await makeFolder();
  await tryMaking(new SharedDisk(), folder.path);
  assert.deepEqual(await namesIn(folder.path), []);
});

Deno.test("a directory where nothing can be made is told", async () => {
  await using folder = await makeFolder();
  await assert.rejects(tryMaking(new SystemDisk(), `${folder.path}/missing`), Deno.errors.NotFound);
});

Deno.test("a start takes with it what a reload that was to bring its mailbox was stopped at", async () => {
  await using elsewhere = await makeFolder();
  await assert.rejects(tryMaking(new StoppedDisk(), elsewhere.path), { message: "stopped" });
  await using _ = await startDaemon({ users: `anna:${elsewhere.path}/anna\n` });
  assert.deepEqual(await namesIn(elsewhere.path), ["anna"]);
});
