/** Reports in the queue: from nobody, to the reverse-path, with what is known of each recipient. */

import assert from "node:assert/strict";
import { report } from "../../src/queue/bounce.ts";
import { MessageIds } from "../../src/queue/id.ts";
import type { QueuedMessage, QueuedRecipient } from "../../src/queue/envelope.ts";
import { parseMailbox } from "../../src/smtp/address.ts";
import { ARRIVED, FRED, HOUR, message, POLICY, recipient, reply } from "./messages.ts";
import { bytesOf, newSpool, put, readText } from "./spooled.ts";

const NOW = ARRIVED + HOUR;
const UNTIL = ARRIVED + POLICY.lifetime;
const HEADER = "Received: here\r\nSubject: dinner\r\n";
const TEXT = `${HEADER}\r\nSecret body\r\n`;

function failed(address: string, rest: Partial<QueuedRecipient> = {}): QueuedRecipient {
  const last = { reply: reply(550), heard: true, host: "mx.x.y", time: NOW };
  return recipient(address, { state: "failed", attempts: 1, last, ...rest });
}

/** A message in the queue, and what puts a report about these recipients of it there too. */
async function queued(
  recipients: readonly QueuedRecipient[],
  kind: "failed" | "delayed" = "failed",
  rest: Partial<QueuedMessage> = {},
  text = TEXT,
) {
  const { disk, spool } = await newSpool();
  const about = message({ size: text.length, recipients, ...rest });
  await put(spool, about, bytesOf(text));
  disk.operations.length = 0;
  const ids = new MessageIds({ now: () => NOW, random: () => 0 });
  const parts = { spool, ids, host: "me.example" };
  const send = () => report(parts, kind, about, recipients, NOW, UNTIL);
  return { disk, spool, about, send };
}

/** The report's envelope and text. */
async function sent(...about: Parameters<typeof queued>) {
  const { spool, send } = await queued(...about);
  const id = await send();
  assert.ok(id !== undefined);
  const envelope = await spool.read(id);
  const text = new TextDecoder().decode(await readText(spool, envelope));
  return { id, envelope, text };
}

Deno.test("a report has a null reverse-path and one recipient, the reverse-path (DSN-1)", async () => {
  const { id, envelope, text } = await sent([failed("jones@x.y"), failed("smith@x.y")]);
  assert.deepEqual(envelope, {
    id,
    arrived: NOW,
    reversePath: null,
    size: text.length,
    eightBit: false,
    delayReported: false,
    recipients: [{ forwardPath: FRED, state: "waiting", attempts: 0, nextAttempt: NOW }],
  });
  assert.match(text, /^To: <fred@me\.example>\r$/m);
  assert.match(text, new RegExp(`^Message-ID: <${id}@me\\.example>\\r$`, "m"));
});

Deno.test("a null reverse-path is never answered with mail (DSN-1, BUG-18)", async () => {
  for (const kind of ["failed", "delayed"] as const) {
    const { disk, send } = await queued([failed("jones@x.y")], kind, { reversePath: null });
    assert.equal(await send(), undefined);
    assert.deepEqual(disk.operations, []);
  }
});

Deno.test("a report is durable when its id is told", async () => {
  const { disk, send } = await queued([failed("jones@x.y")]);
  const id = await send();
  assert.deepEqual(disk.operations.slice(-3), [
    `sync /spool/tmp/a2-${id}.eml`,
    `rename /spool/tmp/a2-${id}.eml /spool/queue/${id}.eml`,
    "syncDirectory /spool/queue",
  ]);
});

Deno.test("whichever operation fails, there is no report and the message is as it was", async () => {
  const whole = await queued([failed("jones@x.y")]);
  await whole.send();
  const count = whole.disk.operations.length;
  assert.ok(count > 5);
  for (let failing = 0; failing < count; failing++) {
    const { disk, spool, about, send } = await queued([failed("jones@x.y")]);
    const files = [...disk.files.keys()];
    let at = 0;
    disk.before = (operation) => {
      if (at++ === failing) throw new Error(`no ${operation}`);
    };
    await assert.rejects(send(), /^Error: no /);
    assert.deepEqual([...disk.files.keys()], files, `after ${whole.disk.operations[failing]}`);
    await readText(spool, about);
  }
});

