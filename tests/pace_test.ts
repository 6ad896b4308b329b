/** Who waits for a disk: everybody while it is quick, nobody for a while after it was not. */

import assert from "node:assert/strict";
import { Pace } from "../src/pace.ts";

/** A disk whose operations take as long as the test says, in milliseconds. */
class FakeDisk {
  time = 0;
  takes = 0;
  readonly ways: string[] = [];
  readonly #pace = new Pace(() => this.time);

  run(): Promise<string> {
    return this.#pace.run(() => {
      this.time += this.takes;
      this.ways.push("at once");
      return "done";
    }, () => {
      this.ways.push("aside");
      return Promise.resolve("done");
    });
  }
}

Deno.test("short operations are done at once", async () => {
  const disk = new FakeDisk();
  disk.takes = 5;
  for (let i = 0; i < 3; i++) assert.equal(await disk.run(), "done");
  assert.deepEqual(disk.ways, ["at once", "at once", "at once"]);
});

Deno.test("after one that takes long they are done aside, until some time has passed", async () => {
  const disk = new FakeDisk();
  disk.takes = 200;
  assert.equal(await disk.run(), "done");
  disk.takes = 0;
  assert.equal(await disk.run(), "done");
  disk.time += 900;
  await disk.run();
  disk.time += 101;
  await disk.run();
  assert.deepEqual(disk.ways, ["at once", "aside", "aside", "at once"]);
});

Deno.test("while those aside take long too, nobody waits for the disk", async () => {
  let time = 0;
  const ways: string[] = [];
  const pace = new Pace(() => time);
  const run = (takes: number) =>
    pace.run(() => {
      ways.push("at once");
      time += takes;
    }, () => {
      ways.push("aside");
      time += takes;
      return Promise.resolve();
    });
  for (const takes of [500, 5000, 5000, 1, 1]) await run(takes);
  time += 1000;
  await run(1);
  assert.deepEqual(ways, ["at once", "aside", "aside", "aside", "aside", "at once"]);
});

Deno.test("one that fails slowly counts too, and what it throws is a rejection", async () => {
  let time = 0;
  const pace = new Pace(() => time);
  const failing = () => {
    time += 1000;
    throw new Error("no disk");
  };
  await assert.rejects(pace.run(failing, () => Promise.resolve()), /no disk/);
  const aside = pace.run(failing, () => Promise.resolve());
  await aside;
});
