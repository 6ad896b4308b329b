/** Connections that always have something to do let the others have their turn. */

import assert from "node:assert/strict";
import { Turns } from "../../src/receiver/turns.ts";

Deno.test("little work gives no turn away, a millisecond of it does", async () => {
  let now = 0;
  const turns = new Turns();
  const work = (milliseconds: number) => {
    turns.begin(now);
    now += milliseconds;
    return turns.end(now);
  };
  assert.equal(work(0.4), undefined);
  // What passes between is a wait, not work.
  now += 1000;
  assert.equal(work(0.4), undefined);
  const turn = work(0.4);
  assert.ok(turn);
  await turn;
  assert.equal(work(0.4), undefined);
});

Deno.test("a wait for the disk is a turn for the others", () => {
  let now = 0;
  const turns = new Turns();
  turns.begin(now);
  now += 50;
  turns.waited(now);
  now += 0.5;
  assert.equal(turns.end(now), undefined);
});
