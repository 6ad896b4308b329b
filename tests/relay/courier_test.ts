/** Who goes when: how many at once, in which order, and what is left when it ends. */

import assert from "node:assert/strict";
import { LIMITS } from "../../src/relay/limits.ts";
import { replyText } from "../../src/smtp/reply.ts";
import { idOf, MINUTE } from "../queue/messages.ts";
import { settled } from "../support/settled.ts";
import { type Depot, openDepot } from "./depot.ts";

const LINGER = 1000;

/** The numbers from 1 to this. */
const count = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

const destinations = ({ busy }: Depot) => busy.map(({ destination }) => destination);

Deno.test("so many destinations are served at once; who waits for a place comes in turn", async () => {
  const depot = await openDepot({ destinations: 2 });
  for (const domain of ["a.y", "b.y", "c.y", "d.y"]) await depot.receive(`jones@${domain}`);
  assert.deepEqual(destinations(depot), ["a.y", "b.y"]);
  await depot.busy[1]?.arrive();
  assert.deepEqual(destinations(depot), ["a.y", "c.y"]);
  await depot.busy[0]?.arrive();
  assert.deepEqual(destinations(depot), ["c.y", "d.y"]);
  for (const carrier of depot.busy) await carrier.arrive();
  assert.equal(depot.carriers.length, 4);
});

Deno.test("who needs nobody's answer is served though all places are taken", async () => {
  const depot = await openDepot({ destinations: 2 });
  for (const domain of ["a.y", "b.y", "c.y", "first.test"]) await depot.receive(`jones@${domain}`);
  assert.deepEqual(destinations(depot), ["a.y", "b.y", "first.test"]);
  await depot.busy[2]?.arrive();
  // And leaves no place behind that it never had.
  assert.deepEqual(destinations(depot), ["a.y", "b.y"]);
});

Deno.test("so many carriers go to one destination, and take who comes next in order (CL-27)", async () => {
  const depot = await openDepot({ carriers: 2 });
  for (let n = 1; n <= 5; n++) await depot.receive("jones@a.y");
  const [first, second, ...others] = depot.carriers;
  assert(first && second && others.length === 0);
  await second.arrive();
  await second.arrive();
  await first.arrive();
  assert.deepEqual([first.carried, second.carried], [[1, 5], [2, 3, 4]]);
  assert.equal(depot.carriers.length, 2);
});

Deno.test("recipients of one destination go together, those of others each with their own (CL-23)", async () => {
  const depot = await openDepot();
  await depot.receive("jones@a.y", "smith@b.y", "green@a.y");
  assert.deepEqual(destinations(depot), ["a.y", "b.y"]);
  await depot.busy[0]?.arrive(450);
  const [jones, smith, green] = await depot.recipientsOf(1);
  assert.deepEqual([jones, smith, green].map((one) => one?.last !== undefined), [
    true,
    false,
    true,
  ]);
});

Deno.test("a carrier with nothing to do waits a moment for the next message, then rests", async () => {
  const depot = await openDepot({ linger: LINGER });
  await depot.receive("jones@a.y");
  const [carrier] = depot.carriers;
  assert(carrier);
  await carrier.arrive();
  await depot.office.clock.pass(LINGER - 1);
  assert.ok(!carrier.rested);
  await depot.receive("smith@a.y");
  assert.deepEqual(carrier.carried, [1, 2]);
  await carrier.arrive();
  await depot.office.clock.pass(LINGER);
  assert.ok(carrier.rested);
  await depot.receive("green@a.y");
  assert.deepEqual(depot.carriers.map(({ carried }) => carried), [[1, 2], [3]]);
});

Deno.test("a carrier with nothing to do gives its place to a destination that waits", async () => {
  const depot = await openDepot({ destinations: 1, linger: LINGER });
  await depot.receive("jones@a.y");
  await depot.busy[0]?.arrive();
  assert.ok(!depot.carriers[0]?.rested);
  await depot.receive("smith@b.y");
  assert.ok(depot.carriers[0]?.rested);
  assert.deepEqual(destinations(depot), ["b.y"]);
});

