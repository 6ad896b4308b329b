/** A host that wants TLS and with whom it fails: the mail waits, and TLS is tried again (RFC 3207). */

import assert from "node:assert/strict";
import { attempt, record, setUp } from "./carrier.ts";
import { answer, OK } from "./conversation.ts";

const GO = "220 go\r\n";
const INSISTS = "530 5.7.0 Must issue a STARTTLS command first\r\n";

for (
  const [step, replies] of [
    ["MAIL", [INSISTS]],
    ["RCPT", [OK, INSISTS]],
  ] as const
) {
  Deno.test(`a host that insists on TLS at ${step}, where the handshake failed, has the mail wait (CL-32)`, async () => {
    const { office, dialer, carrier } = await setUp();
    const attempts = attempt(office, carrier());
    await answer(await dialer.greet(), GO);
    await answer(await dialer.greet(), ...replies, "221 bye\r\n");
    await attempts;
    assert.deepEqual(await record(office), [
      "waiting",
      1,
      "454 4.7.5 The host wants TLS, but the handshake failed",
    ]);
    assert.deepEqual(await office.reports(), []);
    assert.equal(office.log.fieldsOf("sending in plain text").length, 1);
  });
}

Deno.test("after that the next attempt tries TLS again (CL-32)", async () => {
  const { office, dialer, carrier } = await setUp();
  const first = attempt(office, carrier());
  await answer(await dialer.greet(), GO);
  await answer(await dialer.greet(), INSISTS, "221 bye\r\n");
  await first;
  await office.sleep();
  const second = attempt(office, carrier());
  const wire = await dialer.greet();
  assert.equal(await wire.hear(), "STARTTLS\r\n");
  // Its TLS does not work today: then it may have the mail as it is.
  wire.say("454 4.7.0 not now\r\n");
  await answer(wire, OK, OK, "354 go\r\n", "250 taken\r\n", "221 bye\r\n");
  await second;
  assert.equal(office.spooled.length, 0);
  assert.equal(dialer.dials, 3);
});

Deno.test("530 from a host that does not offer TLS is about the mail, and final", async () => {
  const { office, dialer, carrier } = await setUp();
  const attempts = attempt(office, carrier());
  const wire = await dialer.greet("250 s\r\n");
  await answer(wire, "530 5.7.0 Authentication required\r\n", "221 bye\r\n");
  await attempts;
  assert.equal((await office.reports()).length, 1);
});

Deno.test("an abort in the middle of the handshake is not followed by plain text", async () => {
  const { office, dialer, hosts, carrier } = await setUp();
  const one = carrier();
  const attempts = attempt(office, one);
  const wire = await dialer.greet();
  await wire.hear();
  wire.stalled = true;
  wire.say(GO);
  await wire.settled();
  one.abort();
  await attempts;
  assert.ok(wire.closed);
  assert.equal(dialer.dials, 1);
  assert.deepEqual(office.log.fieldsOf("sending in plain text"), []);
  assert.ok(hosts.canTls({ host: "192.0.2.1", address: "192.0.2.1", port: 25 }));
  const [state, count] = await record(office);
  assert.deepEqual([state, count], ["waiting", 0]);
});
