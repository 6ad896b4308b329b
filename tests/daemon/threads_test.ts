/** The daemon's threads as they are, each with its permissions. */

import assert from "node:assert/strict";
import { readConfiguration } from "../../src/config/configuration.ts";
import type { Plan } from "../../src/daemon/plan.ts";
import { reachOf } from "../../src/daemon/reach.ts";
import { workers } from "../../src/daemon/threads.ts";
import { SystemDisk } from "../../src/disk.ts";
import { Spool } from "../../src/queue/spool.ts";
import { makeFolder } from "../support/folder.ts";

/** Of a daemon with a spool in this folder. */
async function planIn(folder: string): Promise<Plan> {
  const settings = ["HOSTNAME = me.example", "RELAY_HOST = 127.0.0.1:1", "LOG_LEVEL = error"];
  const [mail, users] = [`${folder}/mail.conf`, `${folder}/user.conf`];
  await Deno.writeTextFile(mail, [...settings, `SPOOL_DIR = ${folder}/spool`, ""].join("\n"));
  await Deno.writeTextFile(users, `jones:${folder}/jones\n`);
  await new Spool(new SystemDisk(), `${folder}/spool`, "test").make();
  const configuration = await readConfiguration(mail, users, {
    hostName: () => "unused.example",
    addresses: () => [],
    stateDirectory: () => undefined,
  });
  return { configuration, reach: reachOf(["127.0.0.1"], []), places: [], granted: [], made: [] };
}

Deno.test("a relay that is told to stop twice answers twice", async () => {
  await using folder = await makeFolder();
  const plan = await planIn(folder.path);
  const { nameServers, families, ipv6 } = plan.reach;
  const relay = workers.relay(plan);
  try {
    const start = { nameServers, families, ipv6, ownPlaces: [], number: 0 };
    const { configuration } = plan;
    await relay.ask({ kind: "start", configuration, ...start }, ["started"]);
    const stop = () => relay.ask({ kind: "stop", grace: 1000 }, ["stopped"]);
    const answers = await Promise.all([stop(), stop()]);
    assert.deepEqual(answers, [{ kind: "stopped" }, { kind: "stopped" }]);
  } finally {
    relay.end();
  }
});
