/** How V8 keeps house is set at the build, and the same wherever the daemon runs. */

import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import { COMMAND } from "../support/daemon.ts";
import { EXECUTABLE, notCompiled } from "../support/executable.ts";
import { skippable } from "../support/programs.ts";

function heapFlags(words: readonly string[]): string[] {
  return words.flatMap((word) => /^--v8-flags=(.+)$/.exec(word)?.[1]?.split(",") ?? []);
}

const FLAGS = heapFlags(project.tasks.start.command.split(" "));

Deno.test("the daemon from source, the demo and the tests bound the heap alike", () => {
  assert.notEqual(FLAGS.length, 0);
  assert.deepEqual(heapFlags(project.tasks.demo.command.split(" ")), FLAGS);
  assert.deepEqual(heapFlags(COMMAND), FLAGS);
});

Deno.test({
  ...skippable("the executable bounds its heap like the daemon from source", notCompiled()),
  async fn() {
    const text = new TextDecoder("latin1").decode(await Deno.readFile(EXECUTABLE));
    // As a compiler writes them beside what it was given.
    assert(text.includes(`${FLAGS.map((flag) => JSON.stringify(flag)).join(",")}]`));
  },
});
