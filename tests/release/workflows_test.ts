/** The workflows take nothing that could change behind their back, and no right that they do not use. */

import assert from "node:assert/strict";
import { namesIn } from "../support/names_in.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const FOLDER = `${ROOT}.github/workflows`;

async function workflows(): Promise<[name: string, text: string][]> {
  const names = await namesIn(FOLDER);
  return await Promise.all(names.map(async (name): Promise<[string, string]> => {
    return [name, await Deno.readTextFile(`${FOLDER}/${name}`)];
  }));
}

Deno.test("every action is pinned by its commit, with its version beside it", async () => {
  const all = await workflows();
  const used = all.flatMap(([, text]) =>
    [...text.matchAll(/\buses: (.*)/g)].map(([, what]) => what)
  );
  assert.ok(used.length > 0);
  for (const what of used) assert.match(what!, /^[\w.-]+\/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

Deno.test("nothing is granted but by a job, and only publishing may write", async () => {
  for (const [name, text] of await workflows()) {
    assert.match(text, /^permissions: \{\}$/m, name);
    const writers = text.match(/: write$/gm) ?? [];
    assert.deepEqual(writers.length, name === "release.yml" ? 1 : 0, name);
  }
});

Deno.test("a tag's name reaches the shell as a variable, never as a part of the script", async () => {
  for (const [name, text] of await workflows()) {
    for (const line of text.split("\n").filter((line) => line.includes("${{"))) {
      assert.match(line, /^\s*([A-Z_]+|group): /, `${name}: ${line}`);
    }
  }
});

Deno.test("all use the same Deno", async () => {
  const files = await Promise.all(
    [".ci/run", "README.md", ".github/workflows/release.yml", ".github/workflows/audit.yml"]
      .map((file) => Deno.readTextFile(`${ROOT}${file}`)),
  );
  const versions = files.flatMap((text) => text.match(/deno@[\d.]*\d/g) ?? []);
  assert.equal(new Set(versions).size, 1, String(new Set(versions)));
});
