/** What one host of a domain does is not held against another, nor against the mail: RFC 5321 5.1. */

import assert from "node:assert/strict";
import { at, close, type Fault, recipients, say } from "./fault.ts";
import { DAY, MINUTE, SECOND, World } from "./world.ts";

const FROM = "jones@me.example";

for (const [what, end] of [["breaks", close], ["says 421", say("421 4.3.2 too busy")]] as const) {
  Deno.test(`who is put off by a host that then ${what} at DATA is settled with the rest (CL-17, CL-18)`, async () => {
    const world = await World.make();
    const faults: Record<string, Fault> = { two: say("452 4.5.3 too many") };
    const [first, second] = world.domain("a.test", {
      faults: (moment) => moment.step === "DATA" ? end : recipients(faults)(moment),
    }, {});
    await world.submit({ from: FROM, to: ["one@a.test", "two@a.test", "three@a.test"] });
    await world.run(MINUTE);
    assert.equal(first?.arrivals.length, 0);
    const got = second?.arrivals.flatMap((arrival) => arrival.recipients);
    assert.deepEqual(got?.sort(), ["one@a.test", "three@a.test", "two@a.test"]);
    assert.deepEqual(world.queued, []);
    assert.deepEqual(world.reports(), []);
  });
}

Deno.test("a worse host that refuses everybody is not the last word while the better has no address for now (CL-2)", async () => {
  const world = await World.make();
  const [better, worse] = world.domain("a.test", {}, { faults: at("greeting", say("554 no")) });
  world.names.fault = (name) => name === "mx1.a.test" ? "trouble" : undefined;
  await world.submit({ from: FROM, to: ["x@a.test"] });
  await world.run(MINUTE);
  assert.equal(worse?.connections, 1);
  assert.deepEqual(world.reports(), []);
  assert.equal(world.queued.length, 1);
  world.names.fault = () => undefined;
  assert.ok(await world.runUntilEmpty(DAY));
  assert.equal(better?.arrivals.length, 1);
  assert.deepEqual(world.reports(), []);
});

Deno.test("a host that says 421 is left alone for a while, the next host is not", async () => {
  const world = await World.make();
  let closed = true;
  const [first, second] = world.domain(
    "a.test",
    { faults: at("MAIL", say("421 4.3.2 go away")) },
    { faults: (moment) => moment.step === "greeting" && closed ? say("554 no") : undefined },
  );
  await world.submit({ from: FROM, to: ["x@a.test"] });
  await world.run(10 * SECOND);
  closed = false;
  await world.submit({ from: FROM, to: ["y@a.test"] });
  await world.run(10 * SECOND);
  assert.equal(first?.connections, 1);
  assert.deepEqual(second?.arrivals.map((arrival) => arrival.recipients), [["y@a.test"]]);
});

Deno.test("whoever asks for another try has name service asked anew (CL-22)", async () => {
  const world = await World.make();
  world.domain("a.test", { faults: at("connect", close) });
  await world.submit({ from: FROM, to: ["x@a.test"] });
  await world.run(SECOND);
  world.names.asked.length = 0;
  await world.retry();
  await world.run(SECOND);
  assert.deepEqual(world.names.asked, ["MX a.test", "A mx1.a.test"]);
});
