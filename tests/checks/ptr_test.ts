/** Outgoing addresses and their names. */

import assert from "node:assert/strict";
import { checkPtr, outgoingAddresses } from "../../src/checks/ptr.ts";
import {
  type Expected,
  expectFinding,
  factsOf,
  NAT,
  type WorldOptions,
  type Zone,
} from "./zone.ts";

const HOST: Zone = { "mail.example.com": { A: ["192.0.2.1"] } };
const named = (name: string, more: Zone = {}): WorldOptions => {
  return { zone: { ...HOST, "192.0.2.1": { PTR: [name] }, ...more } };
};

const RECORD = ["1.2.0.192.in-addr.arpa.  PTR  mail.example.com."];
const ADDRESS = "mail.example.com.  A  192.0.2.1";

const CASES: readonly (readonly [what: string, world: WorldOptions, expected: Expected])[] = [
  ["HOSTNAME and back", named("mail.example.com"), {
    state: "good",
    is: /^192\.0\.2\.1 is mail\.example\.com, and back$/,
  }],
  [
    "another name and back",
    named("vps1.example.net", { "vps1.example.net": { A: ["192.0.2.1"] } }),
    {
      state: "good",
      is: /vps1\.example\.net, and back; HOSTNAME as its name would be better/,
    },
  ],
  ["no name", { zone: HOST }, { state: "wrong", is: /has no name/, mend: RECORD }],
  ["no name, nor HOSTNAME an address", {}, {
    state: "wrong",
    is: /has no name/,
    mend: [...RECORD, ADDRESS],
  }],
  [
    "a name that leads elsewhere",
    named("x.example.net", { "x.example.net": { A: ["192.0.2.9"] } }),
    {
      state: "wrong",
      is: /x\.example\.net, which does not lead back/,
      mend: RECORD,
    },
  ],
  ["HOSTNAME, which leads nowhere", { zone: { "192.0.2.1": { PTR: ["mail.example.com"] } } }, {
    state: "wrong",
    is: /does not lead back/,
    mend: [ADDRESS],
  }],
  ["no name, and HOSTNAME is an address", { hostname: "[192.0.2.1]" }, {
    state: "wrong",
    is: /has no name/,
  }],
];

for (const [what, world, expected] of CASES) {
  Deno.test(`PTR leads to ${what}: ${expected.state}`, async () => {
    expectFinding(await checkPtr("192.0.2.1", factsOf(world)), expected);
  });
}

Deno.test("the mending PTR record of an IPv6 address is whole", async () => {
  const finding = await checkPtr("2001:db8::1", factsOf({ zone: HOST }));
  assert.deepEqual(finding.mend, [
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.  PTR  mail.example.com.",
    "mail.example.com.  AAAA  2001:db8::1",
  ]);
});

Deno.test("mail leaves from the public addresses of the machine, whatever HOSTNAME is", async () => {
  const addresses = ["127.0.0.1", "10.0.0.1", "192.0.2.1", "192.0.2.2", "2001:db8::1", "fe80::2"];
  const zone = { "mail.example.com": { A: ["198.51.100.7"] } };
  // Only IPv4 and IPv6 that are nowhere public could be translated.
  assert.deepEqual(await outgoingAddresses(factsOf({ addresses, zone })), [
    "192.0.2.1",
    "192.0.2.2",
    "2001:db8::1",
  ]);
});

Deno.test("behind NAT mail leaves from HOSTNAME's public addresses, as far as one knows", async () => {
  const zone: Zone = { "mail.example.com": { A: ["192.0.2.1", "10.0.0.5"] } };
  assert.deepEqual(await outgoingAddresses(factsOf({ ...NAT, zone })), ["192.0.2.1"]);
  const hostname = "[192.0.2.9]";
  assert.deepEqual(await outgoingAddresses(factsOf({ ...NAT, hostname })), ["192.0.2.9"]);
  assert.deepEqual(await outgoingAddresses(factsOf(NAT)), []);
});

Deno.test("behind NAT in IPv4 alone, mail leaves from both", async () => {
  const zone: Zone = { "mail.example.com": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"] } };
  const addresses = ["10.0.0.5", "2001:db8::1"];
  assert.deepEqual(await outgoingAddresses(factsOf({ addresses, zone })), [
    "2001:db8::1",
    "192.0.2.1",
  ]);
});
