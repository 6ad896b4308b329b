/** Which policy holds for a domain, and how often its owner is asked for it (RFC 8461 3.3, 5.1). */

import assert from "node:assert/strict";
import { type Answer, ResolverError } from "../../src/relay/resolver.ts";
import { CachedStsPolicies } from "../../src/relay/sts.ts";
import type { HeldPolicies, StsMemory } from "../../src/relay/sts_memory.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import { settled } from "../support/settled.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const WEEK = 7 * DAY;

const policyText = (host: string, { mode = "enforce", maxAge = WEEK / SECOND } = {}) =>
  `version: STSv1\nmode: ${mode}\nmx: ${host}\nmax_age: ${maxAge}\n`;

/** Keeps policies over restarts. */
class TestMemory implements StsMemory {
  kept: HeldPolicies = new Map();
  /** How often. */
  keeps = 0;

  recall(): Promise<HeldPolicies> {
    return Promise.resolve(this.kept);
  }

  keep(policies: HeldPolicies): void {
    this.kept = policies;
    this.keeps++;
  }
}

/** A domain with a policy for the host m1, whose outcomes may be changed. */
function setUp(memory = new TestMemory()) {
  const clock = { time: Date.UTC(2026, 10, 22, 12), now: () => clock.time };
  const log = new CollectingLog();
  /** Every question, `TXT _mta-sts.x.test` or `GET x.test`. */
  const asked: string[] = [];
  const domain = {
    txt: (): Promise<Answer<string>> => records("v=STSv1; id=1;"),
    fetch: () => Promise.resolve(policyText("m1.test")),
  };
  const policies = new CachedStsPolicies({
    txt: (name) => {
      asked.push(`TXT ${name}`);
      return domain.txt();
    },
    fetch: (name) => {
      asked.push(`GET ${name}`);
      return domain.fetch();
    },
    memory,
    clock,
    log,
  });
  /** The hosts that the policy for a domain allows. */
  const hostsFor = async (name = "x.test") => (await policies.policyFor(name))?.mx;
  /** What was asked since the last time. */
  const news = () => asked.splice(0);
  return { clock, log, domain, policies, memory, hostsFor, news };
}

function records(...texts: string[]): Promise<Answer<string>> {
  return Promise.resolve({ kind: "records", records: texts });
}

const trouble = () => Promise.reject(new ResolverError("no usable answer"));
const failure = () => Promise.reject(new Error("certificate expired"));

const LOOK = ["TXT _mta-sts.x.test"];
const FETCH = [...LOOK, "GET x.test"];

Deno.test("a domain's policy is looked up, fetched, and then known", async () => {
  const { policies, news } = setUp();
  const policy = { mode: "enforce", mx: ["m1.test"], maxAge: WEEK / SECOND };
  assert.deepEqual(await policies.policyFor("x.test"), policy);
  assert.deepEqual(await policies.policyFor("X.Test"), policy);
  assert.deepEqual(news(), FETCH);
});

for (const domain of ["[192.0.2.1]", "[IPv6:2001:db8::1]", "", "a_b.test", "x.test."]) {
  Deno.test(`what is no domain name has no policy, nobody is asked: "${domain}"`, async () => {
    const { hostsFor, news } = setUp();
    assert.equal(await hostsFor(domain), undefined);
    assert.deepEqual(news(), []);
  });
}

for (const kind of ["no data", "no such domain"] as const) {
  Deno.test(`a domain without a record has no policy and nothing is fetched: ${kind}`, async () => {
    const { hostsFor, domain, clock, log, news } = setUp();
    domain.txt = () => Promise.resolve({ kind });
    assert.equal(await hostsFor(), undefined);
    clock.time += 5 * MINUTE - 1;
    assert.equal(await hostsFor(), undefined);
    assert.deepEqual(news(), LOOK);
    clock.time += 1;
    assert.equal(await hostsFor(), undefined);
    assert.deepEqual(news(), LOOK);
    assert.deepEqual(log.all, []);
  });
}

Deno.test("a record that does not count is none", async () => {
  const { hostsFor, domain, news } = setUp();
  domain.txt = () => records("v=STSv1; id=1;", "v=STSv1; id=2;");
  assert.equal(await hostsFor(), undefined);
  assert.deepEqual(news(), LOOK);
});

