import assert from "node:assert/strict";
import { callsIn } from "./durable_places.ts";

const KINDS = {
  disk: ["create", "rename", "read", "syncDirectory"],
  file: ["write", "sync", "read"],
};

/** Lines and kinds. */
function callsOf(text: string, path = "src/queue/x.ts"): [number, string][] {
  return [...callsIn(path, text, KINDS)].map(({ line, kind }) => [line, kind]);
}

for (
  const [text, kind] of [
    ["await this.disk.rename(a, b);", "rename"],
    ["await this.#disk.read(a);", "read"],
    ["(await disk.create(probe)).close();", "create"],
    ["this.#spool.disk.create(a)", "create"],
    ["const { systemDisk } = x; systemDisk.create(a)", "create"],
    ["// Whoever it is called on.\nparts.storage.syncDirectory(a)", "syncDirectory"],
    ["await this.#file?.sync();", "file.sync"],
    ["await file!.write(bytes);", "file.write"],
    ["await Deno.rename(a, b);", "beside"],
    ["await Deno.writeTextFile(a, b);", "beside"],
  ] as const
) {
  Deno.test(`a place is found: ${text}`, () => {
    assert.deepEqual(callsOf(text), [[text.split("\n").length, kind]]);
  });
}

for (
  const text of [
    "spool.read(id)",
    "connection.write(bytes)",
    "// await disk.create(a)",
    "/* disk.create(a) */",
    "Deno.readTextFile(a)",
  ]
) {
  Deno.test(`no place is found: ${text}`, () => assert.deepEqual(callsOf(text), []));
}

Deno.test("the line is that of the name, as in a stack", () => {
  assert.deepEqual(callsOf("/**\n * disk.create(a)\n */\nawait this.#spool.disk\n  .create(a);"), [
    [5, "create"],
  ]);
});

Deno.test("the disk itself is no door beside it", () => {
  assert.deepEqual(callsOf("return Deno.rename(from, to);", "src/disk.ts"), []);
});
