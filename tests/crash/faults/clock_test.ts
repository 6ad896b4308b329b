/** A clock that is set, forth or back: nothing is forgotten, held back or given up for it. */

import assert from "node:assert/strict";
import { readMailbox, startDaemon } from "../../support/daemon.ts";
import { skippable } from "../../support/programs.ts";
import { startRecordingServer } from "../../support/recording_server.ts";
import { greetedClient, submit, transaction } from "../../support/submit.ts";
import { loggedLine, until } from "../../support/until.ts";
import { emptied } from "../../support/waiting.ts";
import { at, close } from "../../simulation/fault.ts";
import { DAY, HOUR, MINUTE, World } from "../../simulation/world.ts";
import { noOtherTime, SettableClock } from "./fast_clock.ts";

const LETTER = { from: "jones@me.example", to: ["x@a.test"] };

/** A world with a letter for a host that does not answer: tried after 0, 5, 20, 50, 110 ... minutes. */
async function withOneWaiting(settings?: string) {
  const world = await World.make(1, settings);
  const [server] = world.domain("a.test", { faults: at("connect", close) });
  await world.submit(LETTER);
  const tries = () => world.network.dials.length;
  const set = (by: number) => world.clock.set(world.clock.now() + by);
  return { world, server: server!, tries, set };
}

for (const back of [10 * MINUTE, HOUR, 30 * DAY]) {
  Deno.test(`set back by ${back / MINUTE} minutes: the next attempt comes when it would have`, async () => {
    const { world, server, tries, set } = await withOneWaiting();
    await world.run(60 * MINUTE);
    assert.equal(tries(), 4);
    set(-back);
    await world.run(49 * MINUTE);
    assert.equal(tries(), 4);
    await world.run(2 * MINUTE);
    assert.equal(tries(), 5);
    await world.run(118 * MINUTE);
    assert.equal(tries(), 5);
    server.faults = () => undefined;
    await world.run(3 * MINUTE);
    assert.equal(server.arrivals.length, 1);
    assert.deepEqual([world.queued, world.reports()], [[], []]);
  });
}

Deno.test("set back while other mail comes and goes: the same", async () => {
  const { world, tries, set } = await withOneWaiting();
  const [other] = world.domain("b.test", {});
  await world.run(60 * MINUTE);
  set(-HOUR);
  for (let minute = 0; minute < 51; minute++) {
    await world.submit({ ...LETTER, to: ["x@b.test"] });
    await world.run(MINUTE);
  }
  assert.equal(other!.arrivals.length, 51);
  assert.equal(tries(), 5 + other!.connections);
});

Deno.test("set forth and back: tried at once, and then again when it is time", async () => {
  const { world, tries, set } = await withOneWaiting();
  await world.run(60 * MINUTE);
  set(HOUR);
  await world.run(MINUTE);
  assert.equal(tries(), 5);
  set(-HOUR);
  await world.run(118 * MINUTE);
  assert.equal(tries(), 5);
  await world.run(2 * MINUTE);
  assert.equal(tries(), 6);
});

Deno.test("mail that came while the clock was ahead is tried like any other", async () => {
  const { world, tries, set } = await withOneWaiting();
  set(HOUR);
  await world.submit(LETTER);
  await world.run(MINUTE);
  const before = tries();
  set(-HOUR);
  await world.run(20 * MINUTE);
  assert.ok(tries() > before);
  assert.deepEqual(world.reports(), []);
});

Deno.test("no clock that is set forth gives up mail without another attempt", async () => {
  for (const forth of [HOUR, 30 * DAY]) {
    const { world, server, set } = await withOneWaiting("QUEUE_LIFETIME = 1d");
    await world.run(DAY - 30 * MINUTE);
    server.faults = () => undefined;
    set(forth);
    await world.run(HOUR);
    assert.equal(server.arrivals.length, 1);
    assert.deepEqual(world.reports().filter(({ action }) => action === "failed"), []);
  }
});

Deno.test("after a restart mail that was to wait for days is tried within the longest delay", async () => {
  const { world, tries, set } = await withOneWaiting();
  set(4 * DAY);
  await world.run(MINUTE);
  const before = tries();
  await world.stop();
  set(-4 * DAY);
  await world.start();
  await world.run(4 * HOUR);
  assert.ok(tries() > before);
  assert.equal(world.queued.length, 1);
});

Deno.test({
  ...skippable("the daemon's clock goes an hour forth and back", noOtherTime),
  fn: async () => {
    let answer: string | undefined = "450 4.2.0 Later";
    await using host = startRecordingServer({
      reply: (command) => command.startsWith("RCPT") ? answer : undefined,
    });
    await using clock = await SettableClock.make();
    await using daemon = await startDaemon({
      mail: `${host.setting}\nRETRY_DELAYS = 1s\nCLIENT_TIMEOUT = 20`,
      under: clock.under,
    });
    const here = await greetedClient(daemon.port);
    const ids: string[] = [];
    for (const seconds of [0, 3600, 0]) {
      await clock.set(seconds);
      ids.push(await submit(daemon.port, { to: ["fred@far.example"] }));
      for (let i = 0; i < 5; i++) {
        const reply = await transaction(here, { to: ["jones@me.example"] });
        assert.match(reply, /^250 /);
        ids.push(reply.split(" ").at(-1)!);
      }
      const tries = () => daemon.log().match(/ message deferred /g)?.length ?? 0;
      const before = tries();
      await until("another attempt for each", () => tries() > before + ids.length / 6);
    }
    await loggedLine(daemon, " warn clock set back ");
    answer = undefined;
    await host.took(3);
    await emptied(daemon);
    here.close();
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(ids, ids.toSorted());
    assert.equal((await readMailbox(`${daemon.folder}/mail/jones`)).length, 15);
    assert.doesNotMatch(daemon.log(), /timed out|message returned|message failed/);
  },
});
