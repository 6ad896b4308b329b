/** A kill at any moment loses nothing that was answered 250, leaves nothing half and nothing over. */

import assert from "node:assert/strict";
import { killAtEveryStep } from "./every_step.ts";

/** Milliseconds; it takes a fraction of that. */
const WITHIN = 10 * 60_000;

Deno.test("killed before and after each place that calls the disk, the daemon goes on as it should", async () => {
  const { complaints, figures } = await killAtEveryStep({ all: false, within: WITHIN, atOnce: 3 });
  assert.deepEqual(complaints, []);
  // Each was met on both sides, or there would be complaints.
  assert.ok(figures.kills! >= 2 * figures.places!, `only ${figures.kills} kills`);
});
