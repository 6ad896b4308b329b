/** How long mail waits, and what its senders hear, end to end: RFC 5321 4.5.4.1, RFC 3464. */

import assert from "node:assert/strict";
import { at, close, recipients, say, silent } from "./fault.ts";
import { readReport } from "./report.ts";
import { DAY, HOUR, MINUTE, SECOND, World } from "./world.ts";

const FROM = "jones@me.example";

Deno.test("a host that is down is tried less and less often, and after five days the mail is returned (CL-22, DSN-6)", async () => {
  const world = await World.make();
  world.domain("a.test", { faults: at("connect", close) });
  await world.submit({ from: FROM, to: ["x@a.test"] });
  assert.ok(await world.runUntilEmpty(6 * DAY));
  const minutes = world.network.dials.map(({ time }) => (time - world.began) / MINUTE);
  assert.deepEqual(minutes.slice(0, 9), [0, 5, 20, 50, 110, 230, 470, 710, 950]);
  assert.equal(minutes.at(-1), 5 * DAY / MINUTE);
  const told = world.reports().map((
    { action, recipients },
  ) => [action, recipients.get("x@a.test")]);
  assert.deepEqual(told, [["delayed", "4.4.1"], ["failed", "4.4.7"]]);
});

Deno.test("RETRY_DELAYS and QUEUE_LIFETIME are heeded (CL-22)", async () => {
  const world = await World.make(1, "RETRY_DELAYS = 30m, 2h\nQUEUE_LIFETIME = 1d");
  world.domain("a.test", { faults: at("connect", close) });
  await world.submit({ from: FROM, to: ["x@a.test"] });
  assert.ok(await world.runUntilEmpty(2 * DAY));
  const hours = world.network.dials.map(({ time }) => (time - world.began) / HOUR);
  assert.deepEqual(hours.slice(0, 4), [0, 0.5, 2.5, 4.5]);
  assert.equal(hours.at(-1), 24);
});

Deno.test("a host that was down a moment ago is not tried for the next message (CL-22)", async () => {
  const world = await World.make();
  world.domain("a.test", { faults: at("connect", close) });
  for (let i = 0; i < 20; i++) {
    await world.submit({ from: FROM, to: ["x@a.test"] });
    await world.run(5 * SECOND);
  }
  assert.equal(world.network.dials.length, 1);
});

Deno.test("a restart neither forgets nor begins anew (CL-22)", async () => {
  const world = await World.make();
  const [server] = world.domain("a.test", { faults: at("connect", close) });
  await world.submit({ from: FROM, to: ["x@a.test"] });
  for (let i = 0; i < 10; i++) {
    await world.run(30 * SECOND);
    await world.restart();
  }
  assert.equal(server?.connections, 2);
  server!.faults = () => undefined;
  assert.ok(await world.runUntilEmpty(HOUR));
  assert.equal(server?.arrivals.length, 1);
});

Deno.test("a stop has its time, wherever a server is silent, and what it broke off is tried again", async () => {
  for (
    const step of ["connect", "greeting", "EHLO", "MAIL", "RCPT", "DATA", "end", "QUIT"] as const
  ) {
    const world = await World.make();
    const [server] = world.domain("a.test", { faults: at(step, silent) });
    await world.submit({ from: FROM, to: ["x@a.test"] });
    // Longer than a connection lingers.
    await world.run(2 * SECOND);
    assert.ok(await world.stop(5 * SECOND) <= 5 * SECOND, step);
    assert.equal(world.network.open, 0, step);
    server!.faults = () => undefined;
    await world.start();
    assert.ok(await world.runUntilEmpty(HOUR), step);
    assert.equal(server?.arrivals.length, 1, step);
  }
});

Deno.test("whoever asks for another try gets it at once (CL-22)", async () => {
  const world = await World.make();
  const [server] = world.domain("a.test", { faults: at("connect", close) });
  await world.submit({ from: FROM, to: ["x@a.test"] });
  await world.run(30 * SECOND);
  server!.faults = () => undefined;
  await world.retry();
  await world.run(SECOND);
  assert.equal(server?.arrivals.length, 1);
});

Deno.test("a report goes to the sender by the same queue, from <> (DSN-1, CL-28)", async () => {
  const world = await World.make();
  const [server] = world.domain("sender.test", { faults: at("connect", close) });
  await world.submit({ from: "fred@sender.test", to: ["x@none.test"] });
  await world.run(MINUTE);
  assert.equal(server?.arrivals.length, 0);
  server!.faults = () => undefined;
  assert.ok(await world.runUntilEmpty(HOUR));
  const [arrival] = server?.arrivals ?? [];
  assert.equal(arrival?.reversePath, null);
  assert.deepEqual(arrival?.recipients, ["fred@sender.test"]);
  assert.match(arrival?.text ?? "", /^From: .*<postmaster@me\.example>\r$/m);
  assert.match(arrival?.text ?? "", /^To: <fred@sender\.test>\r$/m);
  assert.match(arrival?.text ?? "", /^Auto-Submitted: auto-replied\r$/m);
});

