/** A client that is alone is served without detours, but whoever comes is served beside it. */

import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import { namesIn } from "../support/names_in.ts";
import { RawClient } from "../support/raw_client.ts";
import { greetedClient } from "../support/submit.ts";

const MESSAGES = 1500;
const MESSAGE = "MAIL FROM:<mary@client.example>\r\nRCPT TO:<jones@me.example>\r\nDATA\r\n" +
  "Subject: flood\r\n\r\n.\r\n";

Deno.test("a lone client that sends message upon message does not keep the next one waiting", async () => {
  await using daemon = await startDaemon();
  const flood = await greetedClient(daemon.port);
  const sent = flood.send(MESSAGE.repeat(MESSAGES)).catch(() => {});
  const other = await RawClient.connect(daemon.port);
  try {
    assert.match(await other.reply() ?? "", /^220 /);
    const stored = (await namesIn(`${daemon.folder}/mail/jones/new`)).length;
    assert(stored < MESSAGES / 2, `${stored} messages were stored before it was greeted`);
  } finally {
    other.close();
    flood.close();
    await sent;
  }
});
