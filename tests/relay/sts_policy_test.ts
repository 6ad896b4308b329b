/** MTA-STS records and policies as their owners write them, right and wrong (RFC 8461 3). */

import assert from "node:assert/strict";
import {
  matchesMx,
  parseStsPolicy,
  parseStsRecord,
  printStsPolicy,
  StsPolicyError,
} from "../../src/relay/sts_policy.ts";

const RECORDS: readonly [text: string, id: string | undefined][] = [
  ["v=STSv1; id=20160831085700Z;", "20160831085700Z"],
  ["v=STSv1; id=1", "1"],
  ["v=STSv1;id=1;", "1"],
  ["v=STSv1 \t; \tid=aZ9 ; ", "aZ9"],
  ["v=STSv1; a_b-c.d=x,y; id=1; e=f", "1"],
  [`v=STSv1; id=${"1".repeat(32)}`, "1".repeat(32)],
  // Of a repeated field the first counts.
  ["v=STSv1; id=1; id=2", "1"],
  ["v=STSv1; id=-; id=2", undefined],
  [`v=STSv1; id=${"1".repeat(33)}`, undefined],
  ["v=STSv1; id=", undefined],
  ["v=STSv1; id=a b", undefined],
  ["v=STSv1; id=\u00e9", undefined],
  ["v=STSv1; id =1", undefined],
  ["v=STSv1; ID=1", undefined],
  ["v=STSv1; x; id=1", undefined],
  ["v=STSv1;; id=1", undefined],
  ["v=STSv1; a=b=c; id=1", undefined],
  ["v=STSv1;", undefined],
  ["v=STSv1", undefined],
  ["v=stsv1; id=1", undefined],
  ["v=STSv2; id=1", undefined],
  ["v=STSv10; id=1", undefined],
  ["id=1; v=STSv1;", undefined],
  [" v=STSv1; id=1", undefined],
  ["", undefined],
];

for (const [text, id] of RECORDS) {
  Deno.test(`the record ${JSON.stringify(text)} has ${id === undefined ? "no id" : "an id"}`, () => {
    assert.equal(parseStsRecord([text]), id);
  });
}

Deno.test("records of other kinds beside the one are passed over", () => {
  assert.equal(parseStsRecord(["v=spf1 -all", "v=STSv1; id=1;", "v=STSv2; id=2;"]), "1");
});

Deno.test("two records are as good as none, even where they are the same or one is not valid", () => {
  assert.equal(parseStsRecord([]), undefined);
  assert.equal(parseStsRecord(["v=STSv1; id=1;", "v=STSv1; id=1;"]), undefined);
  assert.equal(parseStsRecord(["v=STSv1; id=1;", "v=STSv1; id=-;"]), undefined);
});

const LINES = ["version: STSv1", "mode: enforce", "mx: mail.x.test", "max_age: 604800"];
const POLICY = { mode: "enforce", mx: ["mail.x.test"], maxAge: 604_800 };

/** A policy in which lines of these keys are replaced, or left out. */
function policy(changes: Readonly<Record<string, string | undefined>>): string {
  const lines = LINES.flatMap((line) => {
    const key = line.split(":")[0]!;
    return key in changes ? changes[key] ?? [] : line;
  });
  return lines.join("\n") + "\n";
}

for (const end of ["\n", "\r\n"]) {
  Deno.test(`lines end in ${JSON.stringify(end)}, the last one need not`, () => {
    assert.deepEqual(parseStsPolicy(LINES.join(end)), POLICY);
    assert.deepEqual(parseStsPolicy(LINES.join(end) + end), POLICY);
    assert.deepEqual(parseStsPolicy(LINES.join(end) + end + end), POLICY);
  });
}

Deno.test("the keys of a policy come in any order, with or without blanks", () => {
  const text = "mx:mail.x.test\nmax_age: \t604800  \nmode:  enforce\t\nversion:STSv1\n";
  assert.deepEqual(parseStsPolicy(text), POLICY);
});

Deno.test("every mx counts, in lower case", () => {
  const text = policy({ mx: "mx: Mail.X.test\nmx: *.Y.test\nmx: xn--mller-kva.test" });
  assert.deepEqual(parseStsPolicy(text).mx, ["mail.x.test", "*.y.test", "xn--mller-kva.test"]);
});

Deno.test("of every other key the first counts, and unknown ones do not matter", () => {
  const more = "mode: none\nversion: STSv2\nmax_age: x\nfoo.bar-baz_1: a: b \u00e9\nfoo:\n";
  assert.deepEqual(parseStsPolicy(policy({}) + more), POLICY);
});

for (const mode of ["enforce", "testing", "none"]) {
  Deno.test(`a policy can be of mode ${mode}`, () => {
    assert.equal(parseStsPolicy(policy({ mode: `mode: ${mode}` })).mode, mode);
  });
}

Deno.test("only mode none can do without mx", () => {
  assert.deepEqual(parseStsPolicy(policy({ mx: undefined, mode: "mode: none" })).mx, []);
  assert.throws(() => parseStsPolicy(policy({ mx: undefined })), /^StsPolicyError: mx is missing$/);
  assert.throws(
    () => parseStsPolicy(policy({ mx: undefined, mode: "mode: testing" })),
    /mx is mis/,
  );
});

Deno.test("a policy holds for a year at most", () => {
  assert.equal(parseStsPolicy(policy({ max_age: "max_age: 31557600" })).maxAge, 31_557_600);
  assert.equal(parseStsPolicy(policy({ max_age: "max_age: 0" })).maxAge, 0);
});

