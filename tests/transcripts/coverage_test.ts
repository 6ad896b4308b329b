/** Every rule for the receiver has a conversation, or a reason for having none. */

import assert from "node:assert/strict";
import { readTranscripts } from "./transcript.ts";

/** `788-T`, 0, 14 are 788-T0 to 788-T14. */
function rows(prefix: string, first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => `${prefix}${first + i}`);
}

const ROWS: ReadonlySet<string> = new Set([
  ...rows("788-C", 0, 13),
  ...rows("788-T", 0, 14),
  ...rows("788-S", 1, 14),
  ...rows("788-X", 1, 15),
  ...rows("788-Z", 1, 8),
  ...rows("788-D", 1, 10),
  ...rows("788-R", 1, 9),
  ...rows("788-P", 1, 4),
  ...rows("53-", 1, 55),
  "P-1",
  "SIZE",
  "PIPELINING",
  "8BITMIME",
  "ENHANCEDSTATUSCODES",
  "STARTTLS",
  "AUTH",
  "SUBMISSION",
  ...rows("BUG-", 1, 31),
]);

const transcripts = await readTranscripts();
const readme = await Deno.readTextFile(new URL("README.md", import.meta.url));

/** The rows before the colon of every conversation's name. */
const played = new Set(
  transcripts.flatMap(({ conversations }) => conversations).flatMap(({ name, place }) => {
    const [, ids] = /^([^:]+): ./.exec(name) ?? [];
    assert.ok(ids, `${place}: a name is ROW, ROW: what is shown`);
    return ids.split(", ");
  }),
);

/** The first cells of the last table of README.md, each with its reason. */
const excused = new Map(
  readme.slice(readme.indexOf("## Rows without a conversation")).split("\n").flatMap((line) => {
    const [, ids, reason = ""] = /^\| ([^|]+?) +\| +([^|]*?) *\|$/.exec(line) ?? [];
    if (!ids || ids === "row" || /^-+$/.test(ids)) return [];
    return ids.split(", ").map((id) => [id, reason] as const);
  }),
);

Deno.test("every row has a conversation or a reason for having none", () => {
  const missing = [...ROWS].filter((row) => !played.has(row) && !excused.has(row));
  assert.deepEqual(missing, []);
});

Deno.test("no row has both a conversation and a reason for having none", () => {
  assert.deepEqual([...excused.keys()].filter((row) => played.has(row)), []);
});

Deno.test("conversations and reasons name rows that exist", () => {
  assert.deepEqual([...played, ...excused.keys()].filter((row) => !ROWS.has(row)), []);
  assert.deepEqual([...excused].filter(([, reason]) => reason === ""), []);
});

Deno.test("README.md lists every transcript, and no other", () => {
  const listed = [...readme.matchAll(/^\| `(\w+\.smtp)` /gm)].map(([, file]) => file);
  assert.deepEqual(listed.sort(), transcripts.map(({ file }) => file).sort());
});
