/** What SPF records say of addresses (RFC 7208). */

import assert from "node:assert/strict";
import { checkHost } from "../../src/checks/check_host.ts";
import { ResolverError } from "../../src/relay/resolver.ts";
import { type Zone, ZoneLookup } from "./zone.ts";

/** What other names there are; none of them is at 192.0.2.1 or 2001:db8::1 unless it is called so. */
const OTHERS: Zone = {
  "here.test": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"], MX: [[1, "here.test"]] },
  "near.test": { A: ["192.0.2.77"], AAAA: ["2001:db8::77"], MX: [[1, "near.test"]] },
  "away.test": { A: ["198.51.100.7"], MX: [[1, "away.test"]] },
  "empty.test": {},
  "null.test": { MX: [[0, ""]] },
  "pass.test": { TXT: ["v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all"] },
  "fail.test": { TXT: ["v=spf1 -all"] },
  "soft.test": { TXT: ["v=spf1 ~all"] },
  "bad.test": { TXT: ["v=spf1 nonsense"] },
  "two.test": { TXT: ["v=spf1 -all", "v=spf1 +all"] },
  "macro.test": { TXT: ["v=spf1 exists:%{i}.test -all"] },
  "unsure.test": { TXT: ["v=spf1 exists:%{i}.test include:gone.test -all"] },
  "never.test": { TXT: ["v=spf1 ~exists:%{i}.test -all"] },
  "loop.test": { TXT: ["v=spf1 include:loop.test -all"] },
  "trouble.test": { TXT: "trouble", A: "trouble", AAAA: "trouble", MX: "trouble" },
  "many.test": { MX: Array.from({ length: 11 }, (_, i) => [i, "away.test"]) },
};

interface Case {
  /** The record of x.test behind its version; null where it has none. */
  readonly record: string | null;
  /** Like `pass by mx`, with what decides or why. */
  readonly expected: string | RegExp;
  /** 192.0.2.1 where nothing is said. */
  readonly address?: string;
  /** What else is known of x.test. */
  readonly x?: Zone[string];
}

const V6 = "2001:db8::1";

