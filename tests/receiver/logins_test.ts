/** Logins: whose name and password are right, and what is told of those that are not. */

import assert from "node:assert/strict";
import { hashPassword, parseHash } from "../../src/config/password.ts";
import { Logins } from "../../src/receiver/logins.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { LoginDesk } from "../support/login_desk.ts";
import { settled } from "../support/settled.ts";

/** Of 16 octets. */
const SALT = "AAECAwQFBgcICQoLDA0ODw";
const octets = (text: string) => new TextEncoder().encode(text);
const desk = () => new LoginDesk(["John", "a b", "john+work"], { without: ["jack", "*"] });

const ACCEPTED: readonly (readonly [name: string, user: string])[] = [
  ["John", "John"],
  ["john", "John"],
  ["JOHN", "John"],
  ["john@me.example", "John"],
  ["JOHN@ME.EXAMPLE", "John"],
  ["john@[192.0.2.1]", "John"],
  ["a b", "a b"],
  ["a b@me.example", "a b"],
  // It stands in user.conf as it is.
  ["john+work", "john+work"],
];

for (const [name, user] of ACCEPTED) {
  Deno.test(`${name} logs in as ${user}`, async () => {
    const { kind, ...more } = await desk().outcome(name, "secret");
    assert.deepEqual([kind, "user" in more && more.user], ["accepted", user]);
  });
}

const REFUSED: readonly (readonly [what: string, name: string])[] = [
  ["a user without a password", "jack"],
  ["a user without a password, by address", "jack@me.example"],
  ["the line for all others", "*"],
  ["nobody", "mary"],
  ["who falls to the line for all others", "mary@me.example"],
  ["a tag", "john+tag"],
  ["a tag, by address", "john+tag@me.example"],
  ["a domain of others", "john@other.example"],
  ["no domain", "john@"],
  ["no name", "@me.example"],
  ["two domains", "john@me.example@me.example"],
  ["the empty name", ""],
  ["blanks around it", " john "],
  // Its lower case is k in ASCII.
  ["a letter that is like another", "wor\u212a"],
  ["a name beyond all bounds", "john".repeat(100_000)],
];

for (const [what, name] of REFUSED) {
  Deno.test(`no login, though the password is somebody's: ${what}`, async () => {
    const it = new LoginDesk(["John", "work"], { without: ["jack", "*"] });
    const { kind, after } = await it.outcome(name, "secret");
    // As long as anybody's, for a hash was computed.
    assert.deepEqual([kind, after, it.verified], ["refused", 60, 1]);
  });
}

Deno.test("a wrong password is refused, and takes as long as a right one", async () => {
  const it = desk();
  assert.deepEqual(await it.outcome("john", "wrong"), { kind: "refused", after: 60 });
  const other = desk();
  assert.equal((await other.outcome("john", "secret")).after, 60);
});

Deno.test("the log tells who logged in, and what failed by the name that was given", async () => {
  const it = desk();
  await it.outcome("JOHN@me.example", "secret");
  await it.outcome("Mary", "x");
  await it.outcome("Mary", "x");
  assert.deepEqual(it.log.all, [
    { level: "info", event: "login accepted", fields: { peer: "192.0.2.1:4711", user: "John" } },
    { level: "warn", event: "login failed", fields: { peer: "192.0.2.1:4711", user: "Mary" } },
    {
      level: "warn",
      event: "login failed again",
      fields: { peer: "192.0.2.1:4711", user: "Mary" },
    },
  ]);
});

Deno.test("the log has a hundred characters of a name, and never a password", async () => {
  const it = desk();
  await it.outcome("x".repeat(1000), "hunter2");
  assert.deepEqual(it.log.fieldsOf("login failed").map(({ user }) => user), ["x".repeat(100)]);
  assert.doesNotMatch(JSON.stringify(it.log.all), /hunter2/);
});

Deno.test("the wait comes before the password is looked at, also of one that is right", async () => {
  const it = desk();
  for (const password of ["a", "b", "c"]) await it.outcome("john", password);
  const checked = it.check("john", "secret");
  await it.clock.pass(3999);
  assert.equal(it.verified, 3);
  await it.clock.pass(1);
  assert.equal(it.verified, 4);
  await it.clock.pass(60);
  assert.equal((await checked).kind, "accepted");
});

Deno.test("after ten failures nothing is verified any more, a right password neither", async () => {
  const it = desk();
  for (let i = 0; i < 10; i++) {
    assert.equal((await it.outcome("john", `wrong ${i}`)).kind, "refused");
  }
  assert.deepEqual(await it.outcome("john", "secret"), { kind: "limited", after: 0 });
  assert.equal(it.verified, 10);
  assert.deepEqual(it.log.fieldsOf("login refused"), [
    { peer: "192.0.2.1:4711", user: "john", reason: "too many failures" },
  ]);
  assert.equal((await it.outcome("john", "secret", "192.0.2.2")).kind, "accepted");
  it.clock.advance(15 * 60_000);
  assert.deepEqual(await it.outcome("john", "secret"), {
    kind: "accepted",
    user: "John",
    after: 60,
  });
});

Deno.test("the same wrong password again and again costs nothing and counts for nothing", async () => {
  const it = desk();
  await it.outcome("john", "old");
  for (let i = 0; i < 100; i++) {
    // By whatever spelling of the name.
    const name = i % 2 ? "john@me.example" : "JOHN";
    assert.deepEqual(await it.outcome(name, "old"), { kind: "refused", after: 0 });
  }
  assert.equal(it.verified, 1);
  const { kind, after } = await it.outcome("john", "secret");
  assert.deepEqual([kind, after], ["accepted", 1060]);
});

