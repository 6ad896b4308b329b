/** A daemon that goes on by another plan: who comes before whom, and what may happen meanwhile. */

import assert from "node:assert/strict";
import type { QueuedMessage } from "../../src/queue/envelope.ts";
import { SettingError } from "../../src/config/setting_error.ts";
import { MailboxPorts } from "../../src/relay/mailbox_ports.ts";
import { settled } from "../support/settled.ts";
import {
  type FakeReceiver,
  type FakeRelay,
  numberOf,
  planOf,
  type ReceiverHabit,
  startDaemon,
  usualReceiver,
  usualRelay,
} from "./fake_threads.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;
const MESSAGE: QueuedMessage = {
  id: "a",
  arrived: 0,
  reversePath: null,
  size: 1,
  eightBit: false,
  delayReported: false,
  recipients: [],
};

/** Of the receivers that it was shown, in order. */
function linkedTo({ told }: FakeRelay): number[] {
  return told.flatMap((message) => message.kind === "receiver" ? [message.number] : []);
}

Deno.test("the new receivers listen before the old ones leave, which have five minutes for it", async () => {
  const { daemon, threads } = await startDaemon("WORKERS = 2");
  assert.equal(await daemon.reload(await planOf("WORKERS = 3\nHOSTNAME = new.example")), true);
  const fresh = threads.receivers.slice(2);
  for (const { name, told } of fresh) {
    threads.assertOrder(`${name} says listening`, "receiver 0: retire");
    const start = told.find(({ kind }) => kind === "start");
    assert(start?.kind === "start");
    assert.equal(start.configuration.mail.HOSTNAME, "new.example");
  }
  assert.equal(fresh.length, 3);
  assert.deepEqual(threads.receivers[0]?.told.find(({ kind }) => kind === "retire"), {
    kind: "retire",
    patience: 300_000,
    grace: 10_000,
  });
  await daemon.stop();
});

Deno.test("the old relay has stopped before the new one is there", async () => {
  const { daemon, threads } = await startDaemon("WORKERS = 1");
  const [old = assert.fail()] = threads.relays;
  old.habit = () => [];
  const reloaded = daemon.reload(await planOf("HOSTNAME = new.example"));
  await settled();
  assert.deepEqual(old.told.at(-1), { kind: "stop", grace: 10_000 });
  assert.equal(threads.relays.length, 1);
  old.say({ kind: "stopped" });
  assert.equal(await reloaded, true);
  threads.assertOrder("relay 0 says stopped", "relay 0 ended", "relay 1: start");
  const start = threads.relays[1]?.told.at(-1);
  assert(start?.kind === "start");
  assert.equal(start.configuration.mail.HOSTNAME, "new.example");
  const numbers = [...threads.receivers, ...threads.relays].map(numberOf);
  assert.equal(new Set(numbers).size, 4);
  await daemon.stop();
});

for (const how of ["cannot listen", "dies"] as const) {
  Deno.test(`a new receiver that ${how} leaves everything as it was, and ends all new ones`, async () => {
    const { daemon, threads, clock } = await startDaemon("WORKERS = 3");
    const before = threads.receivers.map(({ told }) => told.length);
    let count = 0;
    threads.receiverHabit = (told) => {
      if (told.kind !== "start" || ++count !== 2) return usualReceiver(told);
      return how === "dies"
        ? []
        : [{ kind: "failed", message: "cannot listen", setting: "LISTEN_PORT" }];
    };
    const refused = assert.rejects(
      daemon.reload(await planOf("WORKERS = 3")),
      how === "dies" ? /too much/ : new SettingError("cannot listen", "LISTEN_PORT"),
    );
    await settled();
    if (how === "dies") threads.receivers[4]?.die("too much");
    await refused;
    assert.deepEqual(threads.alive, ["receiver 0", "receiver 1", "receiver 2", "relay 0"]);
    assert.deepEqual(threads.receivers.slice(0, 3).map(({ told }) => told.length), before);
    const [relay = assert.fail()] = threads.relays;
    assert.ok(!relay.kinds.includes("stop"));
    const gone = relay.told.flatMap((message) => message.kind === "gone" ? [message.number] : []);
    // Whom it was shown of the new ones is gone again.
    assert.deepEqual(linkedTo(relay).filter((number) => number > 3), gone);
    // The old ones are still those that are started again.
    await clock.pass(HOUR);
    threads.receiverHabit = usualReceiver;
    threads.receivers[0]?.die("later");
    await clock.pass(1000);
    assert.deepEqual(threads.alive, ["receiver 1", "receiver 2", "receiver 6", "relay 0"]);
    await daemon.stop();
  });
}

