/** What servers answer and what comes of it, end to end: RFC 5321 3, 4.2, 4.3. */

import assert from "node:assert/strict";
import { at, close, type Fault, type Faults, recipients, say, silent, type Step } from "./fault.ts";
import type { SimulatedServer } from "./server.ts";
import { DAY, HOUR, MINUTE, SECOND, World } from "./world.ts";

const FROM = "jones@me.example";

/** A world with the servers of a.test, the first of which has these faults. */
async function worldWith(
  faults: Faults,
  count = 1,
): Promise<{ world: World; servers: SimulatedServer[] }> {
  const world = await World.make();
  const rest = Array.from({ length: count - 1 }, () => ({}));
  return { world, servers: world.domain("a.test", { faults }, ...rest) };
}

/** A fault that happens once. */
function once(step: Step, fault: Fault): Faults {
  let times = 0;
  return (moment) => moment.step === step && ++times === 1 ? fault : undefined;
}

const FAILED = (world: World) => world.reports().filter(({ action }) => action === "failed");

Deno.test("a server that does not know EHLO gets the mail after HELO, bare of parameters (CL-12, CL-30)", async () => {
  for (const code of [500, 502, 504, 550]) {
    const { world, servers: [server] } = await worldWith(at("EHLO", say(`${code} what?`)));
    await world.submit({ from: FROM, to: ["x@a.test"] });
    await world.run(SECOND);
    assert.deepEqual(server?.commands.slice(0, 4), [
      "connect",
      "EHLO me.example",
      "HELO me.example",
      "MAIL FROM:<jones@me.example>",
    ]);
    assert.equal(server?.arrivals.length, 1);
  }
});

Deno.test("where one host does not greet the next gets the mail (CL-13)", async () => {
  for (const greeting of ["421 4.3.2 busy", "450 later", "554 5.3.2 no mail here", "521 no"]) {
    const { world, servers: [, second] } = await worldWith(at("greeting", say(greeting)), 2);
    await world.submit({ from: FROM, to: ["x@a.test"] });
    await world.run(MINUTE);
    assert.equal(second?.arrivals.length, 1, greeting);
  }
});

Deno.test("a domain whose only host says 554 as greeting is returned, 421 is waited for (CL-13)", async () => {
  const refused = await worldWith(at("greeting", say("554 no mail here")));
  await refused.world.submit({ from: FROM, to: ["x@a.test"] });
  await refused.world.run(MINUTE);
  assert.equal(FAILED(refused.world).length, 1);
  const busy = await worldWith(once("greeting", say("421 busy")));
  await busy.world.submit({ from: FROM, to: ["x@a.test"] });
  assert.ok(await busy.world.runUntilEmpty(HOUR));
  assert.equal(busy.servers[0]?.arrivals.length, 1);
});

const PATIENCE: readonly [Step, number][] = [
  ["greeting", 5],
  ["EHLO", 5],
  ["MAIL", 5],
  ["RCPT", 5],
  ["DATA", 2],
];

for (const [step, minutes] of PATIENCE) {
  Deno.test(`a server silent at ${step} has ${minutes} minutes, then the next host gets the mail (CL-14)`, async () => {
    const { world, servers: [, second] } = await worldWith(at(step, silent), 2);
    await world.submit({ from: FROM, to: ["x@a.test"] });
    await world.run(20 * MINUTE);
    assert.equal(second?.arrivals[0]?.time, world.began + minutes * MINUTE);
  });
}

Deno.test("the answer to the text has ten minutes, and no other host is asked then (CL-14, CL-20, BUG-30)", async () => {
  const { world, servers: [first, second] } = await worldWith(once("end", silent), 2);
  await world.submit({ from: FROM, to: ["x@a.test"] });
  await world.run(9 * MINUTE);
  assert.equal(world.network.open, 1);
  await world.run(MINUTE + SECOND);
  assert.equal(world.network.open, 0);
  assert.equal(second?.connections, 0);
  assert.ok(await world.runUntilEmpty(HOUR));
  assert.equal(first?.arrivals.length, 1);
});

