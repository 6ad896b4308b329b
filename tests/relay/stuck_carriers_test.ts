/** Carriers that take long: the others of the same destination, and other destinations, go on. */

import assert from "node:assert/strict";
import { HOUR, idOf, MINUTE } from "../queue/messages.ts";
import { type Depot, openDepot } from "./depot.ts";

/** Milliseconds after which a carrier takes long, and a little. */
const LONG = 31_000;

/** Lets whatever is carried to a destination arrive, until nothing is. */
async function arriveAll(depot: Depot, destination: string): Promise<void> {
  const next = () => depot.busy.find((carrier) => carrier.destination === destination);
  for (let carrier = next(); carrier; carrier = next()) await carrier.arrive();
}

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

Deno.test("one message that takes long does not stop its destination's others", async () => {
  const depot = await openDepot({ carriers: 2 });
  for (let n = 1; n <= 2; n++) await depot.receive("jones@hub.y");
  await depot.busy[1]?.arrive();
  await depot.office.clock.pass(LONG);
  for (let n = 3; n <= 6; n++) await depot.receive("jones@hub.y");
  for (let n = 3; n <= 6; n++) await depot.busy[1]?.arrive();
  assert.deepEqual(depot.carriedTo("hub.y"), upTo(6));
  assert.equal(depot.busy.length, 1);
});

Deno.test("behind carriers that all take long messages wait on the disk, and come at last", async () => {
  const depot = await openDepot({ carriers: 1 });
  for (let n = 1; n <= 12; n++) await depot.receive("jones@a.y");
  await depot.office.clock.pass(LONG);
  assert.equal(depot.office.queue.active, 1);
  await arriveAll(depot, "a.y");
  assert.deepEqual(depot.carriedTo("a.y").sort((a, b) => a - b), upTo(12));
  assert.equal(depot.office.spooled.length, 0);
});

Deno.test("messages that are gone when they are called for keep nobody waiting for long", async () => {
  const depot = await openDepot({ carriers: 1 });
  for (let n = 1; n <= 12; n++) await depot.receive("jones@a.y");
  await depot.office.clock.pass(LONG);
  for (const n of [2, 3]) assert.ok(await depot.office.queue.remove(idOf(n)));
  await arriveAll(depot, "a.y");
  for (let minute = 1; minute <= 5; minute++) {
    await depot.office.clock.pass(MINUTE);
    await arriveAll(depot, "a.y");
  }
  const carried = depot.carriedTo("a.y").sort((a, b) => a - b);
  assert.deepEqual(carried, upTo(12).filter((n) => n !== 2 && n !== 3));
});

Deno.test("messages that another destination still holds keep nobody waiting for long", async () => {
  const depot = await openDepot({ carriers: 1 });
  await depot.receive("jones@a.y");
  await depot.receive("jones@a.y", "smith@c.y");
  await depot.receive("jones@a.y", "smith@d.y");
  for (let n = 4; n <= 12; n++) await depot.receive("jones@a.y");
  await depot.office.clock.pass(LONG);
  await arriveAll(depot, "a.y");
  for (let minute = 1; minute <= 6; minute++) {
    await depot.office.clock.pass(MINUTE);
    await arriveAll(depot, "a.y");
  }
  const others = upTo(12).filter((n) => n !== 2 && n !== 3);
  const carried = depot.carriedTo("a.y").sort((a, b) => a - b);
  assert.deepEqual(carried.filter((n) => n !== 2 && n !== 3), others);
});

Deno.test("a destination that is first waits for no place after its turn either", async () => {
  const depot = await openDepot({ destinations: 1, carriers: 1, turn: 2, patience: HOUR });
  for (const domain of ["a.y", "b.y"]) await depot.receive(`jones@${domain}`);
  for (let n = 3; n <= 7; n++) await depot.receive("jones@first.test");
  await arriveAll(depot, "first.test");
  assert.deepEqual(depot.carriedTo("first.test"), [3, 4, 5, 6, 7]);
});
