/** What a client hears when its message cannot be stored: nothing that sounds like success. */

import assert from "node:assert/strict";
import type { Fields, Log } from "../../src/log.ts";
import { startReceiver } from "../support/local_receiver.ts";
import { RawClient } from "../support/raw_client.ts";
import { silentLog } from "../support/silent_log.ts";
import { greetedClient, transaction } from "../support/submit.ts";

/** Sends one message for jones and smith and returns the reply to its text. */
function sendOne(client: RawClient, text = "body\r\n"): Promise<string> {
  return transaction(client, { to: ["jones@me.example", "smith@me.example"], text });
}

function failure(code: string): Error {
  return Object.assign(new Error(`trouble (${code})`), { code });
}

for (const [code, reply] of [["EIO", /^451 4\.3\.0 /], ["ENOSPC", /^452 4\.3\.1 /]] as const) {
  for (const operation of ["create", "write", "sync ", "rename", "syncDirectory"]) {
    Deno.test(`${code} at ${operation.trim()}: ${reply.source}, nothing kept, and the next message is stored`, async () => {
      await using local = await startReceiver();
      const client = await greetedClient(local.port);
      local.disk.before = (done) => {
        if (done.startsWith(operation)) throw failure(code);
      };
      assert.match(await sendOne(client), reply);
      assert.deepEqual([...local.disk.files.keys()], []);
      local.disk.before = () => {};
      assert.match(await sendOne(client), /^250 2\.0\.0 /);
      assert.equal(local.disk.files.size, 2);
      client.close();
    });
  }
}

Deno.test("a disk that fails within a long text: the text is read to its end, then 452", async () => {
  await using local = await startReceiver();
  const client = await greetedClient(local.port);
  let writes = 0;
  local.disk.before = (operation) => {
    if (operation.startsWith("write") && ++writes > 2) throw failure("ENOSPC");
  };
  assert.match(await sendOne(client, `${"x".repeat(998)}\r\n`.repeat(500)), /^452 4\.3\.1 /);
  assert.deepEqual([...local.disk.files.keys()], []);
  assert.match(await client.command("NOOP") ?? "", /^250 /);
  client.close();
});

Deno.test("no reply names a file or an error of the system", async () => {
  await using local = await startReceiver();
  const client = await greetedClient(local.port);
  local.disk.before = (operation) => {
    if (operation.startsWith("create")) throw new Error("/jones/tmp/secret: os error 5");
  };
  assert.doesNotMatch(await sendOne(client), /jones|secret|error/);
  client.close();
});

Deno.test("an error that should not be ends the connection with 421, and the receiver goes on", async () => {
  const lines: [string, Fields | undefined][] = [];
  const log: Log = { ...silentLog, error: (event, fields) => lines.push([event, fields]) };
  await using local = await startReceiver("", {
    ...log,
    debug: () => {
      throw new Error("/jones/secret");
    },
  });
  const client = await greetedClient(local.port);
  assert.equal(
    await client.command("MAIL FROM:<>"),
    "421 4.3.0 me.example has an internal error, closing the channel",
  );
  assert.equal(await client.line(), null);
  client.close();
  assert.deepEqual(lines.map(([event]) => event), ["connection failed"]);
  const next = await RawClient.connect(local.port);
  assert.match(await next.reply() ?? "", /^220 /);
  next.close();
});
