/** SPF records taken apart. */

import assert from "node:assert/strict";
import { isSpf, parseSpf, SpfSyntaxError } from "../../src/checks/spf_record.ts";

Deno.test("an SPF record begins with its version and a blank, or ends there (RFC 7208 4.5)", () => {
  for (const text of ["v=spf1", "v=spf1 -all", "V=SPF1 mx"]) assert.ok(isSpf(text), text);
  for (const text of ["v=spf10 -all", "v=spf1-all", "spf1", " v=spf1", "v=spf2.0/pra a", ""]) {
    assert.ok(!isSpf(text), text);
  }
});

Deno.test("mechanisms have their qualifier, domain and lengths", () => {
  const { directives, redirect } = parseSpf(
    "v=spf1  a -mx:b.example ~A:c.example/24//64 ?mx/24 a//64 include:d.example exists:e.example ptr  ALL",
  );
  assert.deepEqual(
    directives.map(({ verdict, mechanism }) => [verdict, mechanism]),
    [
      ["pass", { kind: "a", domain: undefined, bits: { 4: 32, 6: 128 } }],
      ["fail", { kind: "mx", domain: "b.example", bits: { 4: 32, 6: 128 } }],
      ["softfail", { kind: "a", domain: "c.example", bits: { 4: 24, 6: 64 } }],
      ["neutral", { kind: "mx", domain: undefined, bits: { 4: 24, 6: 128 } }],
      ["pass", { kind: "a", domain: undefined, bits: { 4: 32, 6: 64 } }],
      ["pass", { kind: "include", domain: "d.example" }],
      ["pass", { kind: "exists" }],
      ["pass", { kind: "ptr" }],
      ["pass", { kind: "all" }],
    ],
  );
  assert.equal(redirect, undefined);
});

Deno.test("networks are read in both families", () => {
  const { directives } = parseSpf("v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ip6:::1 ip4:10.0.0.1");
  const networks = directives.map(({ mechanism }) => {
    assert.ok(mechanism.kind === "ip");
    return [mechanism.network.address.length, mechanism.network.bits];
  });
  assert.deepEqual(networks, [[4, 24], [16, 32], [16, 128], [4, 32]]);
});

Deno.test("modifiers may stand anywhere, unknown ones count for nothing", () => {
  const { redirect, directives } = parseSpf("v=spf1 redirect=a.example x-y=%{d} exp=b.example mx");
  assert.deepEqual([redirect, directives.length], ["a.example", 1]);
});

const FAULTS = [
  "al",
  "all:x.example",
  "all/24",
  "ip4",
  "ip4:",
  "ip4:192.0.2",
  "ip4:192.0.2.0/33",
  "ip4:192.0.2.0/08",
  "ip4:192.0.2.0/",
  "ip4:2001:db8::1",
  "ip6:192.0.2.1",
  "ip6:2001:db8::/129",
  "a:",
  "a:localhost",
  "a:x.example/",
  "a/33",
  "a//129",
  "mx:x.123",
  "include",
  "include:",
  "include:x.example/24",
  "exists",
  "ptr:",
  "-",
  "--all",
  "redirect=",
  "redirect=a.example redirect=b.example",
  "exp=a.example exp=b.example",
  "a\u0007",
];

for (const term of FAULTS) {
  Deno.test(`"${term.replace("\u0007", "BEL")}" cannot be read`, () => {
    assert.throws(() => parseSpf(`v=spf1 ${term} -all`), SpfSyntaxError);
  });
}