Deno.test("where the text is on its way whole no other host is asked until the next attempt (CL-20, BUG-30)", async () => {
  for (const fault of [close, { kind: "reset" }] as const) {
    const { world, servers: [first, second] } = await worldWith(once("end", fault), 2);
    await world.submit({ from: FROM, to: ["x@a.test"] });
    await world.run(MINUTE);
    assert.deepEqual([first?.connections, second?.connections, world.queued.length], [1, 0, 1]);
    assert.ok(await world.runUntilEmpty(HOUR));
    assert.equal(first?.arrivals.length, 1);
  }
});

Deno.test("replies are told by their first digit, whatever else they are (CL-15)", async () => {
  const odd: Faults = ({ step }) =>
    step === "MAIL" ? say("250-x\r\n250 y") : step === "RCPT" ? say("299") : undefined;
  const { world, servers: [server] } = await worldWith(odd);
  await world.submit({ from: FROM, to: ["x@a.test"] });
  await world.run(SECOND);
  assert.equal(server?.arrivals.length, 1);
});

Deno.test("what is no reply ends the connection, and the mail waits (CL-15, CL-20)", async () => {
  for (const nonsense of ["650 what?", "no reply", "\x00\xff"]) {
    const { world, servers: [server] } = await worldWith(once("MAIL", say(nonsense)));
    await world.submit({ from: FROM, to: ["x@a.test"] });
    await world.run(MINUTE);
    assert.deepEqual([server?.arrivals.length, world.queued.length], [0, 1]);
    assert.ok(await world.runUntilEmpty(HOUR));
    assert.equal(server?.arrivals.length, 1);
    assert.deepEqual(world.mailbox("jones"), []);
  }
});

Deno.test("where nobody is accepted no text is sent (CL-16)", async () => {
  const { world, servers: [server] } = await worldWith(at("RCPT", say("550 5.1.1 nobody")));
  await world.submit({ from: FROM, to: ["x@a.test", "y@a.test"] });
  await world.run(MINUTE);
  assert.ok(!server?.commands.includes("DATA"));
  assert.deepEqual([...FAILED(world)[0]?.recipients.keys() ?? []], ["x@a.test", "y@a.test"]);
});

Deno.test("one recipient is delivered, one waits, one is returned (CL-17, DSN-7)", async () => {
  const { world, servers: [server] } = await worldWith(
    recipients({ later: say("450 4.2.1 full"), never: say("550 5.1.1 nobody") }),
  );
  await world.submit({ from: FROM, to: ["now@a.test", "later@a.test", "never@a.test"] });
  await world.run(MINUTE);
  assert.deepEqual(server?.arrivals.map((arrival) => arrival.recipients), [["now@a.test"]]);
  assert.deepEqual([...FAILED(world)[0]?.recipients ?? []], [["never@a.test", "5.1.1"]]);
  server!.faults = () => undefined;
  assert.ok(await world.runUntilEmpty(HOUR));
  assert.deepEqual(server?.arrivals.map((arrival) => arrival.recipients), [
    ["now@a.test"],
    ["later@a.test"],
  ]);
  assert.equal(world.mailbox("jones").length, 1);
});

for (const code of [452, 552]) {
  Deno.test(`a server that has enough with ${code} gets the rest in other transactions (CL-18)`, async () => {
    const { world, servers: [server] } = await worldWith(({ count = 0 }) =>
      count > 3
        ? say(`${code} 4.5.3 too many recipients`.replace("4.5", `${code}`[0] + ".5"))
        : undefined
    );
    const to = Array.from({ length: 10 }, (_, i) => `x${i}@a.test`);
    await world.submit({ from: FROM, to });
    await world.run(MINUTE);
    assert.deepEqual(server?.arrivals.map((arrival) => arrival.recipients.length), [3, 3, 3, 1]);
    assert.deepEqual(world.mailbox("jones"), []);
  });
}

