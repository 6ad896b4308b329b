/** A daemon that is told to stop while it reloads, or whose threads do not do as they are told. */

import assert from "node:assert/strict";
import { settled } from "../support/settled.ts";
import { type FakeReceiver, planOf, startDaemon, usualReceiver } from "./fake_threads.ts";

const HOUR = 3_600_000;

Deno.test("a stop while the new receivers start ends them too, and no other relay is begun", async () => {
  const { daemon, threads, clock } = await startDaemon("WORKERS = 2");
  threads.receiverHabit = () => [];
  const reloaded = daemon.reload(await planOf("WORKERS = 2"));
  await settled();
  const stopped = daemon.stop();
  threads.receivers.slice(2).forEach((receiver) => receiver.say({ kind: "listening" }));
  assert.equal(await reloaded, false);
  await stopped;
  await clock.pass(HOUR);
  assert.deepEqual([threads.alive, threads.relays.length], [[], 1]);
});

Deno.test("a stop while the old relay stops ends all, and no other relay is begun", async () => {
  const { daemon, threads, clock } = await startDaemon("WORKERS = 2");
  threads.relays[0]!.habit = () => [];
  const reloaded = daemon.reload(await planOf("WORKERS = 2"));
  await settled();
  const stopped = daemon.stop();
  await settled();
  threads.relays[0]?.say({ kind: "stopped" });
  assert.equal(await reloaded, false);
  await stopped;
  await clock.pass(HOUR);
  assert.deepEqual([threads.alive, threads.relays.length, clock.pending], [[], 1, 0]);
});

Deno.test("a stop while the new relay is linked or starts ends that too", async () => {
  for (const silent of ["relay", "start"] as const) {
    const { daemon, threads } = await startDaemon("WORKERS = 1");
    threads.receivers[0]!.habit = (told) => told.kind === silent ? [] : usualReceiver(told);
    threads.relayHabit = ({ kind }) => kind === "stop" ? [{ kind: "stopped" }] : [];
    // Perhaps nobody hears of it any more.
    let goesOn = false;
    daemon.reload(await planOf("WORKERS = 1")).then((done) => goesOn = done);
    await settled();
    assert.deepEqual(threads.alive, ["receiver 0", "receiver 1", "relay 1"]);
    await daemon.stop();
    assert.deepEqual([threads.alive, threads.relays.length], [[], 2]);
    await settled();
    assert.equal(goesOn, false);
  }
});

Deno.test("a stop reaches those of earlier plans, who have clients still", async () => {
  const { daemon, threads } = await startDaemon("WORKERS = 2");
  await daemon.reload(await planOf("WORKERS = 1"));
  await daemon.reload(await planOf("WORKERS = 1"));
  await daemon.stop();
  assert.equal(threads.receivers.length, 4);
  for (const { told } of threads.receivers) {
    assert.deepEqual(told.find(({ kind }) => kind === "stop"), { kind: "stop", grace: 10_000 });
  }
  assert.deepEqual(threads.alive, []);
});

for (const late of [1, 2]) {
  const moment = late === 1 ? "when it is told to stop" : "when it has stopped";
  Deno.test(`an old receiver that has left just ${moment} keeps nobody from stopping`, async () => {
    const { daemon, threads } = await startDaemon("WORKERS = 1");
    await daemon.reload(await planOf("WORKERS = 1"));
    const [leaving = assert.fail()] = threads.receivers;
    let stops = 0;
    leaving.habit = ({ kind }) => {
      if (kind !== "stop") return [];
      if (++stops < late) return [{ kind: "stopped" }];
      // It has said that it has left, and then hears of the stop. Who is ended answers nothing.
      leave(leaving);
      return [];
    };
    await assertEnds(daemon.stop());
    assert.deepEqual(threads.alive, []);
  });
}

async function leave(receiver: FakeReceiver): Promise<void> {
  await settled();
  receiver.say({ kind: "retired" });
  await settled();
  receiver.say({ kind: "stopped" });
}

/** Fails where it waits for anything but promises that are kept already. */
async function assertEnds(stopping: Promise<void>): Promise<void> {
  let ended = false;
  const watched = stopping.then(() => ended = true);
  for (let i = 0; i < 10 && !ended; i++) await settled();
  assert.ok(ended, "it waits for somebody who has ended");
  await watched;
}

Deno.test("what cannot be stopped is ended all the same, and told", async () => {
  for (const kind of ["receivers", "relays"] as const) {
    const { daemon, threads, clock } = await startDaemon("WORKERS = 2");
    threads[kind][0]!.habit = () => [];
    const stopped = assert.rejects(daemon.stop(), /the (receiver|relay) does not answer/);
    await clock.pass(15_000);
    await stopped;
    assert.deepEqual(threads.alive, []);
  }
});

Deno.test("a relay that never stops does not keep a reload for ever", async () => {
  const { daemon, threads, clock, log } = await startDaemon("WORKERS = 1");
  threads.relays[0]!.habit = () => [];
  const reloaded = daemon.reload(await planOf("WORKERS = 1"));
  await clock.pass(15_000);
  assert.equal(await reloaded, true);
  assert.deepEqual(log.fieldsOf("relay failed"), [{ error: "the relay does not answer" }]);
  threads.assertOrder("relay 0: stop", "relay 0 ended", "relay 1: start");
  await daemon.stop();
});
