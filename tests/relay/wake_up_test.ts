/** Nothing that happens to the queue is overlooked, whatever the courier is doing just then. */

import assert from "node:assert/strict";
import { idOf, message, recipient } from "../queue/messages.ts";
import { TEXT } from "../queue/office.ts";
import { put } from "../queue/spooled.ts";
import { settled } from "../support/settled.ts";
import { openDepot } from "./depot.ts";

/** More than the courier takes to find out that there is nothing. */
const STEPS = 60;

Deno.test("a message that comes in any number of steps after another event is taken at once", async () => {
  for (let steps = 0; steps < STEPS; steps++) {
    const depot = await openDepot();
    const { queue, spool } = depot.office;
    await put(spool, message({ id: idOf(1), recipients: [recipient("jones@a.y")] }), TEXT);
    // Of a message that has gone already.
    queue.add(idOf(2));
    for (let step = 0; step < steps; step++) await Promise.resolve();
    queue.add(idOf(1));
    await settled();
    assert.deepEqual(depot.carriedTo("a.y"), [1], `${steps} steps`);
  }
});
