/** Which addresses are the machine's own, and which could be. */

import assert from "node:assert/strict";
import { isLoopback, isPublic, Machine, type Where } from "../../src/checks/machine.ts";

Deno.test("public addresses are those that all the internet can reach", () => {
  for (const address of ["192.0.2.1", "172.32.0.1", "100.63.0.1", "2001:db8::1", "223.255.255.1"]) {
    assert.ok(isPublic(address), address);
  }
  const others = [
    "127.0.0.1",
    "::1",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.1.1",
    "fe80::1",
    "fd00::1",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "255.255.255.255",
    "ff02::1",
  ];
  for (const address of others) assert.ok(!isPublic(address), address);
  assert.deepEqual(["127.9.9.9", "::1", "128.0.0.1"].map(isLoopback), [true, true, false]);
});

const PUBLIC4 = ["127.0.0.1", "192.0.2.1"];
const NAT4 = ["127.0.0.1", "10.0.0.5"];

const CASES: readonly (readonly [own: readonly string[], address: string, where: Where])[] = [
  [PUBLIC4, "192.0.2.1", "here"],
  [PUBLIC4, "192.0.2.9", "elsewhere"],
  [PUBLIC4, "127.0.0.1", "elsewhere"],
  [PUBLIC4, "10.0.0.5", "elsewhere"],
  [PUBLIC4, "2001:db8::1", "elsewhere"],
  [NAT4, "10.0.0.5", "here"],
  [NAT4, "192.0.2.1", "unknown"],
  [NAT4, "127.0.0.1", "elsewhere"],
  [NAT4, "2001:db8::1", "unknown"],
  [[...NAT4, "2001:db8::1"], "192.0.2.1", "unknown"],
  [[...NAT4, "2001:db8::1"], "2001:db8::9", "elsewhere"],
  [["2001:db8::1"], "192.0.2.1", "elsewhere"],
  [["127.0.0.1"], "192.0.2.1", "unknown"],
];

for (const [own, address, where] of CASES) {
  Deno.test(`seen from ${own.join(", ")}, ${address} is ${where}`, () => {
    assert.equal(new Machine(own, own).whereIs(address), where);
  });
}

Deno.test("an own address that is not listened on is told apart", () => {
  const machine = new Machine(["192.0.2.1", "192.0.2.2"], ["192.0.2.1"]);
  assert.equal(machine.whereIs("192.0.2.2"), "not listened on");
});
