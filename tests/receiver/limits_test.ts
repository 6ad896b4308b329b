/** How many clients get in, in all and from one address, and what the next one hears. */

import assert from "node:assert/strict";
import { ClientLimits } from "../../src/receiver/limits.ts";
import { startReceiver } from "../support/local_receiver.ts";
import { RawClient } from "../support/raw_client.ts";

Deno.test("a client beyond MAX_CLIENTS hears 421 with the host's name, then the end (RFC 5321 3.8)", async () => {
  await using local = await startReceiver("MAX_CLIENTS = 2");
  const clients = [await RawClient.connect(local.port), await RawClient.connect(local.port)];
  for (const client of clients) assert.match(await client.reply() ?? "", /^220 /);
  const third = await RawClient.connect(local.port);
  assert.match(await third.reply() ?? "", /^421 me\.example /);
  assert.equal(await third.line(), null);
  clients.forEach((client) => client.close());
  third.close();
});

Deno.test("who leaves makes room for the next", async () => {
  await using local = await startReceiver("MAX_CLIENTS = 1");
  for (let i = 0; i < 5; i++) {
    const client = await RawClient.connect(local.port);
    assert.match(await client.reply() ?? "", /^220 /);
    assert.match(await client.command("QUIT") ?? "", /^221 /);
    assert.equal(await client.line(), null);
    client.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

Deno.test("one address that has used up its share does not keep another out", () => {
  const limits = new ClientLimits("me.example", 10, 2);
  assert.equal(limits.enter("192.0.2.1"), undefined);
  assert.equal(limits.enter("192.0.2.1"), undefined);
  assert.equal(limits.enter("192.0.2.1")?.code, 421);
  assert.equal(limits.enter("192.0.2.2"), undefined);
  limits.leave("192.0.2.1");
  assert.equal(limits.enter("192.0.2.1"), undefined);
});

Deno.test("the addresses of one IPv6 network are one client's, however many it uses", () => {
  const limits = new ClientLimits("me.example", 10, 2);
  assert.equal(limits.enter("2001:db8::1"), undefined);
  assert.equal(limits.enter("2001:db8::ffff:2"), undefined);
  assert.equal(limits.enter("2001:db8::3")?.code, 421);
  assert.equal(limits.enter("2001:db8:0:1::3"), undefined);
  limits.leave("2001:db8::1");
  assert.equal(limits.enter("2001:db8::3"), undefined);
});

Deno.test("a client beyond MAX_CLIENTS_PER_ADDRESS hears 421", async () => {
  await using local = await startReceiver("MAX_CLIENTS_PER_ADDRESS = 1");
  const first = await RawClient.connect(local.port);
  assert.match(await first.reply() ?? "", /^220 /);
  const second = await RawClient.connect(local.port);
  assert.match(await second.reply() ?? "", /^421 me\.example .*this address/);
  first.close();
  second.close();
});
