/** Threads made before the daemon asks for them. */

import assert from "node:assert/strict";
import { readConfiguration } from "../../src/config/configuration.ts";
import type { Outline } from "../../src/daemon/plan.ts";
import { reachOf } from "../../src/daemon/reach.ts";
import { ThreadsAhead } from "../../src/daemon/threads_ahead.ts";
import { listenPlaces } from "../../src/receiver/listener.ts";
import { makeFolder } from "../support/folder.ts";
import { FakeThreads } from "./fake_threads.ts";

/** Of a configuration with these lines besides. */
async function outlineWith(settings: string): Promise<Outline> {
  await using folder = await makeFolder();
  const [mail, users] = [`${folder.path}/mail.conf`, `${folder.path}/user.conf`];
  const lines = ["HOSTNAME = me.example", "SPOOL_DIR = /none/spool", "LISTEN_PORT = 2525"];
  await Deno.writeTextFile(mail, [...lines, settings, ""].join("\n"));
  await Deno.writeTextFile(users, "jones:/none/jones\n");
  const configuration = await readConfiguration(mail, users, {
    hostName: () => "unused.example",
    addresses: () => [],
    stateDirectory: () => undefined,
  });
  const places = listenPlaces(configuration.mail);
  return { configuration, reach: reachOf(["127.0.0.1"], []), places, granted: [] };
}

Deno.test("who asks gets a thread made ahead, each once, and then others", async () => {
  const threads = new FakeThreads();
  const ahead = new ThreadsAhead(threads);
  const outline = await outlineWith("WORKERS = 2");
  ahead.make(outline);
  assert.deepEqual(threads.alive, ["receiver 0", "receiver 1", "relay 0"]);
  const receivers = [1, 2, 3].map(() => ahead.receiver(outline));
  const relays = [1, 2].map(() => ahead.relay(outline));
  assert.deepEqual(receivers, threads.receivers);
  assert.deepEqual(relays, threads.relays);
  ahead.end();
  assert.deepEqual(
    threads.alive,
    [...threads.receivers, ...threads.relays].map(({ name }) => name),
  );
});

Deno.test("a thread that may do more or less than is asked for is not given", async () => {
  const threads = new FakeThreads();
  const ahead = new ThreadsAhead(threads);
  ahead.make(await outlineWith("MIN_FREE = none"));
  const other = await outlineWith("MIN_FREE = none\nRELAY_PORT = 2526");
  assert.equal(ahead.relay(other), threads.relays[1]);
  assert.equal(ahead.receiver(other), threads.receivers[0]);
  assert.equal(ahead.receiver({ ...other, places: [] }), threads.receivers[1]);
});

Deno.test("those that nobody asks for are ended", async () => {
  const threads = new FakeThreads();
  const ahead = new ThreadsAhead(threads);
  const outline = await outlineWith("WORKERS = 2");
  ahead.make(outline);
  ahead.receiver(outline);
  ahead.end();
  assert.deepEqual(threads.alive, ["receiver 0"]);
});
