/** Mail that must be protected: it goes to hosts that can prove who they are, or waits. */

import assert from "node:assert/strict";
import type { StsPolicy } from "../../src/relay/sts_policy.ts";
import { idOf } from "../queue/messages.ts";
import { FakeWire } from "../support/fake_wire.ts";
import {
  attempt,
  type CarrierOptions,
  carryNext,
  OFFER,
  recipientOf,
  record,
  setUp,
} from "./carrier.ts";
import { answer, OK } from "./conversation.ts";

const GO = "220 go\r\n";
const TAKEN = [OK, OK, "354 go\r\n", "250 taken\r\n", "221 bye\r\n"] as const;
const LOGIN = { user: "jones", password: "secret" };
const DIRECT = { RELAY_HOST: undefined } as const;
const POLICY: StsPolicy = { mode: "enforce", mx: ["mx2.x.y"], maxAge: 86400 };
const VERIFY = { ...DIRECT, RELAY_TLS: "verify" } as const;

/** Over to TLS, and the message after it. */
async function takeUnderTls(wire: FakeWire, ...greeting: readonly string[]): Promise<void> {
  await answer(wire, GO, "250 s\r\n", ...greeting, ...TAKEN);
}

const TROUBLES: readonly [what: string, act: (wire: FakeWire) => Promise<void>][] = [
  ["no STARTTLS", (wire) => answer(wire, "221 bye\r\n")],
  ["STARTTLS that is refused", (wire) => answer(wire, "454 4.7.0 not now\r\n", "221 bye\r\n")],
  ["a wrong certificate", (wire) => answer(wire, GO)],
];

for (const [what, act] of TROUBLES) {
  Deno.test(`verify: ${what} is no way, the next host is tried, and the mail goes there`, async () => {
    const { office, dialer, carrier } = await setUp(VERIFY);
    const attempts = attempt(office, carrier());
    await act(await dialer.greet(what === "no STARTTLS" ? "250 s\r\n" : OFFER, "wrong"));
    await takeUnderTls(await dialer.greet(OFFER, "valid"));
    await attempts;
    assert.deepEqual(dialer.dialled, ["198.18.0.1:25", "198.18.0.2:25"]);
    assert.equal(office.spooled.length, 0);
    const [sent] = office.log.fieldsOf("message sent");
    assert.deepEqual([sent?.host, sent?.tls, sent?.verified], ["mx2.x.y", "TLSv1.3", true]);
    assert.deepEqual(office.log.fieldsOf("sending in plain text"), []);
  });

  Deno.test(`verify: ${what} everywhere, and the mail waits, is asked again and never sent openly`, async () => {
    const { office, dialer, carrier } = await setUp(VERIFY);
    for (let round = 1; round <= 3; round++) {
      const attempts = attempt(office, carrier());
      for (let host = 0; host < 2; host++) {
        const wire = await dialer.greet(what === "no STARTTLS" ? "250 s\r\n" : OFFER, "wrong");
        await act(wire);
        await wire.settled();
        assert.ok(!wire.written.join("").includes("MAIL"), wire.written.join(""));
      }
      await attempts;
      const [state, count, reply] = await record(office);
      assert.deepEqual([state, count], ["waiting", round]);
      assert.match(String(reply), /^454 4\.7\.[45] /);
      await office.sleep();
    }
    assert.deepEqual(await office.reports(), []);
  });
}

Deno.test("verify: a host that has just failed is left alone, but not by those who do not ask so much", async () => {
  const { office, dialer, hosts, carrier } = await setUp(VERIFY);
  const attempts = attempt(office, carrier());
  for (let host = 0; host < 2; host++) await answer(await dialer.greet(OFFER, "wrong"), GO);
  await attempts;
  const target = { host: "mx1.x.y", address: "198.18.0.1", port: 25 };
  assert.ok(hosts.whyUnproven(target));
  assert.equal(hosts.whyDown(target), undefined);
  assert.ok(hosts.canTls(target));
});

Deno.test("verify: who has not proved who it is can send nothing back", async () => {
  const { office, dialer, carrier } = await setUp(VERIFY);
  const attempts = attempt(office, carrier());
  for (let host = 0; host < 2; host++) {
    const wire = await dialer.next();
    wire.say("554 5.7.1 go away\r\n");
    await answer(wire, "221 bye\r\n");
  }
  await attempts;
  assert.deepEqual(await record(office), [
    "waiting",
    1,
    "451 4.7.0 mx1.x.y has not proved who it is and says: 554 5.7.1 go away",
  ]);
  assert.deepEqual(await office.reports(), []);
});

