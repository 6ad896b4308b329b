/** Who may try how many passwords, and how soon. */

import assert from "node:assert/strict";
import { LoginLimits, Standing } from "../../src/receiver/login_limits.ts";

const MINUTE = 60_000;
const WINDOW = 15 * MINUTE;

/** Limits with a time of their own, in which attempts wait as they are told to. */
class Attempts {
  readonly limits = new LoginLimits();
  now = 0;
  #passwords = 0;

  /** One that is wrong, with a password of its own. Returns how long it waited; undefined: not tried. */
  fail(network: string, name: string): number | undefined {
    const wait = this.#enter(network, name);
    if (wait === undefined) return undefined;
    this.limits.failed(network, name, `wrong ${this.#passwords++}`, this.now);
    this.limits.end(network);
    return wait;
  }

  /** One that is right. */
  succeed(network: string, name: string): number | undefined {
    const wait = this.#enter(network, name);
    if (wait === undefined) return undefined;
    this.limits.accepted(network, name, this.now);
    this.limits.end(network);
    return wait;
  }

  #enter(network: string, name: string): number | undefined {
    const wait = this.limits.enter(network, name, this.now);
    if (wait === undefined) return undefined;
    this.now += wait;
    if (wait > 0) this.limits.waited(network);
    return this.limits.begin(network, name, this.now) ? wait : undefined;
  }
}

const times = <T>(count: number, act: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => act(i));

Deno.test("each failure makes the next attempt wait longer, and after ten there is none", () => {
  const attempts = new Attempts();
  assert.deepEqual(
    times(12, (i) => attempts.fail("192.0.2.1", `name ${i}`)),
    [0, 1000, 2000, 4000, 8000, 16_000, 16_000, 16_000, 16_000, 16_000, undefined, undefined],
  );
});

Deno.test("who has waited by itself waits no more", () => {
  const attempts = new Attempts();
  times(3, () => attempts.fail("192.0.2.1", "john"));
  attempts.now += 3000;
  assert.equal(attempts.fail("192.0.2.1", "john"), 1000);
  attempts.now += 9000;
  assert.equal(attempts.fail("192.0.2.1", "john"), 0);
});

Deno.test("fifteen minutes after the last failure all are forgotten, not after the first", () => {
  const attempts = new Attempts();
  times(5, () => attempts.fail("192.0.2.1", "john"));
  attempts.now += WINDOW - 1;
  assert.equal(attempts.fail("192.0.2.1", "john"), 0);
  times(4, () => attempts.fail("192.0.2.1", "john"));
  assert.equal(attempts.fail("192.0.2.1", "john"), undefined);
  // What is refused does not count.
  attempts.now += WINDOW - 1;
  assert.equal(attempts.fail("192.0.2.1", "john"), undefined);
  attempts.now += 1;
  assert.equal(attempts.fail("192.0.2.1", "john"), 0);
  assert.equal(attempts.fail("192.0.2.1", "john"), 1000);
});

Deno.test("one attempt of a network waits for its delay, the next ones are not tried", () => {
  const attempts = new Attempts();
  const { limits } = attempts;
  attempts.fail("192.0.2.1", "john");
  assert.equal(limits.enter("192.0.2.1", "john", 0), 1000);
  assert.equal(limits.enter("192.0.2.1", "jack", 500), undefined);
  assert.equal(limits.enter("192.0.2.2", "john", 500), 0);
  limits.waited("192.0.2.1");
  assert.equal(limits.enter("192.0.2.1", "jack", 500), 500);
});

Deno.test("attempts at once are not more than those one after the other", () => {
  const { limits } = new Attempts();
  const entered = times(50, () => limits.enter("192.0.2.1", "john", 0));
  assert.ok(entered.every((wait) => wait === 0));
  const begun = times(50, () => limits.begin("192.0.2.1", "john", 0));
  assert.equal(begun.filter(Boolean).length, 10);
  // The others' turn comes when some of these were right.
  limits.accepted("192.0.2.1", "john", 0);
  limits.end("192.0.2.1");
  assert.deepEqual(times(2, () => limits.begin("192.0.2.1", "john", 0)), [true, false]);
});

Deno.test("a success forgives the failures for its own name", () => {
  const attempts = new Attempts();
  times(9, () => attempts.fail("192.0.2.1", "john"));
  attempts.succeed("192.0.2.1", "john");
  assert.equal(attempts.fail("192.0.2.1", "john"), 0);
});

Deno.test("a success forgives no failure for another name", () => {
  const attempts = new Attempts();
  const guessed = times(30, () => {
    attempts.succeed("192.0.2.1", "mallory");
    return attempts.fail("192.0.2.1", "john");
  });
  assert.equal(guessed.filter((wait) => wait !== undefined).length, 10);
  assert.equal(attempts.succeed("192.0.2.1", "mallory"), undefined);
});

