/** SIGTERM in words: 421 to the idle, time for texts that are coming in, then the end (RFC 5321 3.8). */

import assert from "node:assert/strict";
import { startReceiver } from "../support/local_receiver.ts";
import { RawClient } from "../support/raw_client.ts";

async function inText(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await client.reply();
  for (const line of ["HELO a.example", "MAIL FROM:<a@b.example>", "RCPT TO:<jones@me.example>"]) {
    assert.match(await client.command(line) ?? "", /^250 /);
  }
  assert.match(await client.command("DATA") ?? "", /^354 /);
  await client.send("Subject: Hi\r\n");
  return client;
}

Deno.test("an idle client hears 421 with the host's name and the connection closes (788-S14, 53-54)", async () => {
  await using local = await startReceiver();
  const client = await RawClient.connect(local.port);
  assert.match(await client.reply() ?? "", /^220 /);
  const stopped = local.receiver.stop(10_000);
  assert.match(await client.reply() ?? "", /^421 4\.3\.2 me\.example /);
  assert.equal(await client.line(), null);
  client.close();
  await stopped;
});

Deno.test("a text that is coming in is finished, stored and answered, then comes 421", async () => {
  await using local = await startReceiver();
  const client = await inText(local.port);
  const stopped = local.receiver.stop(10_000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await client.send("\r\nbody\r\n.\r\n");
  assert.match(await client.reply() ?? "", /^250 2\.0\.0 /);
  assert.match(await client.reply() ?? "", /^421 4\.3\.2 me\.example /);
  assert.equal(await client.line(), null);
  client.close();
  await stopped;
  assert.equal(local.disk.files.size, 1);
});

Deno.test("a text that does not end in time is cut off with 421, and nothing of it is kept", async () => {
  await using local = await startReceiver();
  const client = await inText(local.port);
  await client.send(`${"x".repeat(100_000)}\r\n`);
  const stopped = local.receiver.stop(100);
  assert.match(await client.reply() ?? "", /^421 4\.3\.2 me\.example /);
  assert.equal(await client.line(), null);
  client.close();
  await stopped;
  assert.deepEqual([...local.disk.files.keys()], []);
});

Deno.test("nobody is let in any more", async () => {
  await using local = await startReceiver();
  await local.receiver.stop(0);
  await assert.rejects(RawClient.connect(local.port), Deno.errors.ConnectionRefused);
});

Deno.test("a text that has come in whole is stored and answered even when time is up", async () => {
  await using local = await startReceiver();
  const client = await inText(local.port);
  const sync = Promise.withResolvers<void>();
  const syncing = Promise.withResolvers<void>();
  const syncDirectory = local.disk.syncDirectory.bind(local.disk);
  local.disk.syncDirectory = async (path) => {
    syncing.resolve();
    await sync.promise;
    await syncDirectory(path);
  };
  await client.send("\r\nbody\r\n.\r\n");
  await syncing.promise;
  const stopped = local.receiver.stop(0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  sync.resolve();
  assert.match(await client.reply() ?? "", /^250 2\.0\.0 /);
  assert.match(await client.reply() ?? "", /^421 4\.3\.2 /);
  client.close();
  await stopped;
  assert.equal(local.disk.files.size, 1);
});