Deno.test("after its turn a carrier gives its place up, and its line gets one again", async () => {
  const depot = await openDepot({ destinations: 1, carriers: 1, turn: 2 });
  for (let n = 1; n <= 4; n++) await depot.receive("jones@a.y");
  await depot.receive("smith@b.y");
  const order: string[] = [];
  for (let [carrier] = depot.busy; carrier; [carrier] = depot.busy) {
    order.push(`${carrier.destination} ${carrier.carried.at(-1)}`);
    await carrier.arrive();
  }
  assert.deepEqual(order, ["a.y 1", "a.y 2", "b.y 5", "a.y 3", "a.y 4"]);
});

Deno.test("where many wait more carriers come, up to a limit, and where few wait they do not", async () => {
  const depot = await openDepot({ carriers: 2, mostCarriers: 4, crowd: 3 });
  const receive = async (count: number) => {
    for (let n = 0; n < count; n++) await depot.receive("jones@a.y");
    return depot.busy.length;
  };
  assert.deepEqual([await receive(1), await receive(1), await receive(6)], [1, 2, 2]);
  assert.deepEqual([await receive(3), await receive(20)], [3, 4]);
  for (let [carrier] = depot.busy; carrier; [carrier] = depot.busy) await carrier.arrive();
  assert.deepEqual(depot.carriedTo("a.y").toSorted((a, b) => a - b), count(31));
  assert.deepEqual(depot.office.spooled, []);
});

Deno.test("more carriers come one after the other, each when the others are connected", async () => {
  const depot = await openDepot({ carriers: 1, mostCarriers: 4, crowd: 2 });
  depot.newCarriersAt = undefined;
  for (const _ of count(20)) await depot.receive("jones@a.y");
  assert.equal(depot.carriers.length, 1);
  for (const n of count(3)) {
    for (const carrier of depot.carriers) carrier.connectedTo = "there";
    await depot.busy[0]?.arrive();
    assert.equal(depot.carriers.length, 1 + n);
  }
});

Deno.test("a carrier that a host does not want leaves its message to those who are connected", async () => {
  const depot = await openDepot({ carriers: 3, mostCarriers: 3 });
  for (const _ of count(9)) await depot.receive("jones@a.y");
  const [first, second, third] = depot.busy;
  assert(first && second && third);
  await third.turnedAway();
  assert.ok(third.rested);
  await second.arrive();
  await first.arrive();
  // The one that was left comes next, and nobody takes the place of the one that has gone.
  assert.deepEqual([first.carried, second.carried], [[1, 4], [2, 3]]);
  for (let [carrier] = depot.busy; carrier; [carrier] = depot.busy) await carrier.arrive();
  assert.equal(depot.carriers.length, 3);
  assert.deepEqual(depot.carriedTo("a.y").toSorted((a, b) => a - b), [
    1,
    2,
    3,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
  ]);
  assert.equal(depot.office.spooled.length, 0);
  // One attempt each.
  assert.equal(depot.office.log.fieldsOf("message deferred").length, 0);
});

Deno.test("a message that is left to others is put back at a stop", async () => {
  const depot = await openDepot({ carriers: 2 });
  for (const _ of count(2)) await depot.receive("jones@a.y");
  const [first, second] = depot.busy;
  const stop = depot.courier.stop(MINUTE);
  await second?.turnedAway();
  await first?.arrive();
  await stop;
  const [jones] = await depot.recipientsOf(2);
  assert.deepEqual([jones?.state, jones?.attempts], ["waiting", 0]);
});