Deno.test("a policy has a hundred mx at most", () => {
  const mx = (count: number) =>
    Array.from({ length: count }, (_, i) => `mx: m${i}.test`).join("\n");
  assert.equal(parseStsPolicy(policy({ mx: mx(100) })).mx.length, 100);
  assert.throws(() => parseStsPolicy(policy({ mx: mx(101) })), /more than 100 mx/);
});

const WRONG: readonly [text: string, why: string][] = [
  ["", "version is missing"],
  [policy({ version: undefined }), "version is missing"],
  [policy({ version: "version: STSv2" }), 'version cannot be "STSv2"'],
  [policy({ version: "version: stsv1" }), 'version cannot be "stsv1"'],
  [policy({ version: "Version: STSv1" }), "version is missing"],
  [policy({ version: "version: STSv2\nversion: STSv1" }), 'version cannot be "STSv2"'],
  [policy({ mode: undefined }), "mode is missing"],
  [policy({ mode: "mode: Enforce" }), 'mode cannot be "Enforce"'],
  [policy({ max_age: undefined }), "max_age is missing"],
  [policy({ max_age: "max_age: 31557601" }), 'max_age cannot be "31557601"'],
  [policy({ max_age: "max_age: -1" }), 'max_age cannot be "-1"'],
  [policy({ max_age: "max_age: 1e3" }), 'max_age cannot be "1e3"'],
  [policy({ max_age: "max_age: 00000000001" }), 'max_age cannot be "00000000001"'],
  [policy({ max_age: "max_age:" }), 'max_age cannot be ""'],
  [policy({ mx: "mx: mail.x.test other.x.test" }), 'mx cannot be "mail.x.test other.x.test"'],
  [policy({ mx: "mx: *" }), 'mx cannot be "*"'],
  [policy({ mx: "mx: *.*.test" }), 'mx cannot be "*.*.test"'],
  [policy({ mx: "mx: m*.x.test" }), 'mx cannot be "m*.x.test"'],
  [policy({ mx: "mx: .x.test" }), 'mx cannot be ".x.test"'],
  [policy({ mx: "mx: m\u00fcller.test" }), 'mx cannot be "m?ller.test"'],
  [policy({ mx: "mx:" }), 'mx cannot be ""'],
  [policy({ mx: `mx: ${"x".repeat(99)}` }), `mx cannot be "${"x".repeat(80)}"`],
  ["<!DOCTYPE html>", 'line 1 is no key with a value: "<!DOCTYPE html>"'],
  ["version: STSv1\nmode : none", 'line 2 is no key with a value: "mode : none"'],
  ["version: STSv1\n\x1b[31m\u202e", 'line 2 is no key with a value: "?[31m?"'],
  ["version: STSv1\rmode: none", 'line 1 is no key with a value: "version: STSv1?mode: none"'],
];

for (const [text, why] of WRONG) {
  Deno.test(`a policy is refused: ${why}`, () => {
    assert.throws(() => parseStsPolicy(text), (error) => {
      assert.ok(error instanceof StsPolicyError);
      assert.equal(error.message, why);
      return true;
    });
  });
}

const HOSTS: readonly [pattern: string, host: string, matches: boolean][] = [
  ["mail.x.test", "mail.x.test", true],
  ["mail.x.test", "MAIL.X.test", true],
  ["mail.x.test", "mail.x.test.", true],
  ["mail.x.test", "a.mail.x.test", false],
  ["mail.x.test", "x.test", false],
  ["mail.x.test", "mailxxxtest", false],
  ["*.x.test", "mail.x.test", true],
  ["*.x.test", "Mail.X.Test", true],
  ["*.x.test", "x.test", false],
  ["*.x.test", "a.b.x.test", false],
  ["*.x.test", ".x.test", false],
  ["*.x.test", "mail.y.test", false],
  ["*.x.test", "mailx.test", false],
  ["*.test", "test", false],
  ["x.test", "", false],
  ["x.test", "[192.0.2.1]", false],
];

for (const [pattern, host, matches] of HOSTS) {
  Deno.test(`${pattern} ${matches ? "allows" : "does not allow"} "${host}"`, () => {
    assert.equal(matchesMx({ mx: [pattern] }, host), matches);
  });
}

Deno.test("one pattern of several is enough, without any no host is allowed", () => {
  assert.ok(matchesMx({ mx: ["a.test", "*.b.test"] }, "mx.b.test"));
  assert.ok(!matchesMx({ mx: [] }, "mx.b.test"));
});

Deno.test("a policy that is printed is read as the same", () => {
  const policies = [
    { mode: "enforce", mx: ["mail.x.test", "*.y.test"], maxAge: 604800 },
    { mode: "testing", mx: ["x.test"], maxAge: 0 },
    { mode: "none", mx: [], maxAge: 31557600 },
  ] as const;
  for (const policy of policies) assert.deepEqual(parseStsPolicy(printStsPolicy(policy)), policy);
});

Deno.test("a record or a policy that is long for no reason is none, and found so at once", () => {
  const blanks = " ".repeat(2_000_000);
  assert.equal(parseStsRecord([`v=STSv1; id=1; x${blanks}y`]), undefined);
  assert.throws(() => parseStsPolicy(`version: STSv1\nfoo: a${blanks}b\n`), StsPolicyError);
});
