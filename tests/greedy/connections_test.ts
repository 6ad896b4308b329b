/** Clients that come in crowds: the server outlives them, its log stays readable, and others are served. */

import assert from "node:assert/strict";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { testWith } from "../support/programs.ts";
import { RawClient } from "../support/raw_client.ts";
import { submit } from "../support/submit.ts";
import { until } from "../support/until.ts";
import { gather } from "./crowd.ts";

/** Lines of the log with this. */
const count = (daemon: Daemon, text: string) => daemon.log().split(` ${text} `).length - 1;

/** All who are connected have left. */
async function isEmpty(daemon: Daemon): Promise<void> {
  await until("all to be gone", () => {
    return count(daemon, "connection accepted") === count(daemon, "connection closed");
  });
}

const mail = (daemon: Daemon) => submit(daemon.port, { to: ["smith@me.example"] });

Deno.test("who connects and leaves, over and over, leaves nothing behind", async () => {
  await using daemon = await startDaemon({ mail: "MAX_CLIENTS_PER_ADDRESS = 1000" });
  for (let i = 0; i < 40; i++) {
    // None of them waits for a word.
    const some = Array.from({ length: 25 }, () => RawClient.connect(daemon.port));
    (await Promise.all(some)).forEach((client) => client.close());
  }
  // Some may wait to be accepted when those before them have left.
  await until("all to have come", () => count(daemon, "connection accepted") === 1000);
  await isEmpty(daemon);
  await mail(daemon);
  assert.doesNotMatch(daemon.log(), / warn connection | error /);
  assert.equal((await daemon.stop()).code, 0);
});

testWith(
  ["python3"],
  "a flood from one address is turned away, and keeps no other out",
  async () => {
    const most = 20;
    await using daemon = await startDaemon({ mail: `MAX_CLIENTS_PER_ADDRESS = ${most}` });
    const inside = await Promise.all(
      Array.from({ length: most }, () => RawClient.connect(daemon.port)),
    );
    for (const client of inside) assert.match(await client.reply() ?? "", /^220 /);

    for (let i = 0; i < 1000; i++) {
      const client = await RawClient.connect(daemon.port);
      // The first of many at once are told why; when there are too many nobody is.
      if (i < 20) assert.match(await client.reply() ?? "", /^421 me\.example .* from this address/);
      client.close();
    }
    await using other = await gather(daemon.port, 1);
    assert.equal(other.greeted, 1);

    for (const client of inside) {
      assert.match(await client.command("QUIT") ?? "", /^221 /);
      client.close();
    }
    await other.leave();
    await isEmpty(daemon);
    await mail(daemon);
    assert.equal((await daemon.stop()).code, 0);
    // Singly told ten of them, and at last how many more.
    assert.equal(count(daemon, "warn connection refused"), 10);
    assert.match(daemon.log(), / warn connections refused further=990\n/);
  },
);

testWith(
  ["python3"],
  "when all places are taken the next hears so, and is served when one is free",
  async () => {
    const most = 300;
    await using daemon = await startDaemon({ mail: `MAX_CLIENTS = ${most}` });
    await mail(daemon);
    await isEmpty(daemon);
    {
      // From eight addresses.
      await using crowd = await gather(daemon.port, most);
      assert.equal(crowd.greeted, most);
      const client = await RawClient.connect(daemon.port);
      assert.match(await client.reply() ?? "", /^421 me\.example has too many connections, /);
      assert.equal(await client.line(), null);
      client.close();
      // Nobody lost a place by it.
      assert.equal(await crowd.leave(), most);
    }
    await isEmpty(daemon);
    await mail(daemon);
    assert.doesNotMatch(daemon.log(), / error /);
  },
);
