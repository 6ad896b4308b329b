/** The SPF record that is proposed admits the address, whatever stood there before. */

import assert from "node:assert/strict";
import { checkHost } from "../../src/checks/check_host.ts";
import { mended } from "../../src/checks/spf_mend.ts";
import { ZoneLookup } from "./zone.ts";

const ADDRESSES = ["192.0.2.1", "2001:db8::1"];

/** Rejects where the record for these does not admit one of them. */
async function assertAdmits(records: readonly string[]): Promise<void> {
  const record = mended(records, ADDRESSES);
  // Nothing else is in DNS: whatever would be asked for is not there.
  const lookup = new ZoneLookup({ "x.test": { TXT: [record] } });
  for (const address of ADDRESSES) {
    const result = await checkHost(address, "x.test", lookup);
    const trace = `${JSON.stringify(records)} became "${record}"`;
    assert.equal(result.result, "pass", `${trace}: ${JSON.stringify(result)}`);
  }
}

const UGLY: readonly (readonly string[])[] = [
  [],
  ["v=spf1"],
  ["V=SPF1 -ALL"],
  ["v=spf1 redirect=nodots"],
  ["v=spf1 redirect=a.example redirect=b.example"],
  ["v=spf1 redirect=a.example REDIRECT=A.example"],
  ["v=spf1 redirect=a.example", "v=spf1 redirect=b.example"],
  ["v=spf1 redirect=a.example", "v=spf1 mx ~all"],
  ["v=spf1 exp=x -all"],
  ["v=spf1 exp=a.example -all exp=b.example"],
  ["v=spf1 exp=a.example -all", "v=spf1 exp=b.example ?all"],
  ["v=spf1 x=% y=%{d -all"],
  ["v=spf1 -ip4:192.0.2.1 -ip6:2001:db8::1 -all"],
  ["v=spf1 ip4:192.0.2.1 ip4:192.0.2.1 +all -all"],
  ["v=spf1 -all ip4:192.0.2.1"],
  ["v=spf1 ip4:192.0.2.0/33 ip6:nothing a:localhost -all"],
  ["v=spf1\tmx -all", "v=spf1 mx\t-all"],
  ["v=spf1 a\u0007 m\u00fcller:x.example \ufeffmx -all"],
  [`v=spf1 ${"include:a.example ".repeat(20)}-all`],
  ["v=spf1 exists:%{d2/}.x.example exists:%(i).x.example -all"],
];

for (const records of UGLY) {
  Deno.test(`what is proposed for ${JSON.stringify(records)} admits the address`, async () => {
    await assertAdmits(records);
  });
}

const TERMS = [
  ...["all", "-all", "~all", "?ALL", "al", "all:x.example", "all/8"],
  ...["a", "-a", "a/24", "a//129", "a:", "a:localhost", "a:b.example/24//64", "mx", "mx:%{d}"],
  ...["ip4:192.0.2.1", "-ip4:192.0.2.1", "ip4:192.0.2.1/33", "ip4:", "ip6:2001:db8::1", "ip6:1"],
  ...["include:a.example", "-include:b.example", "include:nodots", "include:%{d}.a"],
  ...["exists:%{d2/}.x.example", "-exists:%{ir}.b.example", "exists:%", "ptr", "ptr:", "-ptr"],
  ...["redirect=a.example", "redirect=b.example", "REDIRECT=c.example", "redirect=nodots"],
  ...["redirect=%{d", "redirect=", "exp=a.example", "Exp=b.example", "exp=x", "exp=%{c}", "exp="],
  ...["x=y", "x=y", "X=%{d}", "x=%", "ra=\u00e9", "v=spf1", "=", ":", "-", '"', "\\"],
];

/** Numbers that look random and are the same again for the same seed (a linear generator). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

Deno.test("what is proposed for any mixture of terms admits the address", async () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const below = numbers(seed);
    const record = () => {
      const terms = Array.from({ length: below(12) }, () => TERMS[below(TERMS.length)]);
      return ["v=spf1", ...terms].join(" ");
    };
    await assertAdmits(Array.from({ length: below(4) }, record));
  }
});

Deno.test("what can be read of the records stays, in its order, modifiers last", () => {
  assert.equal(
    mended(["v=spf1 exp=e.example -a x=y mx nonsense ~all", "v=spf1 mx ptr -all"], ["192.0.2.1"]),
    "v=spf1 ip4:192.0.2.1 -a x=y mx ptr ~all exp=e.example",
  );
});
