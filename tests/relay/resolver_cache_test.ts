/** Answers are remembered for a while, failures never. */

import assert from "node:assert/strict";
import { type Answer, type MxRecord, ResolverError } from "../../src/relay/resolver.ts";
import { CachedResolver } from "../../src/relay/resolver_cache.ts";

const MINUTE = 60_000;
const ANSWER: Answer<MxRecord> = {
  kind: "records",
  records: [{ preference: 1, exchange: "mx.test" }],
};
const ADDRESS: Answer<string> = { kind: "records", records: ["192.0.2.1"] };

/** Counts what it is asked; `outcome` may be changed. */
function setUp() {
  const asked: string[] = [];
  const clock = { time: 1_000_000, now: () => clock.time };
  const source = {
    outcome: (): Promise<Answer<MxRecord>> => Promise.resolve(ANSWER),
    mx: (name: string): Promise<Answer<MxRecord>> => {
      asked.push(`MX ${name}`);
      return source.outcome();
    },
    addresses: (name: string): Promise<Answer<string>> => {
      asked.push(`A ${name}`);
      return Promise.resolve(ADDRESS);
    },
  };
  return { source, asked, clock, cache: new CachedResolver(source, clock) };
}

Deno.test("what was answered is not asked again for five minutes, whatever its case", async () => {
  const { cache, clock, asked } = setUp();
  assert.deepEqual(await cache.mx("x.test"), ANSWER);
  clock.time += 5 * MINUTE - 1;
  assert.deepEqual(await cache.mx("X.Test"), ANSWER);
  assert.deepEqual(asked, ["MX x.test"]);
  clock.time += 1;
  await cache.mx("x.test");
  assert.deepEqual(asked, ["MX x.test", "MX x.test"]);
});

Deno.test("MX records and addresses of one name are two things", async () => {
  const { cache, asked } = setUp();
  assert.deepEqual(await cache.mx("x.test"), ANSWER);
  assert.deepEqual(await cache.addresses("x.test"), ADDRESS);
  assert.deepEqual(await cache.addresses("x.test"), ADDRESS);
  assert.deepEqual(asked, ["MX x.test", "A x.test"]);
});

for (const kind of ["no data", "no such domain"] as const) {
  Deno.test(`that there is ${kind} is remembered`, async () => {
    const { cache, source, asked } = setUp();
    source.outcome = () => Promise.resolve({ kind });
    assert.deepEqual(await cache.mx("x.test"), { kind });
    assert.deepEqual(await cache.mx("x.test"), { kind });
    assert.equal(asked.length, 1);
  });
}

Deno.test("a failure is told to all who wait for it and is then forgotten", async () => {
  const { cache, source, asked } = setUp();
  source.outcome = () => Promise.reject(new ResolverError("trouble"));
  const both = await Promise.allSettled([cache.mx("x.test"), cache.mx("x.test")]);
  assert.deepEqual(both.map(({ status }) => status), ["rejected", "rejected"]);
  assert.equal(asked.length, 1);
  source.outcome = () => Promise.resolve(ANSWER);
  assert.deepEqual(await cache.mx("x.test"), ANSWER);
});

Deno.test("a question under way is joined", async () => {
  const { cache, source, asked } = setUp();
  const { promise, resolve } = Promise.withResolvers<Answer<MxRecord>>();
  source.outcome = () => promise;
  const both = Promise.all([cache.mx("x.test"), cache.mx("x.test")]);
  resolve(ANSWER);
  assert.deepEqual(await both, [ANSWER, ANSWER]);
  assert.equal(asked.length, 1);
});

Deno.test("a late failure does not throw out the answer to a later question", async () => {
  const { cache, source, clock, asked } = setUp();
  const { promise, reject } = Promise.withResolvers<Answer<MxRecord>>();
  source.outcome = () => promise;
  const first = cache.mx("x.test");
  clock.time += 5 * MINUTE;
  source.outcome = () => Promise.resolve(ANSWER);
  await cache.mx("x.test");
  reject(new ResolverError("late"));
  await assert.rejects(first);
  await cache.mx("x.test");
  assert.equal(asked.length, 2);
});

Deno.test("a clock that is set back makes nothing hold for longer", async () => {
  const { cache, clock, asked } = setUp();
  await cache.mx("x.test");
  clock.time -= 60 * MINUTE;
  await cache.mx("x.test");
  assert.equal(asked.length, 2);
});

Deno.test("of more than 1000 names the oldest is forgotten", async () => {
  const { cache, asked } = setUp();
  for (let i = 0; i <= 1000; i++) await cache.mx(`x${i}.test`);
  assert.equal(asked.length, 1001);
  await cache.mx("x1.test");
  await cache.mx("x1000.test");
  assert.equal(asked.length, 1001);
  await cache.mx("x0.test");
  assert.equal(asked.length, 1002);
});

Deno.test("a name that was asked about anew is not the oldest any more", async () => {
  const { cache, clock, asked } = setUp();
  for (let i = 0; i < 1000; i++) await cache.mx(`x${i}.test`);
  clock.time += 5 * MINUTE;
  await cache.mx("x0.test");
  await cache.mx("another.test");
  assert.equal(asked.length, 1002);
  await cache.mx("x0.test");
  assert.equal(asked.length, 1002);
});
