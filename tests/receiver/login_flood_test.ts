/** Thousands of guesses, and the people who want to log in meanwhile. */

import assert from "node:assert/strict";
import type { LoginOutcome } from "../../src/receiver/logins.ts";
import { LoginDesk } from "../support/login_desk.ts";
import { settled } from "../support/settled.ts";

/** One attempt that was judged. */
interface Judged {
  readonly kind: LoginOutcome["kind"];
  /** Milliseconds that it took. */
  readonly after: number;
}

/** Attempts on their way, and what came of those that came to an end. */
class Crowd {
  readonly judged: Judged[] = [];

  constructor(readonly desk: LoginDesk) {}

  try(name: string, password: string, address: string): void {
    const { clock } = this.desk;
    const begun = clock.now();
    this.desk.check(name, password, address).then(({ kind }) => {
      this.judged.push({ kind, after: clock.now() - begun });
    });
  }

  get slowest(): number {
    return Math.max(...this.judged.map(({ after }) => after));
  }

  count(kind: LoginOutcome["kind"]): number {
    return this.judged.filter((one) => one.kind === kind).length;
  }
}

const NAMES = ["john", "jack", "jane", "joan"];

/** `count` honest ones, each from an address of its own, one each 200 milliseconds. */
async function comeAndGo(honest: Crowd, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    honest.try(NAMES[i % NAMES.length]!, "secret", `198.51.100.${i % 250}`);
    await honest.desk.clock.pass(200);
  }
}

Deno.test("10,000 guesses at once from one address: ten are verified, nobody else notices", async () => {
  const desk = new LoginDesk(NAMES);
  const [guesser, honest] = [new Crowd(desk), new Crowd(desk)];
  for (let i = 0; i < 10_000; i++) guesser.try(NAMES[i % 4]!, `guess ${i}`, "203.0.113.1");
  await comeAndGo(honest, 50);
  await desk.clock.pass(120_000);
  assert.equal(guesser.judged.length, 10_000);
  assert.equal(guesser.count("refused"), 10);
  assert.equal(desk.verified, 10 + 50);
  assert.equal(honest.count("accepted"), 50);
  assert.ok(honest.slowest <= 180, `${honest.slowest} ms`);
});

Deno.test("10,000 guesses from one address, one after the other: ten in a quarter of an hour", async () => {
  const desk = new LoginDesk(NAMES);
  const honest = new Crowd(desk);
  let [guessed, limited] = [0, 0];
  for (let i = 0; i < 10_000; i++) {
    const { kind } = await desk.outcome(NAMES[i % 4]!, `guess ${i}`, "203.0.113.1");
    if (kind === "refused") guessed++;
    else limited++;
    // It is told so at once, and comes back a second later.
    if (kind === "limited") await desk.clock.pass(1000);
    if (i % 100 === 0) honest.try("john", "secret", "198.51.100.1");
  }
  await desk.clock.pass(1000);
  assert.equal(guessed + limited, 10_000);
  // 10,000 seconds are eleven quarters of an hour and some.
  assert.ok(guessed <= 110, `${guessed}`);
  assert.equal(honest.count("accepted"), 100);
  assert.ok(honest.slowest <= 180, `${honest.slowest} ms`);
});

Deno.test("5,000 guesses at once from 50 addresses leave honest logins under a second", async () => {
  const desk = new LoginDesk(NAMES);
  const [guesser, honest] = [new Crowd(desk), new Crowd(desk)];
  for (let i = 0; i < 5000; i++) guesser.try("john", `guess ${i}`, `203.0.113.${i % 50}`);
  await comeAndGo(honest, 100);
  await desk.clock.pass(120_000);
  assert.equal(guesser.judged.length, 5000);
  assert.equal(guesser.count("accepted"), 0);
  // Ten each at most, and john is much tried soon.
  assert.ok(guesser.count("refused") <= 500);
  assert.equal(honest.count("accepted"), 100);
  assert.ok(honest.slowest < 1000, `${honest.slowest} ms`);
  assert.equal(desk.mostAtOnce, 2);
});

Deno.test("guesses that never end from 50 addresses leave honest logins under a second", async () => {
  const desk = new LoginDesk(NAMES);
  const honest = new Crowd(desk);
  let [over, guesses] = [false, 0];
  const guess = async (address: string) => {
    while (!over) {
      const name = NAMES[guesses % 4]!;
      const { kind } = await desk.check(name, `guess ${guesses++}`, address);
      // Who hears 421 connects again.
      if (kind === "limited") await new Promise<void>((go) => desk.clock.after(500, go));
    }
  };
  // Over five connections each.
  const guessers = Array.from({ length: 250 }, (_, i) => guess(`203.0.113.${i % 50}`));
  await comeAndGo(honest, 300);
  over = true;
  await desk.clock.pass(60_000);
  await Promise.all(guessers);
  assert.ok(guesses > 1000, `${guesses}`);
  assert.equal(honest.count("accepted"), 300);
  assert.ok(honest.slowest < 1000, `${honest.slowest} ms`);
});

Deno.test("who has logged in before gets in, however many strangers come", async () => {
  const desk = new LoginDesk(NAMES);
  const honest = new Crowd(desk);
  honest.try("john", "secret", "198.51.100.1");
  await desk.clock.pass(1000);
  // More than are verified in the time: 33 a second.
  for (let i = 0; i < 1000; i++) {
    new Crowd(desk).try("john", "guess", `10.0.${i >> 8}.${i & 255}`);
    if (i % 20 === 0) honest.try("john", "secret", "198.51.100.1");
    await desk.clock.pass(10);
  }
  await desk.clock.pass(10_000);
  assert.equal(honest.count("accepted"), 51);
  assert.ok(honest.slowest <= 180, `${honest.slowest} ms`);
});

Deno.test("what is limited is told at once: nobody holds a connection by it", async () => {
  const desk = new LoginDesk(NAMES);
  const guesser = new Crowd(desk);
  for (let i = 0; i < 5000; i++) guesser.try("john", `guess ${i}`, `10.0.${i >> 8}.${i & 255}`);
  await settled();
  // All but those that are being verified, and those that wait for it.
  assert.equal(guesser.judged.length, 5000 - 2 - 64);
  await desk.clock.pass(10_000);
  assert.equal(guesser.judged.length, 5000);
});