Deno.test("receivers that are leaving are linked to the new relay too: they still take mail", async () => {
  const { daemon, threads } = await startDaemon("WORKERS = 2");
  await daemon.reload(await planOf("WORKERS = 2"));
  await daemon.reload(await planOf("WORKERS = 1"));
  const relay = threads.relays[2] ?? assert.fail();
  assert.deepEqual(linkedTo(relay), threads.receivers.map(numberOf));
  assert.equal(threads.receivers.length, 5);
  assert.equal(relay.kinds.at(-1), "start");
  await daemon.stop();
});

/** It leaves, and says nothing else. */
const busy: ReceiverHabit = ({ kind }) => kind === "leave" ? [{ kind: "left" }] : [];

Deno.test("mail for mailboxes goes to a new receiver, whoever of them is linked first", async () => {
  const { daemon, threads } = await startDaemon("WORKERS = 1");
  const [old = assert.fail()] = threads.receivers;
  // It is busy when the new relay is shown to it.
  old.habit = busy;
  const reloaded = daemon.reload(await planOf("WORKERS = 1"));
  await settled();
  old.say({ kind: "linked" });
  await reloaded;
  const asked = await askedBy(threads.relays[1] ?? assert.fail(), threads.receivers);
  assert.equal(asked.name, "receiver 1");
  old.habit = usualReceiver;
  await daemon.stop();
});

/** Which of these receivers a relay asks for a delivery. */
async function askedBy(
  relay: FakeRelay,
  receivers: readonly FakeReceiver[],
): Promise<FakeReceiver> {
  const mailboxes = new MailboxPorts(() => {});
  for (const message of relay.told) {
    if (message.kind === "receiver") mailboxes.add(message.number, message.port);
  }
  const asked = receivers.map((receiver) => {
    const own = receiver.told.findLast(({ kind }) => kind === "relay");
    assert(own?.kind === "relay");
    return new Promise<FakeReceiver>((resolve) => own.port.onmessage = () => resolve(receiver));
  });
  mailboxes.deliver(MESSAGE, []);
  const first = await Promise.race(asked);
  linkedTo(relay).forEach((number) => mailboxes.remove(number));
  return first;
}

Deno.test("an old receiver that has left when the new relay is linked to it does not keep that from starting", async () => {
  const { daemon, threads } = await startDaemon("WORKERS = 1");
  const [old = assert.fail()] = threads.receivers;
  old.habit = busy;
  const reloaded = daemon.reload(await planOf("WORKERS = 1"));
  await settled();
  // It has said so before it hears of the relay, and is ended when that is heard.
  old.say({ kind: "retired" });
  await settled();
  old.say({ kind: "linked" });
  await settled();
  assert.deepEqual(threads.alive, ["receiver 1", "relay 1"]);
  assert.equal(threads.relays[1]?.kinds.at(-1), "start");
  assert.equal(await reloaded, true);
  await daemon.stop();
});

Deno.test("receivers that have left are ended, and the relay hears it", async () => {
  const { daemon, threads, clock, log } = await startDaemon("WORKERS = 2");
  await daemon.reload(await planOf("WORKERS = 1"));
  const [one = assert.fail(), other = assert.fail()] = threads.receivers;
  one.say({ kind: "retired" });
  other.say({ kind: "retired" });
  await settled();
  assert.deepEqual(threads.alive, ["receiver 2", "relay 1"]);
  assert.deepEqual(threads.relays[1]?.told.slice(-2), [
    { kind: "gone", number: numberOf(one) },
    { kind: "gone", number: numberOf(other) },
  ]);
  await daemon.reload(await planOf("WORKERS = 1"));
  const there = threads.receivers.slice(2).map(numberOf);
  assert.deepEqual(linkedTo(threads.relays[2] ?? assert.fail()), there);
  await clock.pass(MINUTE);
  assert.deepEqual(log.all, []);
  await daemon.stop();
});

Deno.test("of more than three old plans the oldest gives its clients no more time", async () => {
  const { daemon, threads } = await startDaemon("WORKERS = 1");
  for (let i = 0; i < 3; i++) await daemon.reload(await planOf("WORKERS = 1"));
  assert.equal(threads.alive.length, 5);
  await daemon.reload(await planOf("WORKERS = 1"));
  assert.deepEqual(threads.receivers.map(({ kinds }) => kinds.includes("stop")), [
    true,
    false,
    false,
    false,
    false,
  ]);
  await settled();
  assert.equal(threads.alive[0], "receiver 1");
  await daemon.stop();
});

