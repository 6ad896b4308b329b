/** The real disk: what is private is private, what is missing is made, and syncs are shared safely. */

import assert from "node:assert/strict";
import { SharedSyncs, SystemDisk } from "../src/disk.ts";

async function withFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const disk = new SystemDisk();
const idle = new SystemDisk(() => true);

async function write(path: string, text: string): Promise<void> {
  const file = await disk.create(path);
  await file.write(new TextEncoder().encode(text));
  await file.sync();
  file.close();
}

Deno.test("files and directories are their owner's alone", () =>
  withFolder(async (folder) => {
    await disk.makeDirectory(`${folder}/a/b/c/`);
    await write(`${folder}/a/b/c/file`, "x");
    await disk.copy(`${folder}/a/b/c/file`, `${folder}/a/copy`);
    const mode = async (path: string) => (await Deno.stat(`${folder}/${path}`)).mode! & 0o777;
    assert.deepEqual(
      await Promise.all(["a", "a/b", "a/b/c"].map(mode)),
      [0o700, 0o700, 0o700],
    );
    assert.deepEqual(await Promise.all(["a/b/c/file", "a/copy"].map(mode)), [0o600, 0o600]);
  }));

Deno.test("making a directory that exists does nothing, over a file it fails", () =>
  withFolder(async (folder) => {
    await disk.makeDirectory(`${folder}/a`);
    await disk.makeDirectory(`${folder}/a`);
    await write(`${folder}/file`, "x");
    await assert.rejects(disk.makeDirectory(`${folder}/file`), Deno.errors.AlreadyExists);
    await assert.rejects(disk.makeDirectory(`${folder}/file/below`), Deno.errors.NotADirectory);
  }));

Deno.test("a new file or link never takes the place of another", () =>
  withFolder(async (folder) => {
    await write(`${folder}/one`, "1");
    await write(`${folder}/two`, "2");
    await assert.rejects(disk.create(`${folder}/one`), Deno.errors.AlreadyExists);
    await assert.rejects(disk.link(`${folder}/one`, `${folder}/two`), Deno.errors.AlreadyExists);
    await assert.rejects(disk.copy(`${folder}/one`, `${folder}/two`), Deno.errors.AlreadyExists);
    assert.equal(await Deno.readTextFile(`${folder}/two`), "2");
  }));

Deno.test("names are listed, moved and removed; removing one that is gone is no error", () =>
  withFolder(async (folder) => {
    await write(`${folder}/one`, "1");
    await disk.rename(`${folder}/one`, `${folder}/two`);
    await disk.syncDirectory(folder);
    assert.deepEqual(await disk.list(folder), ["two"]);
    await disk.remove(`${folder}/two`);
    await disk.remove(`${folder}/two`);
    assert.deepEqual(await disk.list(folder), []);
  }));

Deno.test("what is written and synced is there, whether or not there is something else to do", () =>
  withFolder(async (folder) => {
    for (const [name, one] of Object.entries({ disk, idle })) {
      const file = await one.create(`${folder}/${name}`);
      for (const octets of [10, 100_000]) {
        await file.write(new Uint8Array(octets).fill(65));
        await file.sync();
      }
      file.close();
      await one.syncDirectory(folder);
      assert.equal((await one.read(`${folder}/${name}`)).length, 100_010);
      await assert.rejects(one.syncDirectory(`${folder}/missing`), Deno.errors.NotFound);
      await assert.rejects(async () => await file.sync(), Deno.errors.BadResource);
    }
  }));

/** A sync that the test ends when it likes. */
class SlowSync {
  readonly begun: PromiseWithResolvers<void>[] = [];
  readonly shared = new SharedSyncs(() => {
    const sync = Promise.withResolvers<void>();
    this.begun.push(sync);
    return sync.promise;
  });
}

Deno.test("of the end of a file as much is read as was asked for, and the file's length told", () =>
  withFolder(async (folder) => {
    await write(`${folder}/a`, "0123456789");
    await write(`${folder}/empty`, "");
    const disk = new SystemDisk();
    for (const [most, end] of [[0, ""], [1, "9"], [9, "123456789"], [10, "0123456789"]] as const) {
      const { bytes, of } = await disk.readEnd(`${folder}/a`, most);
      assert.deepEqual([new TextDecoder().decode(bytes), of], [end, 10]);
    }
    assert.equal((await disk.readEnd(`${folder}/a`, 1_000_000)).bytes.length, 10);
    assert.deepEqual(await disk.readEnd(`${folder}/empty`, 5), { bytes: new Uint8Array(0), of: 0 });
    await assert.rejects(disk.readEnd(`${folder}/none`, 5), Deno.errors.NotFound);
  }));

Deno.test("syncs asked for while one runs share the next one, never the running one", async () => {
  const slow = new SlowSync();
  let done = 0;
  const first = slow.shared.sync("/a").then(() => done++);
  const others = [1, 2, 3].map(() => slow.shared.sync("/a").then(() => done++));
  assert.equal(slow.begun.length, 1);
  slow.begun[0]!.resolve();
  await first;
  await Promise.resolve();
  assert.equal(done, 1);
  while (slow.begun.length < 2) await Promise.resolve();
  slow.begun[1]!.resolve();
  await Promise.all(others);
  assert.equal(done, 4);
  assert.equal(slow.begun.length, 2);
});

Deno.test("each directory is synced for itself", () => {
  const slow = new SlowSync();
  slow.shared.sync("/a");
  slow.shared.sync("/b");
  assert.equal(slow.begun.length, 2);
  slow.begun.forEach(({ resolve }) => resolve());
});

Deno.test("a sync that fails fails for those who shared it, and the next one begins anew", async () => {
  const slow = new SlowSync();
  const first = slow.shared.sync("/a");
  const second = slow.shared.sync("/a");
  slow.begun[0]!.reject(new Error("no disk"));
  await assert.rejects(first, /no disk/);
  while (slow.begun.length < 2) await Promise.resolve();
  slow.begun[1]!.resolve();
  await second;
  const third = slow.shared.sync("/a");
  slow.begun[2]!.resolve();
  await third;
});
