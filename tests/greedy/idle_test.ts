/** Many clients that are greeted and say nothing: they are kept, cost little, and mail comes in beside them. */

import assert from "node:assert/strict";
import { missing, skippable } from "../support/programs.ts";
import { measureIdle, NEEDS } from "./idle.ts";

const IDLE = 1500;
const MESSAGES = 300;
/** Octets for each; `idle.ts` with its larger numbers shows a third of that. */
const MEMORY = 32 * 1024;

Deno.test({
  ...skippable(
    `${IDLE} idle clients cost little, and beside them every message is stored`,
    missing(NEEDS) ?? (Deno.build.os === "linux" ? undefined : "no /proc to read it from"),
  ),
  async fn() {
    const figures = await measureIdle({ idle: IDLE, messages: MESSAGES, rounds: 1 });
    assert.deepEqual([figures.greeted, figures.stayed], [IDLE, IDLE]);
    assert.equal(figures.stored, figures.sent);
    assert.ok(figures.memory < IDLE * MEMORY, `${figures.memory} octets`);
  },
});
