/** Where mail goes, end to end: RFC 5321 5.1, RFC 7505. */

import assert from "node:assert/strict";
import { Spool } from "../../src/queue/spool.ts";
import { message, recipient } from "../queue/messages.ts";
import { TEXT } from "../queue/office.ts";
import { put } from "../queue/spooled.ts";
import { UNNAMED_ADDRESS } from "./configuration.ts";
import { at, close, silent } from "./fault.ts";
import { DAY, MINUTE, OWN_ADDRESS, SECOND, World } from "./world.ts";

/** The mail must come back at once, with this status, and nobody be connected to. */
async function returned(world: World, to: string, status: string): Promise<void> {
  await world.submit({ from: "jones@me.example", to: [to] });
  await world.run(SECOND);
  assert.deepEqual(world.reports().map(({ action, recipients }) => [action, [...recipients]]), [
    ["failed", [[to, status]]],
  ]);
  assert.deepEqual(world.queued, []);
  assert.deepEqual(world.network.dials, []);
}

Deno.test("a domain that does not exist is returned at once (CL-2, DSN-6)", async () => {
  await returned(await World.make(), "x@none.test", "5.1.2");
});

Deno.test("trouble with name service is waited for, without a word (CL-2)", async () => {
  const world = await World.make();
  const [server] = world.domain("a.test", {});
  world.names.fault = () => "trouble";
  await world.submit({ from: "jones@me.example", to: ["x@a.test"] });
  await world.run(MINUTE);
  assert.equal(world.queued.length, 1);
  world.names.fault = () => undefined;
  assert.ok(await world.runUntilEmpty(DAY));
  assert.equal(server?.arrivals.length, 1);
  assert.deepEqual(world.mailbox("jones"), []);
});

Deno.test("a domain without MX records gets its mail itself (CL-2)", async () => {
  const world = await World.make();
  const server = world.server("a.test");
  await world.submit({ from: "", to: ["x@a.test"] });
  await world.run(SECOND);
  assert.deepEqual(server.arrivals[0]?.recipients, ["x@a.test"]);
});

Deno.test("where no MX host has an address the domain's own is not used (CL-3)", async () => {
  const world = await World.make();
  world.server("a.test");
  world.know("a.test", { mx: ["10 mx.a.test"], at: ["198.18.0.0"] });
  world.know("mx.a.test", {});
  await returned(world, "x@a.test", "5.4.4");
});

Deno.test("the hosts of a domain are tried in their order within one attempt (CL-1, CL-4)", async () => {
  const world = await World.make();
  const refuses = { faults: at("connect", close) };
  const [, , third, fourth] = world.domain("a.test", refuses, refuses, {}, {});
  world.know("a.test", { mx: ["30 mx3.a.test", "5 mx1.a.test", "40 mx4.a.test", "20 mx2.a.test"] });
  await world.submit({ from: "", to: ["x@a.test"] });
  await world.run(SECOND);
  assert.equal(third?.arrivals.length, 1);
  assert.equal(fourth?.connections, 0);
  assert.equal(world.network.dials.length, 3);
});

Deno.test("hosts of equal preference share the connections (CL-4)", async () => {
  const world = await World.make();
  const [one, two] = world.domain("a.test", {}, {});
  world.know("a.test", { mx: ["10 mx1.a.test", "10 mx2.a.test"] });
  for (let i = 0; i < 100; i++) {
    await world.submit({ from: "", to: ["x@a.test"] });
    await world.run(3 * SECOND);
  }
  assert.ok(one && two && one.connections + two.connections === 100);
  assert.ok(one.connections > 25 && two.connections > 25, `${one.connections} of 100`);
});

Deno.test("the second address of a host is tried in the same attempt (CL-5)", async () => {
  const world = await World.make();
  const first = ({ connection }: { connection: number }) => connection === 1 ? close : undefined;
  const server = world.server("mx.a.test", {
    faults: (moment) => moment.step === "connect" ? first(moment) : undefined,
  }, "198.18.7.7");
  world.know("a.test", { mx: ["10 mx.a.test"] });
  await world.submit({ from: "", to: ["x@a.test"] });
  await world.run(SECOND);
  assert.equal(server.arrivals.length, 1);
  assert.deepEqual(world.network.dials.map(({ address }) => address), ["198.18.0.0", "198.18.7.7"]);
});