Deno.test("the record is looked at again after five minutes, the same id fetches nothing", async () => {
  const { hostsFor, clock, news } = setUp();
  await hostsFor();
  clock.time += 5 * MINUTE - 1;
  await hostsFor();
  assert.deepEqual(news(), FETCH);
  clock.time += 1;
  assert.deepEqual(await hostsFor(), ["m1.test"]);
  assert.deepEqual(news(), LOOK);
});

Deno.test("a new id brings the new policy", async () => {
  const { hostsFor, domain, clock, news } = setUp();
  await hostsFor();
  domain.txt = () => records("v=STSv1; id=2;");
  domain.fetch = () => Promise.resolve(policyText("m2.test"));
  clock.time += 5 * MINUTE;
  assert.deepEqual(await hostsFor(), ["m2.test"]);
  clock.time += 5 * MINUTE;
  assert.deepEqual(await hostsFor(), ["m2.test"]);
  assert.deepEqual(news(), [...FETCH, ...FETCH, ...LOOK]);
});

Deno.test("a policy is fetched again after a day, though its id is the same", async () => {
  const { hostsFor, domain, clock, news } = setUp();
  await hostsFor();
  domain.fetch = () => Promise.resolve(policyText("m2.test"));
  clock.time += DAY;
  assert.deepEqual(await hostsFor(), ["m2.test"]);
  assert.deepEqual(news(), [...FETCH, ...FETCH]);
});

/** What keeps a known policy from being renewed, and whether the operator should hear of it. */
const OBSTACLES = {
  "the name servers fail": { txt: trouble, told: "no usable answer" },
  "the record is gone": { txt: () => Promise.resolve({ kind: "no data" } as const) },
  "the record became two": { txt: () => records("v=STSv1; id=2;", "v=STSv1; id=3;") },
  "the new policy cannot be fetched": {
    txt: () => records("v=STSv1; id=2;"),
    fetch: failure,
    told: "certificate expired",
  },
  "the new policy is none": {
    txt: () => records("v=STSv1; id=2;"),
    fetch: () => Promise.resolve("<html>"),
    told: 'line 1 is no key with a value: "<html>"',
  },
};

for (const [what, { told, ...outcomes }] of Object.entries<Obstacle>(OBSTACLES)) {
  Deno.test(`a policy holds until it expires although ${what}`, async () => {
    const { hostsFor, domain, clock, log } = setUp();
    await hostsFor();
    Object.assign(domain, outcomes);
    clock.time += 5 * MINUTE;
    assert.deepEqual(await hostsFor(), ["m1.test"]);
    const fields = told === undefined ? [] : [{ domain: "x.test", error: told }];
    assert.deepEqual(log.fieldsOf("policy unusable"), fields);
    clock.time += WEEK - 5 * MINUTE - 1;
    assert.deepEqual(await hostsFor(), ["m1.test"]);
    clock.time += 1;
    assert.equal(await hostsFor(), undefined);
  });
}

interface Obstacle {
  readonly txt: () => Promise<Answer<string>>;
  readonly fetch?: () => Promise<string>;
  readonly told?: string;
}

for (const maxAge of [0, 60]) {
  Deno.test(`a policy that should hold for ${maxAge} s holds for five minutes, unasked`, async () => {
    const { hostsFor, domain, clock, news } = setUp();
    domain.fetch = () => Promise.resolve(policyText("m1.test", { maxAge }));
    assert.deepEqual(await hostsFor(), ["m1.test"]);
    domain.fetch = failure;
    clock.time += 5 * MINUTE - 1;
    assert.deepEqual(await hostsFor(), ["m1.test"]);
    assert.deepEqual(news(), FETCH);
    clock.time += 1;
    assert.equal(await hostsFor(), undefined);
    assert.deepEqual(news(), FETCH);
  });
}

Deno.test("a failure is told once and not tried again for five minutes", async () => {
  const { hostsFor, domain, clock, log, news } = setUp();
  domain.fetch = failure;
  assert.equal(await hostsFor(), undefined);
  clock.time += 5 * MINUTE - 1;
  assert.equal(await hostsFor(), undefined);
  assert.deepEqual(news(), FETCH);
  assert.deepEqual(log.all, [{
    level: "warn",
    event: "policy unusable",
    fields: { domain: "x.test", error: "certificate expired" },
  }]);
  clock.time += 1;
  domain.fetch = () => Promise.resolve(policyText("m1.test"));
  assert.deepEqual(await hostsFor(), ["m1.test"]);
});

