/** The daemon's threads: started, started again when they die, stopped. */

import assert from "node:assert/strict";
import { SettingError } from "../../src/config/setting_error.ts";
import { settled } from "../support/settled.ts";
import { makeDaemon, numberOf, startDaemon, usualReceiver } from "./fake_threads.ts";

const HOUR = 3_600_000;

Deno.test("it starts as many receivers as WORKERS says, and one relay, each with its number", async () => {
  const { daemon, threads } = await makeDaemon("WORKERS = 3");
  assert.deepEqual(threads.alive, []);
  assert.equal(await daemon.start(), 3);
  assert.deepEqual(threads.alive, ["receiver 0", "receiver 1", "receiver 2", "relay 0"]);
  const numbers = [...threads.receivers, ...threads.relays].map(numberOf);
  assert.equal(new Set(numbers).size, 4);
  for (const { told } of threads.receivers) {
    const start = told.find(({ kind }) => kind === "start");
    assert(start?.kind === "start");
    assert.equal(start.configuration.mail.WORKERS, 3);
    assert.deepEqual(start.places, [{ address: "127.0.0.1", port: 2525, service: "smtp" }]);
    assert.deepEqual([start.process, start.machine], [1, "machine.example"]);
  }
  await daemon.stop();
});

Deno.test("a receiver knows a relay before it listens, the relay all receivers before it starts", async () => {
  const { daemon, threads } = await startDaemon("WORKERS = 2");
  for (const { kinds } of threads.receivers) {
    assert.deepEqual(kinds.slice(0, 2), ["relay", "start"]);
  }
  const [{ kinds, told } = assert.fail()] = threads.relays;
  assert.deepEqual(kinds, ["receiver", "receiver", "start"]);
  assert.deepEqual(
    told.flatMap((message) => message.kind === "receiver" ? [message.number] : []),
    threads.receivers.map(numberOf),
  );
  await daemon.stop();
});

Deno.test("a receiver and the relay hold the two ends of one channel", async () => {
  const { daemon, threads } = await startDaemon("WORKERS = 2");
  const [relay = assert.fail()] = threads.relays;
  for (const receiver of threads.receivers) {
    const own = receiver.told.findLast(({ kind }) => kind === "relay");
    const other = relay.told.find((message) => {
      return message.kind === "receiver" && message.number === numberOf(receiver);
    });
    assert(own?.kind === "relay" && other?.kind === "receiver");
    const heard = new Promise((resolve) => other.port.onmessage = ({ data }) => resolve(data));
    own.port.postMessage(receiver.name);
    assert.equal(await heard, receiver.name);
    other.port.close();
  }
  await daemon.stop();
});

Deno.test("where one receiver cannot listen, none does, and the relay is not begun", async () => {
  const { daemon, threads } = await makeDaemon("WORKERS = 3");
  threads.receiverHabit = (told) => {
    if (told.kind !== "start" || told.number !== 1) return usualReceiver(told);
    return [{ kind: "failed", message: "cannot listen", setting: "LISTEN_PORT" }];
  };
  await assert.rejects(daemon.start(), (error) => {
    return error instanceof SettingError && error.message === "cannot listen" &&
      error.setting === "LISTEN_PORT";
  });
  assert.deepEqual([threads.alive, threads.relays.map(({ told }) => told)], [[], [[]]]);
});

Deno.test("a receiver that dies is started again after 100 ms, with another number, and the relay hears", async () => {
  const { daemon, threads, clock, log } = await startDaemon("WORKERS = 2");
  const [relay = assert.fail()] = threads.relays;
  const [dying = assert.fail()] = threads.receivers;
  dying.die("too much");
  await clock.pass(99);
  assert.deepEqual(log.fieldsOf("thread died"), [
    { thread: "receiver", error: "too much", restart: "in 0.1 s" },
  ]);
  assert.deepEqual(relay.told.at(-1), { kind: "gone", number: numberOf(dying) });
  assert.deepEqual(threads.alive, ["receiver 1", "relay 0"]);
  await clock.pass(1);
  assert.deepEqual(threads.alive, ["receiver 1", "receiver 2", "relay 0"]);
  const again = threads.receivers.at(-1) ?? assert.fail();
  const numbers = [...threads.receivers, relay].map(numberOf);
  assert.equal(new Set(numbers).size, 4);
  const told = relay.told.at(-1);
  assert(told?.kind === "receiver");
  assert.equal(told.number, numberOf(again));
  threads.assertOrder("receiver 0: start", "relay 0: gone", "receiver 2 says listening");
  await daemon.stop();
});

Deno.test("a relay that dies is started again, linked to every receiver before it starts", async () => {
  const { daemon, threads, clock, log } = await startDaemon("WORKERS = 2");
  threads.relays[0]?.die("too much");
  await clock.pass(99);
  assert.deepEqual(log.fieldsOf("thread died"), [
    { thread: "relay", error: "too much", restart: "in 0.1 s" },
  ]);
  assert.deepEqual(threads.alive, ["receiver 0", "receiver 1"]);
  await clock.pass(1);
  assert.deepEqual(threads.alive, ["receiver 0", "receiver 1", "relay 1"]);
  const [, relay = assert.fail()] = threads.relays;
  assert.deepEqual(relay.kinds, ["receiver", "receiver", "start"]);
  for (const { kinds } of threads.receivers) assert.equal(kinds.at(-1), "relay");
  await daemon.stop();
});

