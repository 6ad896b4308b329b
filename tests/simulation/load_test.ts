/** Many messages, and slow receivers among quick ones. */

import assert from "node:assert/strict";
import { LIMITS } from "../../src/relay/limits.ts";
import { at, say } from "./fault.ts";
import { DAY, HOUR, MINUTE, SECOND, World } from "./world.ts";

Deno.test("2,000 messages to 50 domains, a third of them failing at first, arrive once each", async () => {
  const world = await World.make();
  const faults = [say("451 later"), { kind: "close" }, { kind: "silent" }] as const;
  const domains = Array.from({ length: 50 }, (_, i) => `d${i}.test`);
  domains.forEach((domain, i) => {
    const [server] = world.domain(domain, { pace: { there: 10, back: 10 } });
    if (i % 3 > 0) return;
    const steps = ["connect", "greeting", "MAIL", "RCPT", "DATA", "end"] as const;
    const step = steps[i / 3 % steps.length];
    const fault = step === "end" ? faults[0] : faults[Math.floor(i / 9) % 3]!;
    server!.faults = (moment) => {
      const failing = moment.time < world.began + 30 * MINUTE;
      return failing && moment.step === step ? fault : undefined;
    };
  });
  const wanted: string[] = [];
  for (let m = 0; m < 2000; m++) {
    const to = [`m${m}@${domains[m % 50]}`, `n${m}@${domains[(m * 7 + 1) % 50]}`];
    wanted.push(...to);
    await world.submit({ from: "jones@me.example", to });
  }
  assert.ok(await world.runUntilEmpty(DAY));
  const got = [...world.servers.values()].flatMap(({ arrivals }) =>
    arrivals.flatMap((a) => a.recipients)
  );
  assert.deepEqual(got.sort(), wanted.sort());
  assert.deepEqual(world.mailbox("jones"), []);
  assert.ok(world.network.mostToOne <= LIMITS.mostCarriers);
  assert.ok(world.network.mostDestinations <= LIMITS.destinations);
  await world.stop();
  assert.deepEqual(world.paths("/spool/"), []);
});

Deno.test("a receiver that takes minutes for each answer keeps nobody else waiting", async () => {
  const world = await World.make();
  const [slow] = world.domain("slow.test", { pace: { there: 0, back: 100 * SECOND } });
  const quick = Array.from({ length: 40 }, (_, i) => world.domain(`q${i}.test`, {})[0]!);
  for (let i = 0; i < 300; i++) {
    await world.submit({ from: "", to: [`x${i}@slow.test`] });
    await world.submit({ from: "", to: [`x${i}@q${i % 40}.test`, `y${i}@slow.test`] });
  }
  await world.run(MINUTE);
  assert.equal(quick.reduce((sum, { arrivals }) => sum + arrivals.length, 0), 300);
  assert.equal(slow?.arrivals.length, 0);
  assert.ok(await world.runUntilEmpty(4 * DAY));
  assert.equal(slow?.arrivals.length, 600);
});

Deno.test("messages that wait for a slow receiver alone are not written again and again", async () => {
  const world = await World.make();
  world.domain("slow.test", { pace: { there: 0, back: 100 * SECOND } });
  for (let i = 0; i < 300; i++) await world.submit({ from: "", to: [`x${i}@slow.test`] });
  const before = world.disk.operations.length;
  await world.run(HOUR);
  const renamed = world.disk.operations.slice(before).filter((one) => one.startsWith("rename"));
  assert.ok(renamed.length <= 300, `${renamed.length} envelopes`);
});

Deno.test("who waits for a long line is not tried the sooner elsewhere (CL-22)", async () => {
  const world = await World.make();
  world.domain("slow.test", { pace: { there: 0, back: 300 } });
  const [later] = world.domain("later.test", { faults: at("RCPT", say("450 4.2.1 later")) });
  for (let i = 0; i < 600; i++) {
    await world.submit({ from: "", to: [`x${i}@slow.test`, `y${i}@later.test`] });
  }
  await world.run(5 * MINUTE - SECOND);
  const often = [...later!.asked.values()].filter((times) => times.length > 1);
  assert.equal(later!.asked.size, 600);
  assert.deepEqual(often, []);
});

Deno.test("as many silent receivers as there are places do not stop the rest for long", async () => {
  const world = await World.make();
  for (let i = 0; i < LIMITS.destinations; i++) {
    world.domain(`s${i}.test`, {
      faults: ({ step }) => step === "connect" ? { kind: "silent" } : undefined,
    });
    await world.submit({ from: "", to: [`x@s${i}.test`] });
  }
  const [quick] = world.domain("q.test", {});
  await world.run(SECOND);
  await world.submit({ from: "", to: ["x@q.test"] });
  await world.run(MINUTE);
  assert.equal(quick?.arrivals.length, 1);
});
