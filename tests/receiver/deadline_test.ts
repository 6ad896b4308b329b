/** How long a peer is waited for: each wait has its limit, and a text has to come at some rate. */

import assert from "node:assert/strict";
import { Deadline } from "../../src/receiver/deadline.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** Seconds: the preset of CLIENT_TIMEOUT. */
const LIMIT = 300;
const HOUR = 3600;

class Waiting {
  readonly clock = new FakeClock();
  readonly deadline = new Deadline(LIMIT, () => this.expired = true, this.clock);
  expired = false;

  /** A wait of so many seconds at most, from the one before or anew. Returns whether it ended in time. */
  wait(seconds: number, how: "begin" | "goOn" = "goOn"): boolean {
    this.deadline[how](this.clock.now());
    this.clock.advance(seconds * 1000);
    if (!this.expired) this.deadline.end(this.clock.now());
    return !this.expired;
  }

  /** Reads so many octets, some each time, for so many seconds at most. Returns how many those were. */
  read(octets: number, every: number, most: number): number {
    for (let seconds = 0; seconds < most; seconds += every) {
      if (!this.wait(every)) return seconds;
      this.deadline.earn(octets);
    }
    return most;
  }
}

Deno.test("a peer is waited for as long as was said, and not longer", () => {
  const waiting = new Waiting();
  assert.ok(waiting.wait(LIMIT - 1, "begin"));
  assert.ok(waiting.wait(LIMIT - 1, "begin"));
  assert.ok(!waiting.wait(LIMIT, "begin"));
});

Deno.test("a wait that goes on has what the ones before have left", () => {
  const waiting = new Waiting();
  assert.ok(waiting.wait(LIMIT / 2, "begin"));
  assert.ok(waiting.wait(LIMIT / 2 - 1));
  assert.ok(!waiting.wait(1));
});

Deno.test("what passes between waits is not the peer's time", () => {
  const waiting = new Waiting();
  for (let i = 0; i < LIMIT - 1; i++) {
    assert.ok(waiting.wait(1));
    waiting.clock.advance(HOUR * 1000);
  }
  assert.ok(!waiting.wait(1));
});

for (const [octets, every] of [[10, 1], [1, 1], [1, 60], [1, LIMIT - 1], [99, 1]] as const) {
  const rate = every === 1 ? `${octets} a second` : `${octets} every ${every} seconds`;
  Deno.test(`${rate} are too few for a text`, () => {
    const waiting = new Waiting();
    const least = 100;
    const seconds = waiting.read(octets, every, 10 * HOUR);
    // All the time there is, and what was earned meanwhile.
    assert.ok(seconds <= LIMIT / (1 - octets / every / least) + every, `${seconds} seconds`);
    assert.ok(waiting.expired);
  });
}

Deno.test("10 octets a second are borne for little longer than silence", () => {
  const seconds = new Waiting().read(10, 1, HOUR);
  assert.ok(seconds >= LIMIT && seconds < 1.2 * LIMIT, `${seconds} seconds`);
});

for (const [octets, every] of [[1000, 1], [1460, 10], [100, 1], [30_000, LIMIT - 1]] as const) {
  Deno.test(`${octets} every ${every} seconds do for a text of any length`, () => {
    const waiting = new Waiting();
    waiting.read(octets, every, 10 * HOUR);
    assert.equal(waiting.expired, false);
  });
}

Deno.test("a line of 9,600 baud may be dead for minutes, again and again", () => {
  const waiting = new Waiting();
  for (let i = 0; i < 20; i++) {
    assert.equal(waiting.read(1000, 1, 60), 60);
    assert.ok(waiting.wait(LIMIT - 1));
    waiting.deadline.earn(1000);
  }
});

Deno.test("nothing is saved up beyond that: after much a peer may be silent no longer", () => {
  const waiting = new Waiting();
  waiting.deadline.earn(1e9);
  assert.ok(!waiting.wait(LIMIT));
});

Deno.test("many short waits cost one timer, and none is left", () => {
  const waiting = new Waiting();
  for (let i = 0; i < 1000; i++) waiting.wait(0.001, "begin");
  assert.equal(waiting.clock.pending, 1);
  waiting.deadline.cancel();
  assert.equal(waiting.clock.pending, 0);
});

Deno.test("who has hardly any time left between waits is not looked at all the time", () => {
  const waiting = new Waiting();
  let timers = 0;
  const clock = {
    now: () => waiting.clock.now(),
    after: (milliseconds: number, act: () => void) => {
      timers++;
      return waiting.clock.after(milliseconds, act);
    },
  };
  const deadline = new Deadline(LIMIT, () => {}, clock);
  deadline.begin(clock.now());
  waiting.clock.advance(LIMIT * 1000 - 1);
  deadline.end(clock.now());
  waiting.clock.advance(LIMIT * 1000);
  deadline.begin(clock.now());
  assert.ok(timers <= 4, `${timers} timers`);
});