Deno.test("a receiver that comes while there is no relay is linked to the next one", async () => {
  const { daemon, threads, clock } = await startDaemon("WORKERS = 2");
  threads.receivers[0]?.die("first");
  await settled();
  threads.relays[0]?.die("second");
  // The receiver comes after 100 ms, the relay after a second.
  await clock.pass(500);
  assert.deepEqual(threads.alive, ["receiver 1", "receiver 2"]);
  await clock.pass(500);
  assert.deepEqual(threads.alive, ["receiver 1", "receiver 2", "relay 1"]);
  assert.deepEqual(threads.relays[1]?.kinds, ["receiver", "receiver", "start"]);
  await daemon.stop();
});

Deno.test("a receiver that dies while the relay is linked to it does not keep that from starting", async () => {
  const { daemon, threads, clock } = await startDaemon("WORKERS = 2");
  const [dying = assert.fail()] = threads.receivers;
  dying.habit = () => [];
  threads.relays[0]?.die("first");
  await clock.pass(100);
  assert.equal(threads.relays[1]?.kinds.includes("start"), false);
  dying.die("second");
  await settled();
  assert.equal(threads.relays[1]?.kinds.at(-1), "start");
  await clock.pass(1000);
  assert.deepEqual(threads.alive, ["receiver 1", "receiver 2", "relay 1"]);
  await daemon.stop();
});

Deno.test("three deaths within a minute are told to whoever waits, and nothing is started again", async () => {
  const { daemon, threads, clock, log } = await startDaemon("WORKERS = 3");
  const failed = assert.rejects(daemon.failed, /die too often.*relay/);
  threads.receivers[0]?.die("1");
  await clock.pass(20_000);
  threads.receivers[1]?.die("2");
  await clock.pass(20_000);
  threads.relays[0]?.die("3");
  await settled();
  await failed;
  assert.deepEqual(log.fieldsOf("thread died").map(({ restart }) => restart), [
    "in 0.1 s",
    "in 1 s",
    "no more",
  ]);
  await clock.pass(HOUR);
  assert.deepEqual(threads.alive, ["receiver 2", "receiver 3", "receiver 4"]);
  await daemon.stop();
  assert.deepEqual(threads.alive, []);
});

Deno.test("who dies at its start or cannot listen any more has died too", async () => {
  const { daemon, threads, clock, log } = await startDaemon("WORKERS = 1");
  const failed = assert.rejects(daemon.failed, /receiver/);
  threads.receivers[0]?.die("1");
  threads.receiverHabit = () => [];
  await clock.pass(100);
  threads.receivers[1]?.die("2");
  threads.receiverHabit = ({ kind }) =>
    kind === "start" ? [{ kind: "failed", message: "3", setting: "LISTEN_PORT" }] : [];
  await clock.pass(1000);
  await failed;
  assert.deepEqual(log.fieldsOf("thread died").map(({ error }) => error), ["1", "2", "3"]);
  assert.deepEqual(threads.alive, ["relay 0"]);
  await daemon.stop();
});

Deno.test("at the end all are told to stop, and the receivers last as long as the relay", async () => {
  const { daemon, threads, clock } = await startDaemon("WORKERS = 2");
  const [relay = assert.fail()] = threads.relays;
  relay.habit = () => [];
  const stopped = daemon.stop();
  await settled();
  assert.deepEqual(relay.told.at(-1), { kind: "stop", grace: 10_000 });
  for (const { told } of threads.receivers) {
    assert.deepEqual(told.at(-1), { kind: "stop", grace: 10_000 });
  }
  assert.deepEqual(threads.alive, ["receiver 0", "receiver 1", "relay 0"]);
  const before = threads.journal.length;
  relay.say({ kind: "stopped" });
  await stopped;
  // They may have delivered for it until then, and logged that.
  assert.ok(threads.journal.slice(before).includes("receiver 0 says stopped"));
  assert.deepEqual([threads.alive, clock.pending], [[], 0]);
});

Deno.test("a death while it stops is no reason to start anything, and is told", async () => {
  for (const kind of ["receivers", "relays"] as const) {
    const { daemon, threads, clock, log } = await startDaemon("WORKERS = 2");
    const [dying = assert.fail()] = threads[kind];
    dying.habit = () => [];
    const stopped = assert.rejects(daemon.stop(), /too much/);
    await settled();
    dying.die("too much");
    await stopped;
    await clock.pass(HOUR);
    assert.deepEqual([threads.alive, log.all], [[], []]);
    assert.deepEqual([threads.receivers.length, threads.relays.length], [2, 1]);
  }
});

Deno.test("what was to be started again is not once it stops", async () => {
  const { daemon, threads, clock } = await startDaemon("WORKERS = 1");
  threads.receivers[0]?.die("1");
  threads.relays[0]?.die("2");
  await settled();
  assert.equal(clock.pending, 2);
  await daemon.stop();
  assert.equal(clock.pending, 0);
  await clock.pass(HOUR);
  assert.deepEqual([threads.receivers.length, threads.relays.length], [1, 1]);
});

Deno.test("a receiver that is only starting when it stops does not stay", async () => {
  const { daemon, threads, clock } = await startDaemon("WORKERS = 2");
  threads.receivers[0]?.die("1");
  threads.receiverHabit = () => [];
  await clock.pass(100);
  await daemon.stop();
  threads.receivers[2]?.say({ kind: "listening" });
  await settled();
  assert.deepEqual(threads.alive, []);
});