Deno.test("a null sender gets neither report nor notice, the log has what was lost (DSN-1)", async () => {
  const world = await World.make();
  world.domain("a.test", { faults: at("connect", close) });
  const id = await world.submit({ from: "", to: ["x@a.test", "y@none.test"] });
  assert.ok(await world.runUntilEmpty(6 * DAY));
  const lost = world.log.of("message lost").map(({ fields }) => [fields.id, fields.to]);
  assert.deepEqual(lost, [[id, ["<y@none.test>"]], [id, ["<x@a.test>"]]]);
  assert.deepEqual([...world.mailbox("jones"), ...world.mailbox("smith")], []);
});

Deno.test("a report that cannot be delivered is not reported (DSN-1)", async () => {
  const world = await World.make();
  await world.submit({ from: "fred@gone.test", to: ["x@none.test"] });
  await world.run(MINUTE);
  assert.deepEqual(world.queued, []);
  assert.equal(world.log.of("message returned").length, 1);
  assert.equal(world.log.of("message lost").length, 1);
});

Deno.test("a report shows who said what and the header of the message (DSN-2, DSN-3)", async () => {
  const world = await World.make();
  world.domain("a.test", { faults: at("RCPT", say("550 5.1.1 nobody of that name")) });
  await world.submit({
    from: FROM,
    to: ["x@a.test"],
    text: "Subject: secret\r\n\r\nbody text\r\n",
  });
  await world.run(MINUTE);
  const [report] = world.reports();
  for (
    const line of [
      /^Content-Type: multipart\/report; report-type=delivery-status;$/m,
      /^Reporting-MTA: dns; me\.example$/m,
      /^Remote-MTA: dns; mx1\.a\.test$/m,
      /^Diagnostic-Code: smtp; 550 .*nobody of that name$/m,
      /^Subject: secret$/m,
    ]
  ) assert.match(report?.text ?? "", line);
  assert.ok(!report?.text.includes("body text"));
});

Deno.test("recipients that fail together are in one report, messages in their own (DSN-4)", async () => {
  const world = await World.make();
  const nobody = say("550 5.1.1 nobody");
  world.domain("a.test", { faults: recipients({ x: nobody, y: nobody }) });
  for (let i = 0; i < 2; i++) {
    await world.submit({ from: FROM, to: ["x@a.test", "y@a.test", "z@a.test", "u@none.test"] });
  }
  await world.run(MINUTE);
  const reported = world.reports().map(({ recipients }) => [...recipients.keys()].sort());
  const expected = ["u@none.test", "x@a.test", "y@a.test"];
  assert.deepEqual(reported, [expected, expected]);
  assert.equal(new Set(world.reports().map(({ id }) => id)).size, 2);
});

Deno.test("after four hours the sender hears once that it takes long (DSN-3)", async () => {
  const world = await World.make();
  const [server] = world.domain("a.test", { faults: at("RCPT", say("450 4.2.2 full")) });
  await world.submit({ from: FROM, to: ["x@a.test"] });
  await world.run(4 * HOUR - MINUTE);
  assert.deepEqual(world.reports(), []);
  await world.run(8 * HOUR);
  const [notice, second] = world.reports();
  assert.deepEqual([notice?.action, notice?.recipients.get("x@a.test"), second], [
    "delayed",
    "4.2.2",
    undefined,
  ]);
  assert.match(notice?.text ?? "", /^Will-Retry-Until: Fri, 27 Nov 2026 12:00:00 \+0000$/m);
  server!.faults = () => undefined;
  assert.ok(await world.runUntilEmpty(DAY));
  assert.equal(world.reports().length, 1);
});

Deno.test("nobody hears that it went well (DSN-7)", async () => {
  const world = await World.make();
  world.domain("a.test", {});
  await world.submit({ from: FROM, to: ["x@a.test"] });
  assert.ok(await world.runUntilEmpty(DAY));
  assert.deepEqual(world.mailbox("jones"), []);
});

Deno.test("a report about who is forwarded to names whom the sender wrote to (DSN-3)", async () => {
  const world = await World.make();
  world.domain("forward.example", { faults: at("RCPT", say("550 5.1.1 nobody")) });
  await world.domain("sender.test", {});
  await world.submit({ from: "fred@sender.test", to: ["away@me.example"] });
  await world.run(MINUTE);
  const [arrival] = world.servers.get("mx1.sender.test")?.arrivals ?? [];
  assert.deepEqual([...readReport(arrival?.text ?? "")?.recipients.keys() ?? []], [
    "away@me.example",
  ]);
});