Deno.test("a report holds the header of the message, and nothing of its body (DSN-2)", async () => {
  const { text } = await sent([failed("jones@x.y")]);
  assert.ok(text.includes(`\r\n\r\n${HEADER}\r\n--report-`));
  assert.doesNotMatch(text, /Secret/);
});

Deno.test("a header without end goes back in part, in whole lines", async () => {
  const line = `X: ${"x".repeat(95)}\r\n`;
  const { text } = await sent([failed("jones@x.y")], "failed", {}, line.repeat(1000));
  const lines = text.split(line).length - 1;
  assert.ok(lines > 100 && lines * line.length <= 32 * 1024, `${lines} lines`);
  assert.ok(text.includes(`${line}\r\n--report-`));
});

Deno.test("an 8-bit message gives a 7-bit report, which every server takes", async () => {
  const { envelope, text } = await sent([failed("jones@x.y")], "failed", {}, `X: \xe4\r\n\r\n\xe4`);
  assert.equal(envelope.eightBit, false);
  assert.match(text, /^X: =E4\r$/m);
});

Deno.test("a message whose text is damaged gives no report", async () => {
  const { disk, spool, about, send } = await queued([failed("jones@x.y")]);
  await disk.remove(spool.textPath(about.id));
  await assert.rejects(send(), { name: "DamagedError" });
});

Deno.test("what a server said is reported as said, with its name (DSN-3)", async () => {
  const { text } = await sent([failed("jones@x.y")]);
  assert.match(text, /^Action: failed\r\nStatus: 5\.0\.0\r\nRemote-MTA: dns; mx\.x\.y\r$/m);
  assert.match(text, /^Diagnostic-Code: smtp; 550 5\.0\.0 reply 550\r$/m);
  assert.match(text, /^Last-Attempt-Date: Sun, 22 Nov 2026 13:00:00 \+0000\r$/m);
  assert.match(text, /^Arrival-Date: Sun, 22 Nov 2026 12:00:00 \+0000\r$/m);
});

Deno.test("who was given up is reported as expired, whatever was said last (DSN-6)", async () => {
  const last = { reply: reply(450), heard: true, host: "mx.x.y", time: NOW };
  const { text } = await sent([failed("jones@x.y", { last })]);
  assert.match(text, /^Status: 4\.4\.7\r$/m);
  assert.match(text, /^Diagnostic-Code: smtp; 450 4\.0\.0 reply 450\r$/m);
});

Deno.test("who is delayed keeps the status of the reply, and learns until when it is tried", async () => {
  const last = { reply: reply(450), heard: true, host: "mx.x.y", time: NOW };
  const { text } = await sent([recipient("jones@x.y", { attempts: 3, last })], "delayed");
  assert.match(text, /^Action: delayed\r\nStatus: 4\.0\.0\r$/m);
  assert.match(text, /^Will-Retry-Until: Fri, 27 Nov 2026 12:00:00 \+0000\r$/m);
  const { text: other } = await sent([failed("jones@x.y")]);
  assert.doesNotMatch(other, /Will-Retry-Until/);
});

Deno.test("a recipient whose attempt came to nothing by a crash is reported all the same", async () => {
  const { text } = await sent([recipient("jones@x.y", { attempts: 1 })], "delayed");
  assert.match(
    text,
    /^Final-Recipient: rfc822; jones@x\.y\r\nAction: delayed\r\nStatus: 4\.3\.0\r$/m,
  );
  assert.doesNotMatch(text, /Diagnostic-Code|Last-Attempt-Date/);
});

Deno.test("a forwarded recipient is reported as the sender wrote it", async () => {
  const original = parseMailbox("smith@me.example");
  const { text } = await sent([failed("jones@x.y", { original })]);
  assert.match(text, /^Final-Recipient: rfc822; smith@me\.example\r$/m);
});