Deno.test("five minutes count from the end of a fetch that failed late", async () => {
  const { hostsFor, domain, clock, news } = setUp();
  domain.fetch = () => {
    clock.time += MINUTE;
    return failure();
  };
  await hostsFor();
  clock.time += 5 * MINUTE - 1;
  await hostsFor();
  assert.deepEqual(news(), FETCH);
});

Deno.test("name servers that fail are no policy, and no news for a domain without one", async () => {
  const { hostsFor, domain, log, clock, news } = setUp();
  domain.txt = trouble;
  assert.equal(await hostsFor(), undefined);
  assert.equal(await hostsFor(), undefined);
  assert.deepEqual(news(), LOOK);
  assert.deepEqual(log.all, []);
  clock.time += 5 * MINUTE;
  domain.txt = () => records("v=STSv1; id=1;");
  assert.deepEqual(await hostsFor(), ["m1.test"]);
});

Deno.test("who withdraws a policy by mode none may take its host away unnoticed", async () => {
  const { policies, domain, clock, log } = setUp();
  domain.fetch = () => Promise.resolve(policyText("m1.test", { mode: "none" }));
  assert.equal((await policies.policyFor("x.test"))?.mode, "none");
  domain.fetch = failure;
  clock.time += DAY;
  assert.equal((await policies.policyFor("x.test"))?.mode, "none");
  assert.deepEqual(log.all, []);
});

Deno.test("all who ask at a time share one answer", async () => {
  const { hostsFor, domain, news } = setUp();
  const { promise, resolve } = Promise.withResolvers<string>();
  domain.fetch = () => promise;
  const all = Promise.all([hostsFor(), hostsFor("X.TEST"), hostsFor()]);
  resolve(policyText("m1.test"));
  assert.deepEqual(await all, [["m1.test"], ["m1.test"], ["m1.test"]]);
  assert.deepEqual(news(), FETCH);
});

Deno.test("what a stranger's words bring into the log is short and printable", async () => {
  const { hostsFor, domain, log } = setUp();
  domain.fetch = () => Promise.reject(new Error(`\x1b[31m\u202eab\u00e9\n${"x".repeat(1000)}`));
  await hostsFor();
  const error = `?[31m?ab??${"x".repeat(290)}`;
  assert.deepEqual(log.fieldsOf("policy unusable"), [{ domain: "x.test", error }]);
});

Deno.test("what is thrown need not be an error", async () => {
  const { hostsFor, domain } = setUp();
  domain.fetch = () => Promise.reject("no");
  assert.equal(await hostsFor(), undefined);
  domain.txt = () => {
    throw new TypeError("no");
  };
  assert.equal(await hostsFor("y.test"), undefined);
});

Deno.test("after forgetting everything is looked at anew, but what holds goes on to hold", async () => {
  const { hostsFor, domain, policies, news } = setUp();
  await hostsFor();
  domain.txt = trouble;
  policies.forget();
  assert.deepEqual(await hostsFor(), ["m1.test"]);
  assert.deepEqual(news(), [...FETCH, ...LOOK]);
});

Deno.test("after forgetting a failure is tried again at once", async () => {
  const { hostsFor, domain, policies } = setUp();
  domain.fetch = failure;
  await hostsFor();
  policies.forget();
  domain.fetch = () => Promise.resolve(policyText("m1.test"));
  assert.deepEqual(await hostsFor(), ["m1.test"]);
});

Deno.test("an answer under way when all is forgotten serves only those who waited for it", async () => {
  const { hostsFor, domain, policies } = setUp();
  const { promise, resolve } = Promise.withResolvers<string>();
  domain.fetch = () => promise;
  const before = hostsFor();
  await settled();
  policies.forget();
  domain.fetch = () => Promise.resolve(policyText("m2.test"));
  assert.deepEqual(await hostsFor(), ["m2.test"]);
  resolve(policyText("m1.test"));
  assert.deepEqual(await before, ["m1.test"]);
  assert.deepEqual(await hostsFor(), ["m2.test"]);
});

Deno.test("a clock that is set back makes nothing hold for longer", async () => {
  const { hostsFor, domain, clock } = setUp();
  assert.deepEqual(await hostsFor(), ["m1.test"]);
  domain.txt = trouble;
  clock.time -= 2 * WEEK;
  assert.equal(await hostsFor(), undefined);
});

