import assert from "node:assert/strict";
import { readOptions } from "./options.ts";

const PEERS = ["exim", "smtp-sink"];

Deno.test("without words every load is played, with 5 pairs and all peers", () => {
  const { loads, pairs, peers, source, json } = readOptions([], PEERS);
  assert.equal(loads.map(({ letter }) => letter).join(""), "abcdefgh");
  assert.deepEqual([pairs, peers, source, json], [5, undefined, false, undefined]);
});

Deno.test("words name loads, peers and numbers, in any order", () => {
  const words = ["c", "--pairs", "7", "a", "--messages=300", "--peers", "exim,smtp-sink"];
  const { loads, pairs, peers } = readOptions([...words, "--json", "out", "--source"], PEERS);
  assert.deepEqual(loads.map(({ letter, messages }) => [letter, messages]), [["a", 300], [
    "c",
    300,
  ]]);
  assert.deepEqual([pairs, peers], [7, PEERS]);
});

Deno.test("none is nobody", () => {
  assert.deepEqual(readOptions(["--peers=none"], PEERS).peers, []);
});

for (
  const [words, reason] of [
    [["a", "z"], "there is no z"],
    [["--pair", "3"], "there is no --pair"],
    [["--peers=exim,qmail"], "there is no qmail"],
    [["--pairs", "0"], '"0" is not a whole number'],
    [["--messages=many"], '"many" is not a whole number'],
  ] as const
) {
  Deno.test(`${words.join(" ")}: ${reason}`, () => {
    assert.throws(() => readOptions(words, PEERS), { name: "RangeError", message: reason });
  });
}