Deno.test("verify: who has proved it can", async () => {
  const { office, dialer, carrier } = await setUp(VERIFY);
  const attempts = attempt(office, carrier());
  const wire = await dialer.greet(OFFER, "valid");
  await answer(wire, GO, "250 s\r\n", "550 5.7.1 no\r\n", "221 bye\r\n");
  await attempts;
  assert.equal((await office.reports()).length, 1);
});

Deno.test("none: STARTTLS is not said, and a host that insists on it has the mail wait", async () => {
  const { office, dialer, carrier } = await setUp({ RELAY_TLS: "none" });
  const attempts = attempt(office, carrier());
  const wire = await dialer.greet(OFFER, "valid");
  await answer(wire, "530 5.7.0 Must issue a STARTTLS command first\r\n", "221 bye\r\n");
  await attempts;
  assert.deepEqual(await record(office), [
    "waiting",
    1,
    "451 4.7.4 192.0.2.1 wants TLS, which RELAY_TLS or RELAY_TLS_FOR forbids",
  ]);
  assert.deepEqual((await recipientOf(office)).last?.security, {
    protocol: "none",
    verified: false,
  });
  const [deferred] = office.log.fieldsOf("message deferred");
  assert.deepEqual([deferred?.tls, deferred?.verified], ["none", false]);
});

Deno.test("may: what was used is recorded with what was said", async () => {
  const { office, dialer, carrier } = await setUp();
  const attempts = attempt(office, carrier());
  const wire = await dialer.greet(OFFER, "wrong");
  await answer(wire, GO, "250 s\r\n", "450 4.2.0 later\r\n", "221 bye\r\n");
  await attempts;
  const { last } = await recipientOf(office);
  assert.deepEqual(last?.security, { protocol: "TLSv1.3", verified: false });
  const [deferred] = office.log.fieldsOf("message deferred");
  assert.deepEqual([deferred?.tls, deferred?.verified], ["TLSv1.3", false]);
});

Deno.test("a host that was not talked to has no protection to tell of", async () => {
  const { office, dialer, carrier } = await setUp();
  const attempts = attempt(office, carrier());
  (await dialer.next()).end();
  await attempts;
  assert.equal((await recipientOf(office)).last?.security, undefined);
});

Deno.test("an enforced policy: the host that it names is used, verified, and no other", async () => {
  const { office, dialer, carrier, asked } = await setUp({ ...DIRECT, policy: POLICY });
  const attempts = attempt(office, carrier());
  await takeUnderTls(await dialer.greet(OFFER, "valid"));
  await attempts;
  assert.deepEqual(asked, ["x.y"]);
  assert.deepEqual(dialer.dialled, ["198.18.0.2:25"]);
  assert.equal(office.spooled.length, 0);
});

for (
  const [what, policy, dials, reply] of [
    [
      "names no host of the domain's",
      { ...POLICY, mx: ["mx.else.y"] },
      0,
      "451 4.7.0 The policy of x.y (MTA-STS) does not allow mail to go to mx1.x.y",
    ],
    [
      "names a host that cannot be verified",
      { ...POLICY, mx: ["mx1.x.y"] },
      1,
      "451 4.7.5 mx1.x.y does not meet the policy of x.y (MTA-STS): 454 4.7.5 TLS failed: wrong certificate",
    ],
    [
      "names the second host alone, which cannot be verified",
      { ...POLICY, mx: ["mx2.x.y"] },
      1,
      "451 4.7.5 mx2.x.y does not meet the policy of x.y (MTA-STS): 454 4.7.5 TLS failed: wrong certificate",
    ],
  ] satisfies [string, StsPolicy, number, string][]
) {
  Deno.test(`an enforced policy that ${what} has the mail wait to the end of its lifetime`, async () => {
    const { office, dialer, carrier } = await setUp({ ...DIRECT, policy });
    for (let round = 1; round <= 2; round++) {
      const attempts = attempt(office, carrier());
      for (let i = 0; i < dials; i++) await answer(await dialer.greet(OFFER, "wrong"), GO);
      await attempts;
      assert.deepEqual(await record(office), ["waiting", round, reply]);
      await office.sleep();
    }
    assert.equal(dialer.dials, 2 * dials);
    assert.deepEqual(await office.reports(), []);
    assert.deepEqual(office.log.fieldsOf("sending in plain text"), []);
  });
}

