/** What the log hears of a flood of clients that are not let in. */

import assert from "node:assert/strict";
import { Refusals } from "../../src/receiver/refusals.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import { FakeClock } from "../support/fake_clock.ts";

const MINUTE = 60_000;

function flood(refusals: Refusals, clients: number): void {
  for (let i = 0; i < clients; i++) refusals.tell(`192.0.2.1:${i}`, "too many");
}

Deno.test("a few are told one by one", () => {
  const [log, clock] = [new CollectingLog(), new FakeClock()];
  const refusals = new Refusals(log, clock);
  flood(refusals, 2);
  assert.deepEqual(
    log.all,
    [0, 1].map((port) => ({
      level: "warn",
      event: "connection refused",
      fields: { peer: `192.0.2.1:${port}`, reason: "too many" },
    })),
  );
  clock.advance(2 * MINUTE);
  assert.equal(log.all.length, 2);
});

Deno.test("of many ten are told in a minute, and how many more there were", () => {
  const [log, clock] = [new CollectingLog(), new FakeClock()];
  const refusals = new Refusals(log, clock);
  for (let minute = 0; minute < 3; minute++) {
    flood(refusals, 100_000);
    clock.advance(MINUTE);
  }
  assert.equal(log.fieldsOf("connection refused").length, 30);
  assert.deepEqual(log.fieldsOf("connections refused"), Array(3).fill({ further: 99_990 }));
});

Deno.test("the number is told at the end too, and no timer is left", () => {
  const [log, clock] = [new CollectingLog(), new FakeClock()];
  const refusals = new Refusals(log, clock);
  flood(refusals, 11);
  refusals.close();
  assert.deepEqual(log.fieldsOf("connections refused"), [{ further: 1 }]);
  assert.equal(clock.pending, 0);
});