Deno.test("a hundred recipients go at once, 250 in three transactions (CL-18, CL-23)", async () => {
  const { world, servers: [server] } = await worldWith(() => undefined);
  await world.submit({ from: FROM, to: Array.from({ length: 250 }, (_, i) => `x${i}@a.test`) });
  await world.run(MINUTE);
  assert.deepEqual(server?.arrivals.map((arrival) => arrival.recipients.length), [100, 100, 50]);
  assert.equal(server?.connections, 1);
});

Deno.test("the answer to the text is for everybody (CL-19)", async () => {
  for (const [text, reports] of [["451 4.3.0 later", 0], ["554 5.6.0 no", 1]] as const) {
    const { world, servers: [server] } = await worldWith(once("end", say(text)));
    await world.submit({ from: FROM, to: ["x@a.test", "y@a.test"] });
    assert.ok(await world.runUntilEmpty(HOUR));
    assert.equal(server?.arrivals.length, 1 - reports);
    assert.deepEqual(FAILED(world).map(({ recipients }) => recipients.size), reports ? [2] : []);
  }
});

Deno.test("a connection that breaks is for now, wherever it breaks (CL-20)", async () => {
  const steps = ["connect", "greeting", "EHLO", "MAIL", "RCPT", "DATA", "text", "end"] as const;
  for (const step of steps) {
    for (const fault of [close, { kind: "reset" } as const]) {
      const { world, servers: [server] } = await worldWith(once(step, fault));
      await world.submit({ from: FROM, to: ["x@a.test"] });
      assert.ok(await world.runUntilEmpty(DAY), step);
      assert.equal(server?.arrivals.length, 1, step);
      assert.deepEqual(world.mailbox("jones"), [], step);
    }
  }
});

Deno.test("after the text a close may mean a second copy, never none (CL-20)", async () => {
  const { world, servers: [server] } = await worldWith(once("end", { ...close, stored: true }));
  await world.submit({ from: FROM, to: ["x@a.test"] });
  assert.ok(await world.runUntilEmpty(HOUR));
  assert.deepEqual(server?.arrivals.map(({ confirmed }) => confirmed), [false, true]);
});

Deno.test("a sender that is refused once does not stand for the next message (CL-21)", async () => {
  const { world, servers: [server] } = await worldWith(once("MAIL", say("550 5.7.1 not that one")));
  await world.submit({ from: FROM, to: ["x@a.test"] });
  await world.submit({ from: FROM, to: ["y@a.test"] });
  await world.run(MINUTE);
  assert.equal(FAILED(world).length, 1);
  assert.equal(server?.arrivals.length, 1);
});

Deno.test("one transaction for all recipients of a server, one for each domain (CL-23)", async () => {
  const world = await World.make();
  const [a] = world.domain("a.test", {});
  const [b] = world.domain("b.test", {});
  await world.submit({ from: FROM, to: ["x@a.test", "y@b.test", "z@A.TEST"] });
  await world.run(MINUTE);
  assert.deepEqual(a?.arrivals.map((arrival) => arrival.recipients), [["x@a.test", "z@A.TEST"]]);
  assert.deepEqual(b?.arrivals.map((arrival) => arrival.recipients), [["y@b.test"]]);
  assert.equal(world.network.dials.length, 2);
});

Deno.test("QUIT is the last word, and its answer is waited for (CL-27)", async () => {
  const { world, servers: [server] } = await worldWith(() => undefined);
  await world.submit({ from: FROM, to: ["x@a.test"] });
  await world.run(500);
  await world.submit({ from: FROM, to: ["y@a.test"] });
  await world.run(MINUTE);
  assert.equal(server?.commands.at(-1), "QUIT");
  assert.equal(server?.commands.filter((command) => command === "QUIT").length, 1);
  assert.equal(server?.arrivals.length, 2);
});