const CASES: readonly Case[] = [
  { record: null, expected: "none" },
  { record: "", expected: "neutral by the end of the record" },
  // all, and the order of terms
  { record: "all", expected: "pass by all" },
  { record: "-all", expected: "fail by -all" },
  { record: "~all", expected: "softfail by ~all" },
  { record: "?all", expected: "neutral by ?all" },
  { record: "-all +all", expected: "fail by -all" },
  { record: "-ip4:192.0.2.1 +all", expected: "fail by -ip4:192.0.2.1" },
  // ip4, ip6
  { record: "ip4:192.0.2.1 -all", expected: "pass by ip4:192.0.2.1" },
  { record: "ip4:192.0.2.0/24 -all", expected: "pass by ip4:192.0.2.0/24" },
  { record: "ip4:192.0.2.128/25 -all", expected: "fail by -all" },
  { record: "ip4:0.0.0.0/0 -all", expected: "pass by ip4:0.0.0.0/0" },
  { record: "ip4:0.0.0.0/0 -all", address: V6, expected: "fail by -all" },
  { record: "ip6:2001:db8::/32 -all", address: V6, expected: "pass by ip6:2001:db8::/32" },
  { record: "ip6:2001:db8::2 -all", address: V6, expected: "fail by -all" },
  { record: "ip6:::/0 -all", expected: "fail by -all" },
  // a
  { record: "a -all", x: { A: ["192.0.2.1"] }, expected: "pass by a" },
  { record: "a -all", x: { A: ["192.0.2.2", "192.0.2.1"] }, expected: "pass by a" },
  { record: "a -all", x: { A: ["192.0.2.2"] }, expected: "fail by -all" },
  { record: "a -all", x: { AAAA: [V6] }, address: V6, expected: "pass by a" },
  { record: "a:here.test -all", expected: "pass by a:here.test" },
  { record: "a:here.test -all", address: V6, expected: "pass by a:here.test" },
  { record: "a:near.test -all", expected: "fail by -all" },
  { record: "a:near.test/24 -all", expected: "pass by a:near.test/24" },
  { record: "a:near.test//64 -all", expected: "fail by -all" },
  { record: "a:near.test//64 -all", address: V6, expected: "pass by a:near.test//64" },
  { record: "a:near.test/24 -all", address: V6, expected: "fail by -all" },
  // mx
  { record: "mx -all", x: { MX: [[1, "here.test"]] }, expected: "pass by mx" },
  { record: "mx -all", x: { MX: [[1, "away.test"], [2, "here.test"]] }, expected: "pass by mx" },
  { record: "mx -all", x: { MX: [[1, "gone.test"], [2, "here.test"]] }, expected: "pass by mx" },
  { record: "mx:here.test -all", address: V6, expected: "pass by mx:here.test" },
  { record: "mx:near.test/24 -all", expected: "pass by mx:near.test/24" },
  { record: "mx:away.test -all", expected: "fail by -all" },
  { record: "mx:null.test -all", expected: "fail by -all" },
  { record: "mx -all", x: { A: ["192.0.2.1"] }, expected: "fail by -all" },
  { record: "mx:many.test -all", expected: /^permerror .*more than 10 MX/ },
  // include
  { record: "include:pass.test -all", expected: "pass by include:pass.test" },
  { record: "~include:pass.test -all", expected: "softfail by ~include:pass.test" },
  { record: "include:fail.test ~all", expected: "softfail by ~all" },
  { record: "include:soft.test ?all", expected: "neutral by ?all" },
  { record: "include:empty.test -all", expected: /^permerror .*empty\.test.*no SPF record/ },
  { record: "include:gone.test -all", expected: /^permerror / },
  { record: "include:bad.test -all", expected: /^permerror "nonsense"/ },
  { record: "include:two.test -all", expected: /^permerror .*2 SPF records/ },
  // redirect
  { record: "redirect=pass.test", expected: "pass by ip4:192.0.2.1" },
  { record: "redirect=fail.test", expected: "fail by -all" },
  { record: "redirect=pass.test -all", expected: "fail by -all" },
  { record: "redirect=pass.test ip4:192.0.2.9", expected: "pass by ip4:192.0.2.1" },
  { record: "redirect=empty.test", expected: /^permerror .*redirect= has no SPF/ },
  // errors
  { record: "nonsense", expected: /^permerror "nonsense" cannot be read/ },
  { record: "+all nonsense", expected: /^permerror "nonsense"/ },
  { record: "redirect=fail.test redirect=pass.test", expected: /^permerror .*twice/ },
  { record: "include:loop.test -all", expected: /^permerror .*more than 10 look-ups/ },
  { record: "a:gone1.test mx:gone2.test -all", expected: "fail by -all" },
  { record: "a:gone1.test a:gone2.test a:empty.test -all", expected: /^permerror .*bring nothing/ },
  { record: `${"a:near.test ".repeat(10)}-all`, expected: "fail by -all" },
  { record: `${"a:near.test ".repeat(11)}-all`, expected: /^permerror .*10 look-ups/ },
  { record: `${"a:near.test ".repeat(10)}redirect=pass.test`, expected: /^permerror / },
  { record: `ip4:192.0.2.1 ${"a:near.test ".repeat(11)}-all`, expected: "pass by ip4:192.0.2.1" },
  // what hangs on more than the address
  { record: "exists:x.here.test -all", expected: /^cannot tell "exists:x\.here\.test"/ },
  { record: "ptr -all", expected: /^cannot tell "ptr"/ },
  { record: "a:%{d} -all", expected: /^cannot tell "a:%\{d\}" has macros/ },
  { record: "include:macro.test -all", expected: /^cannot tell "exists:%\{i\}\.test"/ },
  { record: "redirect=%{d}.test", expected: /^cannot tell "redirect=/ },
  { record: "redirect=macro.test", expected: /^cannot tell / },
  // ... and does not matter, for it would come to the same
  { record: "ptr ip4:192.0.2.1 -all", expected: "pass by ip4:192.0.2.1" },
  { record: "-exists:x.here.test -all", expected: "fail by -all" },
  { record: "ip4:192.0.2.1 exists:%{i}.test -all", expected: "pass by ip4:192.0.2.1" },
  { record: "-ptr ip4:192.0.2.1 -all", expected: /^cannot tell / },
  { record: "-exists:x.here.test include:fail.test -all", expected: "fail by -all" },
  // Behind what may match first, an error may never be met.
  { record: "exists:x.here.test include:gone.test -all", expected: /^cannot tell "exists:/ },
  { record: "exists:x.here.test redirect=bad.test", expected: /^cannot tell "exists:/ },
  { record: `${"ptr ".repeat(11)}-all`, expected: /^cannot tell "ptr"/ },
  { record: "include:gone.test exists:x.here.test -all", expected: /^permerror / },
  { record: "exists:x.here.test nonsense", expected: /^permerror "nonsense"/ },
  // What is included may be such an error, whatever comes after it.
  { record: "include:unsure.test ip4:192.0.2.1 -all", expected: /^cannot tell "exists:/ },
  { record: "include:%{d}.test ip4:192.0.2.1 -all", expected: /^cannot tell "include:/ },
  // What is included passes in no case.
  { record: "include:never.test -all", expected: "fail by -all" },
];

for (const { record, expected, address = "192.0.2.1", x = {} } of CASES) {
  const more = Object.keys(x).length > 0 ? ` with ${JSON.stringify(x)}` : "";
  Deno.test(`SPF "${record ?? "(none)"}"${more} says of ${address}: ${expected}`, async () => {
    const TXT = ["google-site-verification=abc", ...record === null ? [] : [`v=spf1 ${record}`]];
    const lookup = new ZoneLookup({ ...OTHERS, "x.test": { ...x, TXT } });
    const result = await checkHost(address, "x.test", lookup);
    const why = "by" in result ? ` by ${result.by}` : "why" in result ? ` ${result.why}` : "";
    const said = `${result.result}${why}`;
    if (typeof expected === "string") assert.equal(said, expected);
    else assert.match(said, expected);
  });
}

Deno.test("two records are an error (RFC 7208 4.5)", async () => {
  const result = await checkHost("192.0.2.1", "two.test", new ZoneLookup(OTHERS));
  assert.equal(result.result, "permerror");
});

Deno.test("a domain that does not exist has no record", async () => {
  const result = await checkHost("192.0.2.1", "gone.test", new ZoneLookup(OTHERS));
  assert.deepEqual(result, { result: "none" });
});

Deno.test("what the name server cannot say now is no verdict", async () => {
  for (const term of ["a:trouble.test", "mx:trouble.test", "include:trouble.test"]) {
    const lookup = new ZoneLookup({ ...OTHERS, "x.test": { TXT: [`v=spf1 ${term} -all`] } });
    await assert.rejects(checkHost("192.0.2.1", "x.test", lookup), ResolverError, term);
  }
});

Deno.test("terms behind the one that decides ask nothing", async () => {
  const zone = { ...OTHERS, "x.test": { TXT: ["v=spf1 ip4:192.0.2.1 a:here.test mx -all"] } };
  const lookup = new ZoneLookup(zone);
  await checkHost("192.0.2.1", "x.test", lookup);
  assert.equal(lookup.asked, 1);
});
