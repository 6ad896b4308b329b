/** WORKERS: several receiver threads that look like one server. */

import assert from "node:assert/strict";
import { readMailbox, startDaemon } from "../support/daemon.ts";
import { RawClient } from "../support/raw_client.ts";
import { startRecordingServer } from "../support/recording_server.ts";
import { reload } from "../support/reload.ts";
import { greetedClient, submit, transaction } from "../support/submit.ts";
import { emptied } from "../support/waiting.ts";

/** As many clients as one address may have, whichever thread each of them comes to. */
const MANY = "MAX_CLIENTS_PER_ADDRESS = 1000";

Deno.test("WORKERS = 4: twenty clients at once are served by the one port, each id is its own", async () => {
  await using host = startRecordingServer();
  await using daemon = await startDaemon({ mail: `${host.setting}\nWORKERS = 4\n${MANY}` });
  assert.match(daemon.log(), / started .* listening=127\.0\.0\.1:\d+ /);
  const clients = await Promise.all(Array.from({ length: 20 }, () => greetedClient(daemon.port)));
  const to = ["jones@me.example", "fred@far.example"];
  const replies = await Promise.all(clients.map((client) => transaction(client, { to })));
  clients.forEach((client) => client.close());
  const ids = replies.map((reply) => /^250 .* stored as (\w+)$/.exec(reply)?.[1] ?? reply);
  assert.equal(new Set(ids).size, 20);
  // The last digits but two tell of the thread.
  assert.ok(new Set(ids.map((id) => id.slice(-4, -2))).size > 1, "one thread took them all");
  await host.took(20);
  await emptied(daemon);
  assert.equal((await readMailbox(`${daemon.folder}/mail/jones`)).length, 20);
  assert.equal(host.taken.length, 20);
  assert.equal((await daemon.stop()).code, 0);
  assert.doesNotMatch(daemon.log(), / (warn|error) /);
});

Deno.test("MAX_CLIENTS is for all threads together", async () => {
  await using daemon = await startDaemon({ mail: `WORKERS = 4\nMAX_CLIENTS = 4\n${MANY}` });
  const clients: RawClient[] = [];
  const codes: string[] = [];
  for (let i = 0; i < 40; i++) {
    const client = await RawClient.connect(daemon.port);
    clients.push(client);
    codes.push((await client.reply())?.slice(0, 3) ?? "");
  }
  clients.forEach((client) => client.close());
  const served = codes.filter((code) => code === "220").length;
  assert.ok(served >= 1 && served <= 4, `${served} were served`);
  assert.equal(codes.filter((code) => code === "421").length, 40 - served);
});

Deno.test("a reload makes more threads, and fewer", async () => {
  await using daemon = await startDaemon();
  for (const WORKERS of [4, 2, 1]) {
    await reload(daemon, { mail: `WORKERS = ${WORKERS}` });
    for (let i = 0; i < 5; i++) await submit(daemon.port, { to: ["jones@me.example"] });
  }
  assert.equal((await readMailbox(`${daemon.folder}/mail/jones`)).length, 15);
  assert.equal((await daemon.stop()).code, 0);
});
