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

/** Macros may hold "/" and the letters of lengths, and stand where a domain ends (RFC 7208 7.1). */
const MACROS: readonly (readonly [term: string, domain: string, four: number])[] = [
  ["a:%{d2/}.x.example", "%{d2/}.x.example", 32],
  ["a:%{d2/}.x.example/24//64", "%{d2/}.x.example", 24],
  ["mx:%{d/}/24", "%{d/}", 24],
  ["a:%{ir}.%{v}._spf.%{d2}", "%{ir}.%{v}._spf.%{d2}", 32],
  ["a:%{S3R.-+,/_=}", "%{S3R.-+,/_=}", 32],
  ["a:a/b%%%_%-.example.", "a/b%%%_%-.example.", 32],
];

for (const [term, domain, four] of MACROS) {
  Deno.test(`"${term}" is of the domain ${domain}`, () => {
    const [directive] = parseSpf(`v=spf1 ${term} -all`).directives;
    assert.ok(directive?.mechanism.kind === "a" || directive?.mechanism.kind === "mx");
    assert.deepEqual([directive.mechanism.domain, directive.mechanism.bits[4]], [domain, four]);
  });
}

Deno.test('a macro with "/" may stand in every term that has a domain', () => {
  const { directives, redirect } = parseSpf(
    "v=spf1 exists:%{d2/}.x.example include:%{d/} ptr:%{d/}.example redirect=%{d/} exp=%{l1r/}.a",
  );
  assert.deepEqual(directives.map(({ mechanism }) => mechanism.kind), ["exists", "include", "ptr"]);
  assert.equal(redirect, "%{d/}");
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
  "exists:x.example/24",
  "exists:%(ir).x.example",
  "exists:%.x.example",
  "exists:%{}.x.example",
  "exists:%{x}.x.example",
  "exists:%{d0}.x.example",
  "exists:%{dr2}.x.example",
  "exists:%{d.x.example",
  "exists:%{d}x",
  "exists:x%%{d}",
  // Letters that only an explanation may have (RFC 7208 7.2).
  "exists:%{t}.x.example",
  "ptr:",
  "-",
  "--all",
  "redirect=",
  "redirect=nodots",
  "redirect=a.example/24",
  "exp=nodots",
  "x=%",
  "x=%{d",
  "redirect=a.example redirect=b.example",
  "exp=a.example exp=b.example",
  "a\u0007",
];

for (const term of FAULTS) {
  Deno.test(`"${term.replace("\u0007", "BEL")}" cannot be read`, () => {
    assert.throws(() => parseSpf(`v=spf1 ${term} -all`), SpfSyntaxError);
  });
}
