/** That the fuzzer finds what is there to find, makes it small, and finds it again. */

import assert from "node:assert/strict";
import { shown } from "./corpus.ts";
import { findingText, Fuzzer } from "./engine.ts";
import { minimised } from "./minimise.ts";
import { characters, octets } from "./octets.ts";
import type { Target } from "./target.ts";

/** Does not hold for inputs with these octets one behind the other. */
function weak(trouble: string, rest: Partial<Target> = {}): Target {
  return {
    name: "weak",
    runs: 0,
    words: [],
    reaches: {},
    generate: () => octets("an ordinary input, of some length"),
    run(_, input) {
      if (characters(input).includes(trouble)) throw new Error("it does not hold");
      return ["held"];
    },
    ...rest,
  };
}

async function ran(target: Target, runs: number, seed = 1): Promise<Fuzzer> {
  const fuzzer = new Fuzzer(target, seed, []);
  while (fuzzer.runs < runs && !fuzzer.full) await fuzzer.step();
  return fuzzer;
}

Deno.test("octets that nobody generates are found, alone, with all it takes to see them again", async () => {
  for (const trouble of ["\r\n.\r\n", "\0", "\xff", "oor", "lenlen"]) {
    const { findings: [finding] } = await ran(weak(trouble), 20_000);
    assert.ok(finding, shown(octets(trouble)));
    assert.deepEqual(finding.input, octets(trouble));
    const text = findingText(finding, 1);
    assert.ok(text.includes(shown(octets(trouble))) && text.includes(String(finding.chance)), text);
  }
});

Deno.test("a run of one octet past a limit is found", async () => {
  const { findings: [finding] } = await ran(weak("n".repeat(513)), 20_000);
  assert.equal(finding?.input.length, 513);
});

Deno.test("what one seed finds it finds again, and another one runs otherwise", async () => {
  const inputs = async (seed: number) => {
    const all: string[] = [];
    const run = (_: unknown, input: Uint8Array) => [String(all.push(shown(input)))];
    await ran(weak("", { run }), 200, seed);
    return all;
  };
  assert.deepEqual(await inputs(7), await inputs(7));
  assert.notDeepEqual(await inputs(7), await inputs(8));
});

Deno.test("a kept input that fails is a finding, with each chance or with its own", async () => {
  const byChance = weak("", {
    run(random) {
      if (random.between(1, 2) === 1) throw new Error("it does not hold");
      return [];
    },
  });
  const fuzzer = new Fuzzer(byChance, 1, []);
  await fuzzer.replay({ name: "kept", input: octets("x"), chance: undefined });
  const [finding] = fuzzer.findings;
  assert.equal(finding?.where, "kept");
  await fuzzer.replay({ name: "again", input: octets("x"), chance: finding.chance });
  assert.equal(fuzzer.findings.length, 2);
});

Deno.test("what is reached too seldom is told", async () => {
  const fuzzer = await ran(weak("none", { reaches: { held: 1, "the moon": 0.5 } }), 100);
  assert.deepEqual(fuzzer.missed, ["the moon: 0.0 %, not 50.0 %"]);
});

Deno.test("what must stay of an input stays, wherever it is", async () => {
  const text = `${"x".repeat(1000)}a${"y".repeat(777)}b`;
  const fails = (input: Uint8Array) => Promise.resolve(/a.*b/.test(characters(input)));
  assert.equal(characters(await minimised(octets(text), fails)), "ab");
});
