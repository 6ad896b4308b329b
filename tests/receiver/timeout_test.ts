/** How long the receiver waits for a client that has stopped speaking (RFC 5321 4.5.3.2.7). */

import assert from "node:assert/strict";
import { startReceiver } from "../support/local_receiver.ts";
import { RawClient } from "../support/raw_client.ts";

Deno.test("a silent client hears 421 with the host's name and is cut off", async () => {
  await using local = await startReceiver("CLIENT_TIMEOUT = 1");
  const client = await RawClient.connect(local.port);
  assert.match(await client.reply() ?? "", /^220 /);
  assert.match(await client.reply() ?? "", /^421 4\.4\.2 me\.example /);
  assert.equal(await client.line(), null);
  client.close();
});

Deno.test("a client that falls silent in a text is cut off, and nothing of the text is kept", async () => {
  await using local = await startReceiver("CLIENT_TIMEOUT = 1");
  const client = await RawClient.connect(local.port);
  await client.reply();
  for (const line of ["HELO a.example", "MAIL FROM:<a@b.example>", "RCPT TO:<jones@me.example>"]) {
    assert.match(await client.command(line) ?? "", /^250 /);
  }
  assert.match(await client.command("DATA") ?? "", /^354 /);
  await client.send(`${"x".repeat(100_000)}\r\n`);
  assert.match(await client.reply() ?? "", /^421 4\.4\.2 me\.example /);
  assert.equal(await client.line(), null);
  client.close();
  await local.receiver.stop(0);
  assert.deepEqual([...local.disk.files.keys()], []);
});

Deno.test("a client that says something in time stays longer than the timeout", async () => {
  await using local = await startReceiver("CLIENT_TIMEOUT = 1");
  const client = await RawClient.connect(local.port);
  await client.reply();
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.match(await client.command("NOOP") ?? "", /^250 /);
  }
  client.close();
});

Deno.test("a command has one deadline, however its bytes trickle in", async () => {
  await using local = await startReceiver("CLIENT_TIMEOUT = 1");
  const client = await RawClient.connect(local.port);
  await client.reply();
  let sent = 0;
  const timer = setInterval(() => {
    sent++;
    client.send("N").catch(() => {});
  }, 300);
  assert.match(await client.reply() ?? "", /^421 4\.4\.2 me\.example /);
  clearInterval(timer);
  assert.ok(sent < 10, `${sent} bytes`);
  client.close();
});
