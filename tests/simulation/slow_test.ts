/** Servers that are silent, or far too many to wait for: nobody else feels it. */

import assert from "node:assert/strict";
import { LIMITS } from "../../src/relay/limits.ts";
import { at, say, silent } from "./fault.ts";
import { DAY, HOUR, MINUTE, SECOND, World } from "./world.ts";

const FROM = "jones@me.example";
const SILENT = { faults: at("greeting", silent) };
const NOBODY = { faults: at("RCPT", say("550 5.1.1 nobody")) };

Deno.test("who fails is reported after a minute, though a host takes its time, and once (DSN-4)", async () => {
  const world = await World.make();
  world.domain("a.test", NOBODY);
  world.domain("slow.test", SILENT, SILENT);
  await world.submit({ from: FROM, to: ["x@a.test", "y@slow.test"] });
  await world.run(MINUTE - SECOND);
  assert.deepEqual(world.reports(), []);
  await world.run(2 * SECOND);
  const told = () => world.reports().map(({ recipients }) => [...recipients.keys()]);
  assert.deepEqual(told(), [["x@a.test"]]);
  await world.restart();
  await world.run(2 * HOUR);
  assert.deepEqual(told(), [["x@a.test"]]);
});

Deno.test("a report finds its way while all places are taken by hosts that are silent", async () => {
  const world = await World.make();
  world.domain("a.test", NOBODY);
  await world.submit({ from: FROM, to: ["x@a.test"] });
  const slow = Array.from({ length: LIMITS.destinations + 5 }, (_, i) => `slow${i}.test`);
  slow.forEach((name) => world.domain(name, SILENT));
  await world.submit({ from: FROM, to: ["x@a.test", ...slow.map((name) => `x@${name}`)] });
  await world.run(LIMITS.patience - SECOND);
  assert.equal(world.network.open, LIMITS.destinations);
  await world.run(MINUTE);
  assert.equal(world.reports().length, 2);
});

Deno.test("hosts that are silent lose their places to others, and go on beside them", async () => {
  const world = await World.make();
  const slow = Array.from({ length: 3 * LIMITS.destinations }, (_, i) => `slow${i}.test`);
  slow.forEach((name) => world.domain(name, SILENT));
  for (const name of slow) await world.submit({ from: FROM, to: [`x@${name}`] });
  const [quick] = world.domain("quick.test", {});
  await world.submit({ from: FROM, to: ["x@quick.test"] });
  await world.run(4 * LIMITS.patience);
  assert.equal(quick?.arrivals.length, 1);
  assert.equal(world.network.open, slow.length);
});

Deno.test("after ten minutes of one attempt no further host is tried", async () => {
  const world = await World.make();
  world.domain("slow.test", ...Array<typeof SILENT>(6).fill(SILENT));
  await world.submit({ from: FROM, to: ["x@slow.test"] });
  await world.run(10 * MINUTE + SECOND);
  const minutes = world.network.dials.map(({ time }) => (time - world.began) / MINUTE);
  assert.deepEqual(minutes, [0, 5]);
  const [deferred] = world.log.of("message deferred");
  assert.equal(deferred?.time, 10 * MINUTE);
});

Deno.test("a stop has its time though name service is silent, and nothing is counted as tried", async () => {
  for (const asked of ["a.test", "mx1.a.test"]) {
    const world = await World.make();
    const [server] = world.domain("a.test", {});
    world.names.fault = (name) => name === asked ? "silence" : undefined;
    const id = await world.submit({ from: FROM, to: ["x@a.test"] });
    await world.run(SECOND);
    assert.ok(await world.stop(5 * SECOND) <= 5 * SECOND);
    const { bytes } = world.disk.files.get(`/spool/queue/${id}.json`) ?? assert.fail();
    const [recipient] = JSON.parse(new TextDecoder().decode(bytes)).recipients;
    assert.deepEqual([recipient.state, recipient.attempts], ["waiting", 0]);
    world.names.fault = () => undefined;
    await world.start();
    await world.run(SECOND);
    assert.equal(server?.arrivals.length, 1);
  }
});

/** What the disk did in this time to the envelopes in the queue. */
async function envelopeWork(world: World, milliseconds: number): Promise<string[]> {
  const { operations } = world.disk;
  const before = operations.length;
  await world.run(milliseconds);
  return operations.slice(before).filter((operation) => operation.endsWith(".json"));
}

Deno.test("messages that wait on the disk alone are not read again and again", async () => {
  const world = await World.make();
  world.domain("slow.test", SILENT);
  for (let i = 0; i < 2 * LIMITS.line; i++) await world.submit({ from: "", to: ["x@slow.test"] });
  await world.run(SECOND);
  const work = await envelopeWork(world, 4 * MINUTE);
  assert.deepEqual(work.filter((operation) => operation.startsWith("read ")), []);
});

Deno.test("a thousand recipients at as many domains cost far fewer envelopes", async () => {
  const world = await World.make();
  const domains = Array.from({ length: 1000 }, (_, i) => `d${i}.test`);
  const servers = domains.flatMap((name) => world.domain(name, {}));
  await world.submit({ from: FROM, to: domains.map((name) => `x@${name}`) });
  const work = await envelopeWork(world, 5 * MINUTE);
  assert.ok(servers.every(({ arrivals }) => arrivals.length === 1));
  const written = work.filter((operation) => operation.startsWith("rename "));
  assert.ok(written.length < 100, `${written.length}`);
  assert.ok(await world.runUntilEmpty(DAY));
});

Deno.test("hosts that refuse slowly do not make it final while one was not asked", async () => {
  const world = await World.make();
  const refuses = {
    faults: at("greeting", say("554 5.3.2 not here")),
    pace: { back: 299 * SECOND },
  };
  world.domain("slow.test", refuses, refuses, refuses, {});
  await world.submit({ from: FROM, to: ["x@slow.test"] });
  await world.run(40 * MINUTE);
  assert.equal(world.reports().length, 0);
  assert.ok(world.log.of("message deferred").length > 0);
});

Deno.test("one message that RELAY_HOST is silent about does not stop the others", async () => {
  const world = await World.make(1, "RELAY_HOST = hub.test");
  const hub = world.server("hub.test", {
    faults: ({ step, connection }) => step === "end" && connection === 1 ? silent : undefined,
  });
  for (let minute = 0; minute < 8; minute++) {
    await world.submit({ from: FROM, to: [`m${minute}@x.test`] });
    await world.run(MINUTE);
  }
  assert.equal(hub.arrivals.length, 7);
});
