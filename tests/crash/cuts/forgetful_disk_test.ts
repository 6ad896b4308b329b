/** The disk that forgets: what a power cut may leave, what it must, and that it fails as the real one does. */

import assert from "node:assert/strict";
import { type Disk, SystemDisk } from "../../../src/disk.ts";
import { makeFolder } from "../../support/folder.ts";
import { Random } from "../../support/random.ts";
import { settled } from "../../support/settled.ts";
import { ForgetfulDisk, Power, type Stop } from "./forgetful_disk.ts";
import { Tree } from "./forgetful_tree.ts";

const SEEDS = 200;

/** What is found after a power cut, in the order of seeds; `act` is done before it. */
async function afterCut(
  act: (disk: Disk) => Promise<unknown>,
  look: (tree: Tree) => string,
): Promise<Set<string>> {
  const found = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const tree = new Tree();
    await act(new ForgetfulDisk(tree, new Power(), new Random(seed)));
    found.add(look(tree.afterPowerCut(new Random(seed))));
  }
  return found;
}

async function write(disk: Disk, path: string, text: string, synced = true): Promise<void> {
  const file = await disk.create(path);
  await file.write(new TextEncoder().encode(text));
  if (synced) await file.sync();
  file.close();
}

/** A file's text, zeros as periods; `-` where it is not there. */
function textOf(tree: Tree, path: string): string {
  const file = tree.find(path) && tree.file(path);
  return file ? new TextDecoder().decode(file.content).replaceAll("\0", ".") : "-";
}

Deno.test("what was synced with its name is there, whatever else happened", async () => {
  const found = await afterCut(async (disk) => {
    await disk.makeDirectory("/a/b");
    await write(disk, "/a/b/file", "text");
    await disk.syncDirectory("/a/b");
    await disk.link("/a/b/file", "/a/link");
    await write(disk, "/a/b/other", "text", false);
  }, (tree) => textOf(tree, "/a/b/file"));
  assert.deepEqual([...found], ["text"]);
});

Deno.test("what was not synced is there, or a part of it, or zeros, or nothing", async () => {
  const found = await afterCut(async (disk) => {
    await write(disk, "/file", "xyz", false);
    await disk.syncDirectory("/");
  }, (tree) => textOf(tree, "/file"));
  assert.deepEqual([...found].sort(), ["", "...", "x", "xy", "xyz"]);
});

Deno.test("names that were not synced come and go each by itself", async () => {
  const found = await afterCut(async (disk) => {
    await disk.makeDirectory("/from");
    await disk.makeDirectory("/to");
    await write(disk, "/from/file", "text");
    await disk.syncDirectory("/from");
    await disk.rename("/from/file", "/to/file");
  }, (tree) => `${textOf(tree, "/from/file")} ${textOf(tree, "/to/file")}`);
  assert.deepEqual([...found].sort(), ["- -", "- text", "text -", "text text"]);
});

Deno.test("a name that is replaced stands for the old file or the new one", async () => {
  const found = await afterCut(async (disk) => {
    await write(disk, "/file", "old");
    await disk.syncDirectory("/");
    for (const text of ["newer", "newest"]) {
      await write(disk, `/${text}`, text);
      await disk.rename(`/${text}`, "/file");
    }
  }, (tree) => textOf(tree, "/file"));
  assert.deepEqual([...found].sort(), ["newer", "newest", "old"]);
});

Deno.test("a file that is removed may be there again, and has one content under all its names", async () => {
  const found = await afterCut(async (disk) => {
    await write(disk, "/one", "xyz", false);
    await disk.link("/one", "/two");
    await disk.syncDirectory("/");
    await disk.remove("/one");
  }, (tree) => `${textOf(tree, "/one") === "-"} ${textOf(tree, "/one") === textOf(tree, "/two")}`);
  assert.deepEqual([...found].sort(), ["false true", "true false"]);
});

Deno.test("a directory's sync covers what was done before it was asked for", async () => {
  const found = await afterCut(async (disk) => {
    await write(disk, "/before", "text");
    const sync = disk.syncDirectory("/");
    await settled();
    await sync;
    const another = disk.syncDirectory("/");
    await write(disk, "/after", "text");
    await another;
  }, (tree) => `${textOf(tree, "/before")} ${textOf(tree, "/after")}`);
  assert.deepEqual([...found].sort(), ["text -", "text text"]);
});

