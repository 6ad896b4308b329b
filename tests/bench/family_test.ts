import assert from "node:assert/strict";
import { familyAmong, octetsIn, parseStat } from "./family.ts";

Deno.test("a process's time is its own and that of the children it has waited for", () => {
  const line = "42 (sh) S 7 42 42 0 -1 4194304 100 200 3 4 150 25 1000 5 20 0 1 0 99 1 2\n";
  assert.deepEqual(parseStat(line), { pid: 42, parent: 7, seconds: 11.8 });
});

Deno.test("the name of a process may look like the end of its name", () => {
  const line = "42 (a) S 1 (b) R 7 42 42 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0 99\n";
  assert.deepEqual(parseStat(line), { pid: 42, parent: 7, seconds: 0.1 });
});

Deno.test("what is not the state of a process is not taken for one", () => {
  for (const text of ["", "42 sh S 7", "42 (sh) S 7 42", "x (sh) S 7".padEnd(80, " 1")]) {
    assert.throws(() => parseStat(text), /not the state of a process/);
  }
});

Deno.test("a family is a process and all that come from it, however they are told of", () => {
  const all = [[9, 5], [5, 2], [2, 1], [3, 1], [4, 3], [1, 0], [6, 2]].map(([pid, parent]) => {
    return { pid: pid!, parent: parent!, seconds: 0 };
  });
  assert.deepEqual(familyAmong(all, 2).map(({ pid }) => pid).sort(), [2, 5, 6, 9]);
  assert.deepEqual(familyAmong(all, 7), []);
});

Deno.test("octets are found by the name of their line", () => {
  const text = "Rss:    1820 kB\nPss:     386 kB\nPss_Dirty:  12 kB\n";
  assert.equal(octetsIn(text, "Pss"), 386 * 1024);
  assert.equal(octetsIn("", "Pss"), 0);
});
