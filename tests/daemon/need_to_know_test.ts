/** Threads are told no secret that is not theirs. */

import assert from "node:assert/strict";
import { settled } from "../support/settled.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import { Daemon } from "../../src/daemon/daemon.ts";
import type { Plan } from "../../src/daemon/plan.ts";
import { FakeThreads, planOf } from "./fake_threads.ts";

const HASH = "$scrypt$ln=14,r=8,p=1$c2FsdA$a2V5";

async function plan(): Promise<Plan> {
  const { configuration, ...rest } = await planOf("RELAY_HOST = mx.example");
  const users = [{ name: "john", target: { directory: "/x" }, hash: HASH, line: 1 }];
  const relayLogin = { user: "jones", password: "swordfish" };
  return { ...rest, configuration: { ...configuration, users, relayLogin } };
}

Deno.test("the relay alone is told the login, receivers alone the hashes, also after a reload", async () => {
  const [threads, clock, log] = [new FakeThreads(), new FakeClock(), new CollectingLog()];
  const parts = { threads, clock, process: 1, machine: "machine.example", log: () => log };
  const daemon = new Daemon(await plan(), parts);
  await daemon.start();
  await daemon.reload(await plan());
  await settled();
  const starts = (part: { told: readonly { kind: string }[] }) =>
    JSON.stringify(part.told.filter(({ kind }) => kind === "start"));
  assert.deepEqual([threads.relays.length, threads.receivers.length], [2, 2]);
  for (const relay of threads.relays) {
    assert.ok(starts(relay).includes("swordfish"));
    assert.ok(!starts(relay).includes("scrypt"));
  }
  for (const receiver of threads.receivers) {
    assert.ok(!starts(receiver).includes("swordfish"));
    assert.ok(starts(receiver).includes(HASH));
  }
  assert.ok(!JSON.stringify(log.all).includes("swordfish"));
  await daemon.stop();
});
