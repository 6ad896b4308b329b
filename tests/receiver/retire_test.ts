/** A receiver that leaves new clients to others, and the clients it has to themselves for a while. */

import assert from "node:assert/strict";
import { startReceiver } from "../support/local_receiver.ts";
import { RawClient } from "../support/raw_client.ts";
import { greetedClient, transaction } from "../support/submit.ts";
import { until } from "../support/until.ts";

const HOUR = 3_600_000;
const TO = { to: ["jones@me.example"] };

/** Returns when nobody listens at a port. */
async function left(port: number): Promise<void> {
  await until("a port that is left", async () => {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return false;
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return true;
      throw error;
    }
  });
}

Deno.test("clients who are here go on as before, new ones are refused, and it ends with the last", async () => {
  await using local = await startReceiver();
  const clients = [await greetedClient(local.port), await greetedClient(local.port)];
  let over = false;
  const retired = local.receiver.retire(HOUR, HOUR).then(() => over = true);
  await left(local.port);
  for (const client of clients) {
    assert.match(await transaction(client, TO), /^250 /);
    assert.match(await transaction(client, TO), /^250 /);
    assert.equal(over, false);
    assert.match(await client.command("QUIT") ?? "", /^221 /);
    client.close();
  }
  await retired;
  assert.equal(local.disk.files.size, 4);
});

Deno.test("where nobody is it ends by itself", async () => {
  await using local = await startReceiver("LISTEN_ADDR = 127.0.0.1, 127.0.0.2");
  await local.receiver.retire(HOUR, HOUR);
  await assert.rejects(RawClient.connect(local.port), Deno.errors.ConnectionRefused);
});

Deno.test("when its patience ends the idle hear 421, a text that is coming in is finished", async () => {
  await using local = await startReceiver();
  const idle = await greetedClient(local.port);
  const sending = await greetedClient(local.port);
  for (const line of ["MAIL FROM:<a@b.example>", "RCPT TO:<jones@me.example>", "DATA"]) {
    assert.match(await sending.command(line) ?? "", /^(250|354) /);
  }
  const retired = local.receiver.retire(100, HOUR);
  assert.match(await idle.reply() ?? "", /^421 4\.3\.2 me\.example /);
  assert.equal(await idle.line(), null);
  assert.match(await sending.command("Hello\r\n.") ?? "", /^250 /);
  assert.match(await sending.reply() ?? "", /^421 4\.3\.2 me\.example /);
  [idle, sending].forEach((client) => client.close());
  await retired;
  assert.equal(local.disk.files.size, 1);
});

Deno.test("a text that lasts longer than its grace is cut off", async () => {
  await using local = await startReceiver();
  const sending = await greetedClient(local.port);
  for (const line of ["MAIL FROM:<a@b.example>", "RCPT TO:<jones@me.example>", "DATA"]) {
    assert.match(await sending.command(line) ?? "", /^(250|354) /);
  }
  const retired = local.receiver.retire(0, 100);
  assert.match(await sending.reply() ?? "", /^421 4\.3\.2 me\.example /);
  sending.close();
  await retired;
  assert.deepEqual([...local.disk.files.keys()], []);
});

Deno.test("a stop ends the clients that it was patient with, and both return", async () => {
  await using local = await startReceiver();
  const idle = await greetedClient(local.port);
  const retired = local.receiver.retire(HOUR, HOUR);
  const stopped = local.receiver.stop(0);
  assert.match(await idle.reply() ?? "", /^421 4\.3\.2 me\.example /);
  idle.close();
  await Promise.all([stopped, retired]);
  await assert.rejects(RawClient.connect(local.port), Deno.errors.ConnectionRefused);
});