Deno.test("an address that does not answer costs half a minute, then the next is tried (CL-5)", async () => {
  const world = await World.make();
  const [, second] = world.domain("a.test", { faults: at("connect", silent) }, {});
  await world.submit({ from: "", to: ["x@a.test"] });
  await world.run(MINUTE);
  assert.equal(second?.arrivals[0]?.time, world.began + 30 * SECOND);
});

Deno.test("an MX record that names an address or an alias does no harm (CL-6)", async () => {
  const world = await World.make();
  const server = world.server("real.test");
  // What name service says of an alias are the addresses of its target.
  world.know("alias.test", { at: ["198.18.0.0"] });
  world.know("a.test", { mx: ["10 198.18.0.77", "20 alias.test"] });
  await world.submit({ from: "", to: ["x@a.test"] });
  await world.run(SECOND);
  assert.equal(server.arrivals.length, 1);
  assert.deepEqual(world.network.dials.map(({ address }) => address), ["198.18.0.0"]);
});

Deno.test("where this host is among the MX hosts only better ones get the mail (CL-7)", async () => {
  const world = await World.make();
  const [better, worse] = world.domain("a.test", { faults: at("connect", close) }, {});
  world.know("a.test", { mx: ["10 mx1.a.test", "20 me.example", "30 mx2.a.test"] });
  await world.submit({ from: "", to: ["x@a.test"] });
  await world.run(DAY);
  assert.ok(better && better.connections > 5);
  assert.equal(worse?.connections, 0);
});

Deno.test("mail that could only come back here is returned (CL-7, DSN-6)", async () => {
  const world = await World.make();
  world.know("a.test", { mx: ["10 me.example"] });
  world.know("me.example", { at: [OWN_ADDRESS] });
  await returned(world, "x@a.test", "5.4.6");
});

Deno.test("mail that leads to this host under another name is returned (CL-7)", async () => {
  const world = await World.make();
  world.know("a.test", { mx: ["10 other.test"] });
  world.know("other.test", { at: [OWN_ADDRESS] });
  await returned(world, "x@a.test", "5.4.6");
});

Deno.test("a null MX is returned at once (CL-8, DSN-6)", async () => {
  const world = await World.make();
  world.know("a.test", { mx: ["0 ."], at: ["198.18.0.0"] });
  await returned(world, "x@a.test", "5.1.10");
});

Deno.test("an MX host called localhost or at a loopback address is not connected to (CL-9)", async () => {
  const world = await World.make();
  world.know("a.test", { mx: ["10 localhost", "20 here.test"] });
  world.know("localhost", { at: ["127.0.0.1"] });
  world.know("here.test", { at: ["127.0.0.1", "::1", "0.0.0.0"] });
  await returned(world, "x@a.test", "5.4.4");
});

Deno.test("a name without dots is asked for as it is (CL-10)", async () => {
  const world = await World.make();
  await world.submit({ from: "jones@me.example", to: ["x@sub"] });
  await world.run(SECOND);
  assert.deepEqual(world.names.asked, ["MX sub"]);
  assert.equal(world.reports().length, 1);
});

Deno.test("mail for an address literal goes to that address, unasked (CL-11)", async () => {
  const world = await World.make();
  const server = world.server("other.test");
  await world.submit({ from: "", to: ["x@[198.18.0.0]"] });
  await world.run(SECOND);
  assert.deepEqual(server.arrivals[0]?.recipients, ["x@[198.18.0.0]"]);
  assert.deepEqual(world.names.asked, []);
});

Deno.test("an address literal of loopback is returned, and this host's own is local (CL-11)", async () => {
  const world = await World.make();
  await world.submit({ from: "", to: [`smith@[${OWN_ADDRESS}]`] });
  assert.equal(world.mailbox("smith").length, 1);
  await returned(world, "x@[127.0.0.2]", "5.1.2");
});

Deno.test("mail in the queue for any address of this host's own is delivered here (CL-11)", async () => {
  const world = await World.make();
  const spool = new Spool(world.disk, "/spool", "test");
  const recipients = [OWN_ADDRESS, UNNAMED_ADDRESS].map((at) => recipient(`smith@[${at}]`));
  await put(spool, message({ recipients }), TEXT);
  await world.restart();
  await world.run(SECOND);
  assert.deepEqual(world.queued, []);
  assert.equal(world.mailbox("smith").length, 2);
  assert.deepEqual(world.network.dials, []);
});
