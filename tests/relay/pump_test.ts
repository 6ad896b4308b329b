/** The pump where the queue is in trouble. */

import assert from "node:assert/strict";
import { SHORTLY } from "../../src/queue/active.ts";
import { idOf } from "../queue/messages.ts";
import { openOffice } from "../queue/office.ts";
import { Pump } from "../../src/relay/pump.ts";
import { settled } from "../support/settled.ts";

Deno.test("a queue that is away is told of once a minute, however much waits, and goes on when it is back", async () => {
  const office = await openOffice();
  const { queue, clock, log, disk } = office;
  const ids = Array.from({ length: 20 }, (_, i) => idOf(i + 1));
  for (const id of ids) await office.receive({ id });
  const files = new Map(disk.files);
  disk.files.clear();
  disk.directories.delete("/spool/queue");
  const begun: string[] = [];
  const pump = new Pump({ queue, clock, log }, 100, ({ message }) => void begun.push(message.id));
  pump.start();
  await settled();
  await clock.pass(9 * SHORTLY);
  const troubles = log.fieldsOf("queue trouble");
  assert.equal(troubles.length, 10);
  assert.match(String(troubles[0]?.error), /there is no queue in \/spool$/);
  assert.deepEqual(begun, []);
  disk.directories.add("/spool/queue");
  for (const [path, file] of files) disk.files.set(path, file);
  await clock.pass(2 * SHORTLY);
  assert.deepEqual(begun.sort(), ids);
  await pump.stop();
});

Deno.test("many that are due at once let others have their turn in between", async () => {
  const office = await openOffice();
  const { queue, clock, log } = office;
  for (let n = 1; n <= 200; n++) await office.receive({ id: idOf(n) });
  let begun = 0;
  const pump = new Pump({ queue, clock, log }, 1000, () => void begun++);
  pump.start();
  const seen: number[] = [];
  for (let turn = 0; begun < 200 && turn < 100; turn++) {
    await settled();
    seen.push(begun);
  }
  assert.equal(begun, 200);
  assert.ok(seen.length >= 3, `${seen}`);
  await pump.stop();
});
