/** Every rule for the sending side and its reports has a test that names it, or a reason for having none. */

import assert from "node:assert/strict";

const ROWS: readonly string[] = [
  ...Array.from({ length: 32 }, (_, i) => `CL-${i + 1}`),
  ...Array.from({ length: 7 }, (_, i) => `DSN-${i + 1}`),
];

/** Rows without a test of their own, each with its reason. */
const EXCUSED: ReadonlyMap<string, string> = new Map();

const tests = new URL("../", import.meta.url);

/** Every file of tests below a folder. */
async function* testFiles(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* testFiles(new URL(`${name}/`, folder));
    else if (name.endsWith("_test.ts")) yield new URL(name, folder);
  }
}

/** The rows at the end of names, as in `"what is shown (CL-3, BUG-2)"`. */
function rowsOf(source: string): string[] {
  const ends = source.matchAll(/\(((?:[A-Z0-9]+-[A-Z]?[0-9]+(?:, )?)+)\)["'`]/g);
  return [...ends].flatMap(([, rows = ""]) => rows.split(", "));
}

const named = new Map<string, string[]>();
for await (const file of testFiles(tests)) {
  const place = file.href.slice(tests.href.length);
  for (const row of rowsOf(await Deno.readTextFile(file))) {
    named.set(row, [...named.get(row) ?? [], place]);
  }
}

Deno.test("every row of the sending side is named by a test, or excused", () => {
  assert.deepEqual(ROWS.filter((row) => !named.has(row) && !EXCUSED.has(row)), []);
});

Deno.test("no row is both named and excused, and each excuse has its reason", () => {
  assert.deepEqual([...EXCUSED].filter(([row, reason]) => named.has(row) || reason === ""), []);
});

Deno.test("tests and excuses name rows that exist", () => {
  const ours = [...named.keys(), ...EXCUSED.keys()].filter((row) => /^(CL|DSN)-/.test(row));
  assert.deepEqual(ours.filter((row) => !ROWS.includes(row)), []);
});