Deno.test("at the stop nothing more happens, and nobody hears of anything", async () => {
  for (const moment of ["before", "after"] as const) {
    const tree = new Tree();
    const power = new Power({ operation: 2, moment });
    let off = 0;
    power.off = () => off++;
    const disk = new ForgetfulDisk(tree, power, new Random(1));
    await disk.create("/one");
    const heard: unknown[] = [];
    const listen = (wait: Promise<unknown>) => {
      wait.then((what) => heard.push(what), (error) => heard.push(error));
    };
    listen(disk.create("/two"));
    await settled();
    [disk.create("/three"), disk.exists("/one"), disk.syncDirectory("/")].forEach(listen);
    await settled();
    assert.deepEqual(heard, []);
    assert.equal(off, 1);
    assert.equal(tree.root.names.size, moment === "before" ? 1 : 2);
  }
});

/** The names of the errors of each step, in order. */
async function errorsOf(disk: Disk, folder: string): Promise<string[]> {
  const at = (name: string) => `${folder}/${name}`;
  const steps: (() => Promise<unknown>)[] = [
    () => disk.makeDirectory(at("a/b/c")),
    () => disk.makeDirectory(at("a/b/c")),
    async () => (await disk.create(at("a/file"))).close(),
    () => disk.create(at("a/file")),
    () => disk.create(at("none/file")),
    () => disk.create(at("a/file/below")),
    () => disk.makeDirectory(at("a/file")),
    () => disk.makeDirectory(at("a/file/below")),
    () => disk.link(at("a/none"), at("a/link")),
    () => disk.link(at("a/file"), at("a/link")),
    () => disk.link(at("a/file"), at("a/link")),
    () => disk.copy(at("a/file"), at("a/link")),
    () => disk.copy(at("a/none"), at("a/copy")),
    () => disk.copy(at("a/file"), at("a/copy")),
    () => disk.rename(at("a/none"), at("a/copy")),
    () => disk.rename(at("a/link"), at("none/link")),
    () => disk.rename(at("a/link"), at("a/copy")),
    () => disk.remove(at("a/none")),
    () => disk.remove(at("none/file")),
    () => disk.remove(at("a/copy")),
    () => disk.read(at("a/copy")),
    () => disk.open(at("a/copy")),
    () => disk.list(at("none")),
    () => disk.syncDirectory(at("none")),
  ];
  const errors: string[] = [];
  for (const step of steps) {
    errors.push(await step().then(() => "none", (error) => error.constructor.name));
  }
  const names = [(await disk.list(at("a"))).sort().join(" "), String(await disk.exists(at("a/b")))];
  return [...errors, ...names];
}

Deno.test("it fails as the real disk does", async () => {
  await using folder = await makeFolder();
  const disk = new ForgetfulDisk(new Tree(), new Power(), new Random(1));
  await disk.makeDirectory("/folder");
  assert.deepEqual(await errorsOf(disk, "/folder"), await errorsOf(new SystemDisk(), folder.path));
});

/** Makes a directory and something in it. Whether that was done before the stop. */
async function useDirectory(tree: Tree, stop: Stop | undefined): Promise<boolean> {
  const disk = new ForgetfulDisk(tree, new Power(stop), new Random(1));
  let done = false;
  const use = async () => {
    await disk.makeDirectory("/a/b/c");
    await disk.remove("/a/b/c/file");
    await write(disk, "/a/b/c/file", "text");
    await disk.syncDirectory("/a/b/c");
    done = true;
  };
  use();
  await settled();
  return done;
}

Deno.test("a directory that was made is durable with all above it, however often its maker was killed", async () => {
  const STEPS = 13;
  for (let kills = 0; kills < STEPS ** 3; kills++) {
    const tree = new Tree();
    for (const place of [STEPS ** 2, STEPS, 1]) {
      const operation = 1 + Math.floor(kills / place) % STEPS;
      await useDirectory(tree, { operation, moment: "after" });
    }
    assert.ok(await useDirectory(tree, undefined));
    const left = tree.afterPowerCut(new Random(kills));
    assert.equal(textOf(left, "/a/b/c/file"), "text", `after ${kills}`);
  }
});