Deno.test("the same wrong password on many connections at once is tried on two of them", async () => {
  const it = desk();
  const all = Array.from({ length: 10 }, () => it.check("john", "old"));
  await it.clock.pass(10_000);
  assert.ok((await Promise.all(all)).every(({ kind }) => kind === "refused"));
  assert.equal(it.verified, 2);
});

Deno.test("a wrong password is not taken for another name's, nor another network's", async () => {
  const it = new LoginDesk(["john", "jack"]);
  await it.outcome("john", "old");
  await it.outcome("jack", "old");
  await it.outcome("john", "old", "192.0.2.2");
  assert.equal(it.verified, 3);
});

Deno.test("an unknown name is limited like a known one, however it is spelt", async () => {
  for (const name of ["john", "mary"]) {
    const it = new LoginDesk(["john"]);
    for (let i = 0; i < 22; i++) await it.outcome(`${name}@me.example`, `${i}`, `10.0.0.${i}`);
    const kinds: string[] = [];
    for (let i = 0; i < 5; i++) {
      kinds.push((await it.outcome(name.toUpperCase(), `${i}`, "192.0.2.9")).kind);
    }
    assert.deepEqual(kinds, ["refused", "refused", "refused", "limited", "limited"], name);
  }
});

Deno.test("an office that all logs in at once is let in, though one of them is wrong", async () => {
  const names = Array.from({ length: 50 }, (_, i) => `user${i}`);
  const it = new LoginDesk(names);
  const all = names.map((name, i) => it.check(name, i === 20 ? "wrong" : "secret"));
  await it.clock.pass(5000);
  const kinds = (await Promise.all(all)).map(({ kind }) => kind);
  assert.deepEqual(kinds.filter((kind) => kind !== "accepted"), ["refused"]);
  assert.equal(it.mostAtOnce, 2);
});

Deno.test("who has no password is verified against one of the costliest, and refused in any case", async () => {
  const key = `${SALT}$${new Uint8Array(32).toBase64({ omitPadding: true })}`;
  const [cheap, costly] = [`$scrypt$ln=10,r=8,p=1$${key}`, `$scrypt$ln=15,r=8,p=2$${key}`];
  const users = [cheap, costly, undefined].map((hash, i) => ({
    name: `user${i}`,
    target: { directory: "/x" },
    hash,
    line: i,
  }));
  const costs: unknown[] = [];
  const logins = new Logins(users, () => true, {
    clock: new FakeClock(),
    log: new CollectingLog(),
    verify: (hash) => {
      const { ln, r, p } = parseHash(hash);
      costs.push([ln, r, p]);
      return Promise.resolve(true);
    },
  });
  for (const name of ["user2", "mary", "user2@me.example"]) {
    const credentials = { name, password: octets("secret") };
    // Another each time, so that none of them waits.
    const address = `192.0.2.${costs.length}`;
    const outcome = await logins.check(credentials, { address, peer: `${address}:4711` });
    assert.equal(outcome.kind, "refused", name);
  }
  assert.deepEqual(costs, [[15, 8, 2], [15, 8, 2], [15, 8, 2]]);
});

Deno.test("whatever keeps a password from being verified is nobody's failure", async () => {
  const log = new CollectingLog();
  const user = { name: "john", target: { directory: "/x" }, line: 1 };
  const hash = await hashPassword(octets("secret"), new Uint8Array(16));
  let broken = true;
  const logins = new Logins([{ ...user, hash }], () => true, {
    clock: new FakeClock(),
    log,
    verify: () => broken ? Promise.reject(new Error("out of memory")) : Promise.resolve(true),
  });
  const check = () => {
    return logins.check({ name: "john", password: octets("secret") }, {
      address: "192.0.2.1",
      peer: "192.0.2.1:4711",
    });
  };
  for (let i = 0; i < 20; i++) assert.deepEqual(await check(), { kind: "limited" });
  assert.match(String(log.fieldsOf("password not verified")[0]?.error), /out of memory/);
  broken = false;
  assert.deepEqual(await check(), { kind: "accepted", user: "john" });
});

Deno.test("closing ends every wait, and leaves no timer", async () => {
  const it = desk();
  for (const password of ["a", "b"]) await it.outcome("john", password);
  const pausing = it.check("john", "secret");
  const checked = Array.from({ length: 4 }, (_, i) => it.check("john", "secret", `10.0.0.${i}`));
  await settled();
  it.logins.close();
  await settled();
  // Two are being verified, and go on.
  assert.equal(it.clock.pending, 2);
  await it.clock.pass(60);
  assert.equal((await pausing).kind, "limited");
  const kinds = (await Promise.all(checked)).map(({ kind }) => kind);
  assert.deepEqual(kinds.toSorted(), ["accepted", "accepted", "limited", "limited"]);
  assert.equal((await it.check("john", "secret", "10.0.0.9")).kind, "limited");
  assert.deepEqual(it.log.fieldsOf("login refused").map(({ reason }) => reason), [
    "stopping",
    "stopping",
    "stopping",
    "stopping",
  ]);
});

Deno.test("real passwords are verified by their hashes", async () => {
  const hash = await hashPassword(octets("secret"), new Uint8Array(16));
  const user = { name: "john", target: { directory: "/x" }, hash, line: 1 };
  const logins = new Logins([user], () => false, {
    clock: new FakeClock(),
    log: new CollectingLog(),
  });
  const client = { address: "192.0.2.1", peer: "192.0.2.1:4711" };
  const right = { name: "john", password: octets("secret") };
  assert.deepEqual(await logins.check(right, client), { kind: "accepted", user: "john" });
  const wrong = { name: "john", password: octets("Secret") };
  assert.deepEqual(await logins.check(wrong, client), { kind: "refused" });
});
