/** Whose turn it is when more logins come than are verified at once. */

import assert from "node:assert/strict";
import { Standing } from "../../src/receiver/login_limits.ts";
import { LoginLine } from "../../src/receiver/login_line.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { settled } from "../support/settled.ts";

/** A line whose turns are written down as they come: `network`, or `no network`. */
class WatchedLine {
  readonly told: string[] = [];
  readonly clock = new FakeClock();
  readonly standings = new Map<string, Standing>();
  readonly line: LoginLine;

  constructor(places: number, most = 64) {
    const standing = (network: string) => this.standings.get(network) ?? Standing.Unknown;
    this.line = new LoginLine({ clock: this.clock, places, most, standing });
  }

  /** Whoever has a name with a digit comes from the network before it. */
  come(...names: string[]): void {
    for (const name of names) {
      this.line.turn(name.replace(/\d/, "")).then((hasTurn) => {
        this.told.push(hasTurn ? name : `no ${name}`);
      });
    }
  }

  /** Lets everybody have their turns, one after the other, from who has one now. */
  async all(): Promise<string[]> {
    for (let done = 0; await settled(), done < this.told.length; done++) {
      const name = this.told[done]!;
      if (!name.startsWith("no ")) this.line.leave(name.replace(/\d/, ""));
    }
    return this.told;
  }
}

Deno.test("while there are places nobody waits", async () => {
  const line = new WatchedLine(2);
  line.come("a", "b", "c");
  await settled();
  assert.deepEqual(line.told, ["a", "b"]);
  line.line.leave("a");
  await settled();
  assert.deepEqual(line.told, ["a", "b", "c"]);
});

Deno.test("nobody waits longer than half a minute", async () => {
  const line = new WatchedLine(1);
  line.come("first", "late");
  await line.clock.pass(29_999);
  assert.deepEqual(line.told, ["first"]);
  await line.clock.pass(1);
  assert.deepEqual(line.told, ["first", "no late"]);
  line.line.leave("first");
  line.come("next");
  await settled();
  assert.deepEqual(line.told, ["first", "no late", "next"]);
  assert.equal(line.clock.pending, 0);
});

Deno.test("who is known comes first, who has failed last", async () => {
  const line = new WatchedLine(1);
  line.standings.set("good", Standing.Known).set("bad", Standing.Failing);
  line.come("first", "bad", "new", "good");
  assert.deepEqual(await line.all(), ["first", "good", "new", "bad"]);
});

Deno.test("it counts how a network stands when it is called, not when it came", async () => {
  const line = new WatchedLine(1);
  line.come("first", "a", "b");
  line.standings.set("b", Standing.Failing);
  assert.deepEqual(await line.all(), ["first", "a", "b"]);
});

Deno.test("one attempt of each network after the other, whoever sends more", async () => {
  const line = new WatchedLine(1);
  line.come("a1", "a2", "a3", "b1", "b2", "c1");
  assert.deepEqual(await line.all(), ["a1", "c1", "b1", "b2", "a2", "a3"]);
});

Deno.test("among equals the last comes first", async () => {
  const line = new WatchedLine(1);
  line.come("first", "a", "b", "c");
  assert.deepEqual(await line.all(), ["first", "c", "b", "a"]);
});

Deno.test("of too many the one that would come last goes", async () => {
  const line = new WatchedLine(1, 2);
  line.standings.set("bad", Standing.Failing);
  line.come("first", "bad", "a", "b", "c");
  await settled();
  assert.deepEqual(line.told, ["first", "no bad", "no a"]);
  assert.deepEqual(await line.all(), ["first", "no bad", "no a", "c", "b"]);
});

Deno.test("a line that closes lets everybody go, and nobody come", async () => {
  const line = new WatchedLine(1);
  line.come("first", "a", "b");
  line.line.close();
  line.come("late");
  await settled();
  assert.deepEqual(line.told.toSorted(), ["first", "no a", "no b", "no late"]);
  line.line.leave("first");
});