Deno.test("of many carriers some may take long, and the others go on", async () => {
  const depot = await openDepot({ carriers: 1, mostCarriers: 3, crowd: 2 });
  for (let n = 0; n < 9; n++) await depot.receive("jones@a.y");
  const [first, ...others] = depot.busy;
  assert.equal(others.length, 2);
  for (const one of others) await one.arrive();
  await depot.office.clock.pass(LIMITS.patience - 1);
  for (const one of others) await one.arrive();
  await depot.office.clock.pass(1);
  for (let busy = others; busy.length > 0; busy = others.filter((one) => one.busy)) {
    await busy[0]!.arrive();
  }
  assert.deepEqual(depot.carriedTo("a.y").toSorted((a, b) => a - b), count(9));
  await first!.arrive();
  assert.deepEqual(depot.office.spooled, []);
});

Deno.test("where nobody else waits a carrier goes on after its turn", async () => {
  const depot = await openDepot({ carriers: 1, turn: 2 });
  for (let n = 1; n <= 5; n++) await depot.receive("jones@a.y");
  for (let [carrier] = depot.busy; carrier; [carrier] = depot.busy) await carrier.arrive();
  assert.deepEqual(depot.carriers.map(({ carried }) => carried), [[1, 2, 3, 4, 5]]);
});

