import assert from "node:assert/strict";
import type { Outcome } from "../figures.ts";
import { receiveUnderKills } from "./receiving.ts";
import { relayUnderKills } from "./relaying.ts";

const COUNTS = { kills: 6, sessions: 20 };

Deno.test("what was answered 250 is in the mailboxes, whenever the daemon is killed", async () => {
  const outcome = await receiveUnderKills({ ...COUNTS, seed: seed() });
  holds(outcome);
  assert.equal(outcome.figures.duplicates, 0, outcome.name);
});

Deno.test("what was answered 250 reaches other hosts, whenever the daemon is killed", async () => {
  holds(await relayUnderKills({ ...COUNTS, seed: seed() }));
});

/** Another course each time; the outcome's name tells which. */
function seed(): number {
  return Math.floor(Math.random() * 1_000_000);
}

/** That it starts again after each kill holds too: the outcome would not have come otherwise. */
function holds({ name, figures, complaints }: Outcome): void {
  assert.deepEqual(complaints, [], name);
  assert.equal(figures.kills, COUNTS.kills, name);
  assert.equal(figures.lost, 0, name);
  assert.equal(figures.half, 0, name);
  assert.ok(figures.acknowledged! >= 50, `${name}: only ${figures.acknowledged} acknowledged`);
}
