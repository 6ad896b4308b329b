/** Everything in `seeds/`, then random inputs: so many for each target, the same ones each time. */

import assert from "node:assert/strict";
import { savedInputs, targetsWithSeeds } from "./corpus.ts";
import { findingText, Fuzzer } from "./engine.ts";
import { TARGETS } from "./targets.ts";

/** Another one brings other inputs. */
const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 788);

for (const target of TARGETS) {
  const { name, runs } = target;
  Deno.test(`${name}: what is kept, and ${runs} random inputs of seed ${SEED}`, async () => {
    const kept = await savedInputs(name);
    const fuzzer = new Fuzzer(target, SEED, [
      ...kept.map(({ input }) => input),
      ...await target.seeds?.() ?? [],
    ]);
    for (const one of kept) await fuzzer.replay(one);
    while (fuzzer.runs < runs && !fuzzer.full) await fuzzer.step();
    const found = fuzzer.findings.map((finding) => findingText(finding, SEED));
    assert.ok(found.length === 0, found.join("\n\n"));
    assert.deepEqual(fuzzer.missed, [], "what is reached too seldom");
  });
}

Deno.test("every folder of seeds is a target's, and each target has one", async () => {
  assert.deepEqual(await targetsWithSeeds(), TARGETS.map(({ name }) => name).sort());
});