Deno.test("who finds a line too long waits on the disk, untried, and comes when it is shorter", async () => {
  const depot = await openDepot({ carriers: 1, line: 4 });
  for (let n = 1; n <= 12; n++) await depot.receive("jones@a.y");
  const attempts = async () => {
    const all = Array.from({ length: 12 }, (_, i) => depot.recipientsOf(i + 1));
    return (await Promise.all(all)).map(([jones]) => jones?.attempts);
  };
  // One is on its way and four wait in the line.
  assert.deepEqual(await attempts(), [1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(depot.office.queue.active, 5);
  const began = depot.office.clock.now();
  for (let [carrier] = depot.busy; carrier; [carrier] = depot.busy) await carrier.arrive();
  assert.deepEqual(depot.carriedTo("a.y"), Array.from({ length: 12 }, (_, i) => i + 1));
  assert.equal(depot.office.clock.now(), began);
  assert.equal(depot.office.spooled.length, 0);
});

/** Twelve messages for one destination that were tried once, all due again at one moment. */
async function crowd(depot: Depot): Promise<void> {
  for (const _ of count(12)) await depot.receive("jones@a.y");
  for (let [carrier] = depot.busy; carrier; [carrier] = depot.busy) await carrier.arrive(450);
}

Deno.test("of many that are due at one moment no more begin than there is room for", async () => {
  const depot = await openDepot({ carriers: 1, line: 4 });
  await crowd(depot);
  const sync = Promise.withResolvers<void>();
  depot.office.disk.before = (operation) => {
    return /^sync .*journal/.test(operation) ? sync.promise : undefined;
  };
  await depot.office.queue.hastenAll();
  await settled();
  assert.ok(depot.office.queue.active <= 5, `${depot.office.queue.active}`);
  sync.resolve();
  await settled();
  for (let [carrier] = depot.busy; carrier; [carrier] = depot.busy) await carrier.arrive();
  assert.equal(depot.carriedTo("a.y").length, 24);
  assert.equal(depot.office.spooled.length, 0);
});

Deno.test("who waits on the disk is called for when there is room, and not before", async () => {
  const depot = await openDepot({ carriers: 1, line: 10 });
  const { queue } = depot.office;
  let taken = 0;
  const take = queue.take.bind(queue);
  queue.take = async () => {
    const message = await take();
    if (message) taken++;
    return message;
  };
  for (const _ of count(100)) await depot.receive("jones@a.y");
  // A disk that takes as long as two messages.
  let syncs = Promise.withResolvers<void>();
  depot.office.disk.before = (operation) => {
    return /^sync .*journal/.test(operation) ? syncs.promise : undefined;
  };
  let arrived = 0;
  for (let [carrier] = depot.busy; carrier; [carrier] = depot.busy) {
    await carrier.arrive();
    if (++arrived % 2 === 1 && depot.busy.length > 0) continue;
    syncs.resolve();
    await settled();
    syncs = Promise.withResolvers();
  }
  assert.equal(depot.carriedTo("a.y").length, 100);
  // Ninety found no room when they came.
  assert.ok(taken <= 200, `${taken}`);
});

Deno.test("a line goes on calling for its messages while many others are due", async () => {
  const depot = await openDepot({ carriers: 1, line: 4, messages: 12 });
  for (const _ of count(40)) await depot.receive("jones@a.y");
  for (const n of count(400)) await depot.receive(`smith@${n}.y`);
  for (const _ of count(45)) {
    for (const carrier of depot.busy) if (carrier.busy) await carrier.arrive();
    await depot.office.clock.pass(100);
  }
  assert.equal(depot.carriedTo("a.y").length, 40);
});

Deno.test("who made room for others and could not begin is no reason for those to wait", async () => {
  const depot = await openDepot({ carriers: 1, line: 4 });
  await crowd(depot);
  // So that the next line of the journal begins a file.
  await depot.office.clock.pass(2 * LINGER);
  depot.office.fail(/^create .*journal/);
  await depot.office.queue.hastenAll();
  await settled();
  assert.equal(depot.carriedTo("a.y").length, 12);
  depot.office.heal();
  await depot.office.clock.pass(2 * MINUTE);
  for (let [carrier] = depot.busy; carrier; [carrier] = depot.busy) await carrier.arrive();
  assert.equal(depot.carriedTo("a.y").length, 24);
});

Deno.test("a long line keeps nobody from another destination, and who was there is not asked again", async () => {
  const depot = await openDepot({ carriers: 1, line: 1 });
  for (let n = 1; n <= 2; n++) await depot.receive("jones@slow.y");
  await depot.receive("jones@slow.y", "smith@b.y");
  assert.deepEqual(depot.carriedTo("b.y"), [3]);
  const [slow, b] = depot.busy;
  assert(slow && b);
  await b.arrive(450);
  for (let n = 1; n <= 3; n++) await slow.arrive();
  assert.deepEqual(depot.carriedTo("slow.y"), [1, 2, 3]);
  assert.deepEqual(depot.carriedTo("b.y"), [3]);
  const [jones, smith] = await depot.recipientsOf(3);
  assert.deepEqual([jones?.state, smith?.state], ["delivered", "waiting"]);
});

Deno.test("a long line does not put off the next attempt at another destination (CL-22)", async () => {
  const depot = await openDepot({ carriers: 1, line: 1 });
  for (let n = 1; n <= 2; n++) await depot.receive("jones@slow.y");
  await depot.receive("jones@slow.y", "smith@b.y");
  await depot.busy[1]?.arrive(450);
  await depot.office.clock.pass(5 * MINUTE);
  assert.deepEqual(depot.carriedTo("b.y"), [3, 3]);
});

Deno.test("so many messages are in memory; the next is taken when one is released", async () => {
  const depot = await openDepot({ carriers: 1, messages: 3 });
  for (let n = 1; n <= 5; n++) await depot.receive("jones@a.y");
  assert.equal(depot.office.queue.active, 3);
  for (let [carrier] = depot.busy; carrier; [carrier] = depot.busy) {
    assert.ok(depot.office.queue.active <= 3);
    await carrier.arrive();
  }
  assert.deepEqual(depot.carriedTo("a.y"), [1, 2, 3, 4, 5]);
});

Deno.test("a message removed while it waits in line is carried nowhere", async () => {
  const depot = await openDepot({ carriers: 1 });
  for (let n = 1; n <= 3; n++) await depot.receive("jones@a.y");
  const removed = depot.office.queue.remove(idOf(2));
  await depot.busy[0]?.arrive();
  await depot.busy[0]?.arrive();
  assert.ok(await removed);
  assert.deepEqual(depot.carriedTo("a.y"), [1, 3]);
  assert.equal(depot.office.spooled.length, 0);
});

Deno.test("a carrier that stumbles is told of, its message waits, and the next one goes", async () => {
  const depot = await openDepot({ carriers: 1 });
  for (let n = 1; n <= 2; n++) await depot.receive("jones@a.y");
  await depot.busy[0]?.stumble();
  assert.deepEqual(depot.office.log.fieldsOf("relay failed"), [
    { id: idOf(1), error: "Error: stumbled" },
  ]);
  const [jones] = await depot.recipientsOf(1);
  assert.deepEqual([jones?.state, jones?.attempts], ["waiting", 1]);
  assert.ok((jones?.nextAttempt ?? 0) > depot.office.clock.now());
  assert.deepEqual(depot.carriedTo("a.y"), [1, 2]);
});

/** What is recorded of the nth message's one recipient. */
async function recordOf(depot: Depot, n: number) {
  const [recipient] = await depot.recipientsOf(n);
  const { state, attempts, last } = recipient ?? assert.fail();
  return [state, attempts, last && replyText(last.reply)];
}

/** What nobody carried is as if nothing had been tried. */
const PUT_BACK = ["waiting", 0, undefined];

Deno.test("a stop lets end what is under way; what nobody carried is cut short and begun no more", async () => {
  const depot = await openDepot({ carriers: 1 });
  for (let n = 1; n <= 3; n++) await depot.receive("jones@a.y");
  const stopped = depot.courier.stop(10_000);
  await depot.receive("jones@b.y");
  await depot.office.clock.pass(9_999);
  const [carrier, ...others] = depot.carriers;
  assert(carrier && others.length === 0);
  assert.ok(!carrier.aborted);
  await carrier.arrive();
  await stopped;
  assert.ok(carrier.rested && !carrier.aborted);
  assert.deepEqual(carrier.carried, [1]);
  await assert.rejects(depot.recipientsOf(1), Deno.errors.NotFound);
  for (const n of [2, 3, 4]) assert.deepEqual(await recordOf(depot, n), PUT_BACK);
  assert.equal(depot.office.clock.pending, 0);
});

Deno.test("a stop aborts what lasts longer than its grace", async () => {
  const depot = await openDepot({ carriers: 1 });
  for (const domain of ["a.y", "b.y"]) await depot.receive(`jones@${domain}`);
  const stopped = depot.courier.stop(10_000);
  await depot.busy[0]?.arrive(450);
  await depot.office.clock.pass(10_000);
  await stopped;
  assert.deepEqual(depot.carriers.map(({ aborted }) => aborted), [false, true]);
  assert.deepEqual(await recordOf(depot, 1), ["waiting", 1, "450 4.0.0 reply 450"]);
  const interrupted = "451 4.3.2 This host shut down before there was an answer";
  assert.deepEqual(await recordOf(depot, 2), ["waiting", 0, interrupted]);
  assert.equal(depot.office.clock.pending, 0);
});

Deno.test("a stop does not wait for a carrier that has nothing to do", async () => {
  const depot = await openDepot({ linger: LINGER });
  await depot.receive("jones@a.y");
  await depot.busy[0]?.arrive();
  await depot.courier.stop(10_000);
  assert.ok(depot.carriers[0]?.rested);
  assert.equal(depot.office.clock.pending, 0);
});

Deno.test("a queue that cannot be listed is told of, and looked at again after a minute", async () => {
  const depot = await openDepot({ carriers: 1, messages: 1 }, 1);
  for (let n = 1; n <= 4; n++) await depot.receive("jones@a.y");
  depot.office.fail(/^list /);
  for (let [carrier] = depot.busy; carrier; [carrier] = depot.busy) await carrier.arrive();
  const carried = depot.carriedTo("a.y");
  assert.ok(carried.length < 4, "the schedule has forgotten some");
  assert.deepEqual(depot.office.log.fieldsOf("queue trouble"), [
    { error: "Error: no list /spool/queue" },
  ]);
  depot.office.heal();
  await depot.office.clock.pass(60_000);
  for (let [carrier] = depot.busy; carrier; [carrier] = depot.busy) await carrier.arrive();
  assert.deepEqual(depot.carriedTo("a.y").sort(), [1, 2, 3, 4]);
});