for (const mx of ["mx1.x.y", "mx2.x.y"]) {
  const policy: StsPolicy = { ...POLICY, mx: [mx] };

  Deno.test(`an enforced policy: a refusal for good by ${mx} alone, which has proved who it is, is one`, async () => {
    const { office, dialer, carrier } = await setUp({ ...DIRECT, policy });
    const attempts = attempt(office, carrier());
    const wire = await dialer.greet(OFFER, "valid");
    await answer(wire, GO, "554 5.7.1 go away\r\n", "554 5.7.1 go away\r\n", "221 bye\r\n");
    await attempts;
    assert.equal(dialer.dials, 1);
    const [report = "", ...more] = await office.reports();
    assert.match(
      report,
      /^Remote-MTA: dns; mx\d\.x\.y\r\nDiagnostic-Code: smtp; 554 5\.7\.1 go away/m,
    );
    assert.deepEqual(more, []);
  });

  Deno.test(`an enforced policy: what keeps ${mx} alone from taking the mail now is what is told`, async () => {
    const { office, dialer, carrier } = await setUp({ ...DIRECT, policy });
    const attempts = attempt(office, carrier());
    const wire = await dialer.greet(OFFER, "valid");
    await answer(wire, GO, "421 4.3.2 later\r\n");
    await attempts;
    assert.deepEqual(await record(office), ["waiting", 1, "421 4.3.2 later"]);
  });
}

const MESSAGE = [OK, OK, "354 go\r\n", "250 taken\r\n"] as const;

for (
  const [what, mx, offer, begun] of [
    ["in plain text to the host that it names", "mx1.x.y", "250 s\r\n", []],
    ["to a host that it does not name", "mx2.x.y", OFFER, [GO, "250 s\r\n"]],
  ] satisfies [string, string, string, string[]][]
) {
  Deno.test(`an enforced policy that is found later ends a connection ${what}`, async () => {
    const { office, dialer, carrier, adopt } = await setUp(DIRECT);
    await office.receive({ id: idOf(2) });
    const one = carrier();
    const first = carryNext(office, one);
    const open = await dialer.greet(offer, "valid");
    await answer(open, ...begun, ...MESSAGE);
    await first;
    adopt({ ...POLICY, mx: [mx] });
    const second = attempt(office, one);
    assert.equal(await open.hear(), "QUIT\r\n");
    open.say("221 bye\r\n");
    await takeUnderTls(await dialer.greet(OFFER, "valid"));
    await second;
    assert.deepEqual(
      office.log.fieldsOf("message sent").map(({ host, verified }) => {
        return [host, verified];
      }),
      [["mx1.x.y", begun.length > 0], [mx, true]],
    );
    assert.equal(office.spooled.length, 0);
  });
}

Deno.test("an enforced policy that is found later lets a connection be that meets it", async () => {
  const { office, dialer, carrier, adopt } = await setUp(DIRECT);
  await office.receive({ id: idOf(2) });
  const one = carrier();
  const first = carryNext(office, one);
  const wire = await dialer.greet(OFFER, "valid");
  await answer(wire, GO, "250 s\r\n", ...MESSAGE);
  await first;
  adopt({ ...POLICY, mx: ["mx1.x.y"] });
  const second = attempt(office, one);
  await answer(wire, ...TAKEN);
  await second;
  assert.equal(dialer.dials, 1);
  assert.equal(office.spooled.length, 0);
});

Deno.test("a policy that is being tested keeps nothing from going, and it is told what it would have", async () => {
  const { office, dialer, carrier } = await setUp({
    ...DIRECT,
    policy: { ...POLICY, mode: "testing" },
  });
  const attempts = attempt(office, carrier());
  const wire = await dialer.greet("250 s\r\n");
  await answer(wire, ...TAKEN);
  await attempts;
  assert.equal(office.spooled.length, 0);
  assert.deepEqual(office.log.fieldsOf("policy not met"), [
    { domain: "x.y", host: "mx1.x.y", mode: "testing", reason: "it names other hosts" },
  ]);
});