Deno.test("a much tried name has three tries for who has failed for it, all of them for others", () => {
  const attempts = new Attempts();
  times(21, (i) => attempts.fail(`192.0.2.${i}`, "john"));
  assert.deepEqual(
    times(5, () => attempts.fail("198.51.100.1", "john")),
    [0, 1000, 2000, undefined, undefined],
  );
  // It has not failed for jack, and jack is not much tried.
  assert.equal(attempts.fail("198.51.100.1", "jack"), 4000);
  // These three come from where failures for john were one each.
  assert.deepEqual(
    times(3, () => attempts.fail("192.0.2.1", "john") !== undefined),
    [true, true, false],
  );
});

Deno.test("a name that is tried by thousands is open to who has not failed", () => {
  const attempts = new Attempts();
  times(5000, (i) => attempts.fail(`10.0.${i >> 8}.${i & 255}`, "john"));
  assert.equal(attempts.succeed("192.0.2.1", "john"), 0);
  assert.equal(attempts.fail("192.0.2.2", "jack"), 0);
  assert.equal(attempts.succeed("192.0.2.2", "john"), 1000, "its delay is for its own failure");
});

Deno.test("many at once for a much tried name are within what is had by who has not failed", () => {
  const attempts = new Attempts();
  times(50, (i) => attempts.fail(`192.0.2.${i}`, "john"));
  const begun = times(5, () => attempts.limits.begin("198.51.100.1", "john", attempts.now));
  assert.ok(begun.every(Boolean));
});

Deno.test("twenty failures for a name are few enough", () => {
  const attempts = new Attempts();
  times(11, (i) => attempts.fail(`192.0.2.${i}`, "john"));
  assert.equal(times(9, () => attempts.fail("198.51.100.1", "john")).at(-1), 16_000);
  assert.equal(attempts.fail("198.51.100.1", "john"), 16_000);
  assert.equal(attempts.fail("198.51.100.1", "john"), undefined);
});

Deno.test("a wrong password is known again, of its own network, as long as its failures", () => {
  const { limits } = new Attempts();
  limits.failed("192.0.2.1", "john", "fingerprint", 0);
  assert.equal(limits.isRepeated("192.0.2.1", "fingerprint", WINDOW - 1), true);
  assert.equal(limits.isRepeated("192.0.2.1", "another", 0), false);
  assert.equal(limits.isRepeated("192.0.2.2", "fingerprint", 0), false);
  assert.equal(limits.isRepeated("192.0.2.1", "fingerprint", WINDOW), false);
});

Deno.test("several wrong passwords are known again, each of a program of its own", () => {
  const { limits } = new Attempts();
  const programs = times(10, (i) => `program ${i}`);
  for (const fingerprint of programs) limits.failed("192.0.2.1", "john", fingerprint, 0);
  assert.ok(programs.every((fingerprint) => limits.isRepeated("192.0.2.1", fingerprint, 0)));
});

Deno.test("a success does not make a wrong password unknown: another device still has it", () => {
  const { limits } = new Attempts();
  limits.failed("192.0.2.1", "john", "fingerprint", 0);
  limits.accepted("192.0.2.1", "john", 0);
  assert.equal(limits.isRepeated("192.0.2.1", "fingerprint", 0), true);
});

Deno.test("networks stand by what is known of them", () => {
  const attempts = new Attempts();
  const standing = () => attempts.limits.standing("192.0.2.1", attempts.now);
  assert.equal(standing(), Standing.Unknown);
  attempts.fail("192.0.2.1", "john");
  assert.equal(standing(), Standing.Failing);
  attempts.succeed("192.0.2.1", "john");
  assert.equal(standing(), Standing.Known);
  attempts.fail("192.0.2.1", "john");
  assert.equal(standing(), Standing.Failing);
  attempts.now += WINDOW;
  assert.equal(standing(), Standing.Known);
  attempts.now += 24 * 60 * MINUTE;
  assert.equal(standing(), Standing.Unknown);
});

Deno.test("who is forgotten for others was none of the last ten thousand to fail", () => {
  const attempts = new Attempts();
  times(10, () => attempts.fail("192.0.2.1", "john"));
  const others = (count: number, from: number) =>
    times(count, (i) => {
      attempts.limits.failed(`other ${from + i}`, `name ${from + i}`, "x", attempts.now);
    });
  others(9999, 0);
  assert.equal(attempts.fail("192.0.2.1", "john"), undefined);
  others(1, 9999);
  assert.equal(attempts.fail("192.0.2.1", "john"), 0);
});