Deno.test("of more than 1000 domains with policies the one that was looked at longest ago is forgotten", async () => {
  const { hostsFor, clock, news } = setUp();
  for (let i = 0; i < 1000; i++) await hostsFor(`x${i}.test`);
  clock.time += 5 * MINUTE;
  await hostsFor("x0.test");
  await hostsFor("another.test");
  news();
  await hostsFor("x0.test");
  assert.deepEqual(news(), []);
  await hostsFor("x1.test");
  assert.deepEqual(news(), ["TXT _mta-sts.x1.test", "GET x1.test"]);
});

Deno.test("domains without a policy push each other out, and none that has one", async () => {
  const { hostsFor, domain, news } = setUp();
  await hostsFor();
  domain.txt = trouble;
  for (let i = 0; i <= 1000; i++) await hostsFor(`y${i}.test`);
  news();
  assert.deepEqual(await hostsFor(), ["m1.test"]);
  await hostsFor("y1.test");
  assert.deepEqual(news(), []);
  await hostsFor("y0.test");
  assert.deepEqual(news(), ["TXT _mta-sts.y0.test"]);
});

/** Another start, with nothing but what was kept; its name servers fail. */
async function restart({ memory, clock }: Pick<ReturnType<typeof setUp>, "memory" | "clock">) {
  const next = setUp(memory);
  next.clock.time = clock.time;
  next.domain.txt = trouble;
  await next.policies.recall();
  return next;
}

Deno.test("a policy holds over a restart for as long as it would have without", async () => {
  const first = setUp();
  await first.hostsFor();
  first.clock.time += WEEK - 1;
  const { hostsFor, clock, news } = await restart(first);
  assert.deepEqual(await hostsFor(), ["m1.test"]);
  assert.deepEqual(news(), LOOK);
  clock.time += 1;
  assert.equal(await hostsFor(), undefined);
});

Deno.test("after a restart the same id fetches nothing, a new one brings the new policy", async () => {
  const first = setUp();
  await first.hostsFor();
  const { hostsFor, domain, clock, news } = await restart(first);
  domain.txt = () => records("v=STSv1; id=1;");
  domain.fetch = () => Promise.resolve(policyText("m2.test"));
  assert.deepEqual(await hostsFor(), ["m1.test"]);
  assert.deepEqual(news(), LOOK);
  domain.txt = () => records("v=STSv1; id=2;");
  clock.time += 5 * MINUTE;
  assert.deepEqual(await hostsFor(), ["m2.test"]);
});

for (const [what, set] of [["set back", -2 * WEEK], ["past its time", WEEK]] as const) {
  Deno.test(`what was kept does not hold with a clock that is ${what}`, async () => {
    const first = setUp();
    await first.hostsFor();
    first.clock.time += set;
    const { hostsFor, domain, memory } = await restart(first);
    assert.equal(await hostsFor(), undefined);
    // Nor is it kept any longer.
    domain.txt = () => records("v=STSv1; id=1;");
    await hostsFor("y.test");
    assert.deepEqual([...memory.kept.keys()], ["y.test"]);
  });
}

Deno.test("policies are kept when one is fetched, and only then", async () => {
  const { hostsFor, domain, clock, memory } = setUp();
  await hostsFor();
  await hostsFor();
  clock.time += 5 * MINUTE;
  await hostsFor();
  domain.txt = trouble;
  clock.time += 5 * MINUTE;
  await hostsFor();
  await hostsFor("y.test");
  assert.equal(memory.keeps, 1);
  domain.txt = () => records("v=STSv1; id=2;");
  clock.time += 5 * MINUTE;
  await hostsFor();
  assert.equal(memory.keeps, 2);
  assert.deepEqual([...memory.kept].map(([name, { id }]) => `${name} ${id}`), ["x.test 2"]);
});

Deno.test("after forgetting, the policy that an earlier question brings is not kept", async () => {
  const { hostsFor, domain, policies, memory } = setUp();
  const { promise, resolve } = Promise.withResolvers<string>();
  domain.fetch = () => promise;
  const before = hostsFor();
  await settled();
  policies.forget();
  resolve(policyText("m1.test"));
  await before;
  assert.equal(memory.keeps, 0);
});