for (
  const [what, options] of [
    ["RELAY_TLS = none", { RELAY_TLS: "none" }],
    ["an entry of RELAY_TLS_FOR", { RELAY_TLS_FOR: [{ domain: "x.y", tls: "may" }] }],
  ] satisfies [string, CarrierOptions][]
) {
  Deno.test(`${what} outweighs the policy of the domain`, async () => {
    const { office, dialer, carrier, asked } = await setUp({
      ...DIRECT,
      policy: POLICY,
      ...options,
    });
    const attempts = attempt(office, carrier());
    await answer(await dialer.greet("250 s\r\n"), ...TAKEN);
    await attempts;
    assert.deepEqual([asked, dialer.dialled], [[], ["198.18.0.1:25"]]);
    assert.equal(office.spooled.length, 0);
  });
}

Deno.test("an abort while a policy is looked for leaves the mail as it was", async () => {
  const { office, dialer, carrier } = await setUp(DIRECT);
  const one = carrier();
  const attempts = attempt(office, one);
  one.abort();
  await attempts;
  const [state, count] = await record(office);
  assert.deepEqual([state, count, dialer.dials], ["waiting", 0, 0]);
});

Deno.test("a login opens the way to RELAY_HOST", async () => {
  const { office, dialer, carrier } = await setUp({ login: LOGIN });
  const attempts = attempt(office, carrier());
  const wire = await dialer.greet(OFFER, "valid");
  await answer(wire, GO, "250-s\r\n250 AUTH PLAIN\r\n", "235 welcome\r\n", ...TAKEN);
  await attempts;
  assert.ok(wire.written.includes("AUTH PLAIN AGpvbmVzAHNlY3JldA==\r\n"));
  assert.equal(office.spooled.length, 0);
});

Deno.test("a login that is refused is our fault: the mail waits, and is not tried with it at once again", async () => {
  const { office, dialer, carrier } = await setUp({ login: LOGIN });
  const attempts = attempt(office, carrier());
  const wire = await dialer.greet(OFFER, "valid");
  await answer(wire, GO, "250-s\r\n250 AUTH PLAIN\r\n", "535 5.7.8 wrong\r\n", "221 bye\r\n");
  await attempts;
  assert.deepEqual(await record(office), [
    "waiting",
    1,
    "451 4.7.8 192.0.2.1 refuses the login of RELAY_LOGIN_FILE: 535 5.7.8 wrong",
  ]);
  assert.deepEqual(office.log.fieldsOf("relay login refused"), [
    { host: "192.0.2.1", address: "192.0.2.1", reply: "535 5.7.8 wrong" },
  ]);
  assert.deepEqual((await recipientOf(office)).last?.security, {
    protocol: "TLSv1.3",
    verified: true,
  });
  assert.deepEqual(await office.reports(), []);
  assert.ok(!JSON.stringify(office.log.all).includes("secret"));
});

Deno.test("a host that offers no login has the mail wait, and hears none", async () => {
  const { office, dialer, carrier } = await setUp({ login: LOGIN });
  const attempts = attempt(office, carrier());
  const wire = await dialer.greet(OFFER, "valid");
  await answer(wire, GO, "250 s\r\n", "221 bye\r\n");
  await attempts;
  assert.deepEqual(await record(office), [
    "waiting",
    1,
    "454 4.7.4 The server does not offer AUTH PLAIN",
  ]);
  assert.ok(!wire.written.join("").includes("AUTH"));
});

Deno.test("at port 465 TLS comes first, and there is no plain text to fall back to", async () => {
  const RELAY_HOST = { host: "192.0.2.1", port: 465 };
  const { office, dialer, carrier } = await setUp({ RELAY_HOST });
  const first = attempt(office, carrier());
  await dialer.next();
  await first;
  assert.deepEqual(dialer.dialled, ["192.0.2.1:465"]);
  assert.deepEqual(await record(office), ["waiting", 1, "454 4.7.5 TLS failed: no TLS here"]);
  await office.sleep();
  const second = attempt(office, carrier());
  // With `may` any certificate does.
  const wire = await dialer.next();
  wire.certificate = "wrong";
  wire.say("220 s\r\n");
  await answer(wire, OFFER, ...TAKEN);
  await second;
  assert.equal(office.spooled.length, 0);
  assert.ok(!wire.written.includes("STARTTLS\r\n"));
});