Deno.test("one that dies while it leaves is not started again, and not counted", async () => {
  const { daemon, threads, clock, log } = await startDaemon("WORKERS = 1");
  for (let i = 0; i < 3; i++) {
    await daemon.reload(await planOf("WORKERS = 1"));
    threads.receivers[i]?.die("too much");
    await settled();
    assert.deepEqual(threads.relays[i + 1]?.kinds.at(-1), "gone");
  }
  await clock.pass(HOUR);
  assert.deepEqual(threads.alive, ["receiver 3", "relay 3"]);
  assert.deepEqual(log.all.map(({ event, fields }) => [event, fields]), [
    ["receiver failed", { error: "too much" }],
    ["receiver failed", { error: "too much" }],
    ["receiver failed", { error: "too much" }],
  ]);
  await daemon.stop();
});

Deno.test("an old receiver that is dead or only starting has no successor by the old plan", async () => {
  const { daemon, threads, clock } = await startDaemon("WORKERS = 2");
  threads.receivers[0]?.die("first");
  await settled();
  threads.receivers[1]?.die("second");
  threads.receiverHabit = () => [];
  await clock.pass(100);
  // One is starting, one is to be started in a while.
  threads.receiverHabit = usualReceiver;
  await daemon.reload(await planOf("WORKERS = 1"));
  threads.receivers[2]?.say({ kind: "listening" });
  await clock.pass(HOUR);
  assert.deepEqual(threads.alive, ["receiver 3", "relay 1"]);
  await daemon.stop();
});

Deno.test("one that dies after the reload is started again by the new plan", async () => {
  const { daemon, threads, clock } = await startDaemon("WORKERS = 1");
  await daemon.reload(await planOf("WORKERS = 1\nHOSTNAME = new.example"));
  threads.receivers[1]?.die("first");
  await settled();
  threads.relays[1]?.die("second");
  await clock.pass(1000);
  assert.deepEqual(threads.alive, ["receiver 0", "receiver 2", "relay 2"]);
  for (const part of [threads.receivers[2], threads.relays[2]]) {
    const start = part?.told.find(({ kind }) => kind === "start");
    assert(start?.kind === "start");
    assert.equal(start.configuration.mail.HOSTNAME, "new.example");
  }
  await daemon.stop();
});

Deno.test("a relay that dies when it is told to stop for a reload is followed by one relay, not two", async () => {
  const { daemon, threads, clock } = await startDaemon("WORKERS = 1");
  threads.relays[0]!.habit = () => [];
  const reloaded = daemon.reload(await planOf("WORKERS = 1"));
  await settled();
  threads.relays[0]?.die("too much");
  assert.equal(await reloaded, true);
  await clock.pass(MINUTE);
  assert.deepEqual(threads.alive, ["receiver 0", "receiver 1", "relay 1"]);
  await daemon.stop();
});

for (const pause of [0, 100]) {
  const state = pause === 0 ? "to be started again" : "starting again";
  Deno.test(`a relay that is ${state} at a reload is followed by one relay, not two`, async () => {
    const { daemon, threads, clock } = await startDaemon("WORKERS = 1");
    threads.relayHabit = ({ kind }) => kind === "stop" ? [{ kind: "stopped" }] : [];
    threads.relays[0]?.die("too much");
    await clock.pass(pause);
    threads.relayHabit = usualRelay;
    assert.equal(await daemon.reload(await planOf("WORKERS = 1")), true);
    await clock.pass(HOUR);
    assert.equal(threads.alive.filter((name) => name.startsWith("relay")).length, 1);
    assert.equal(threads.alive.at(-1), `relay ${threads.relays.length - 1}`);
    await daemon.stop();
  });
}

Deno.test("a new relay that dies at its start is started again once, and the reload holds", async () => {
  const { daemon, threads, clock } = await startDaemon("WORKERS = 1");
  threads.relayHabit = () => [];
  const reloaded = daemon.reload(await planOf("WORKERS = 1"));
  await settled();
  threads.relayHabit = usualRelay;
  threads.relays[1]?.die("too much");
  await clock.pass(MINUTE);
  assert.deepEqual(threads.alive, ["receiver 0", "receiver 1", "relay 2"]);
  assert.equal(await reloaded, true);
  await daemon.stop();
});

Deno.test("a reload has come to its end when nobody comes to the old receivers any more", async () => {
  const { daemon, threads } = await startDaemon("WORKERS = 1");
  const [old = assert.fail()] = threads.receivers;
  old.habit = () => [];
  let done = false;
  const reloaded = daemon.reload(await planOf("WORKERS = 1")).then(() => done = true);
  await settled();
  assert.deepEqual([old.kinds.at(-1), done], ["leave", false]);
  old.habit = usualReceiver;
  old.say({ kind: "left" });
  await reloaded;
  assert.ok(old.kinds.includes("retire"));
  await daemon.stop();
});
