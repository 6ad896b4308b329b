/** What a receiver puts into the queue: one entry for all that is not delivered here, or nothing at all. */

import assert from "node:assert/strict";
import { type QueuedMessage } from "../../src/queue/envelope.ts";
import { Spool } from "../../src/queue/spool.ts";
import { printMailbox } from "../../src/smtp/address.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import { type LocalReceiver, startReceiver } from "../support/local_receiver.ts";
import type { MemoryDisk } from "../support/memory_disk.ts";
import { envelope, greetedClient, transaction } from "../support/submit.ts";

const latin1 = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

interface Entry extends QueuedMessage {
  readonly text: string;
}

/** What waits in the spool of such a disk; nothing else may be there. */
async function entriesOf(disk: MemoryDisk): Promise<Entry[]> {
  const spool = new Spool(disk, "/spool", "look");
  const entries: Entry[] = [];
  for (const id of await spool.list()) {
    const message = await spool.read(id);
    let text = "";
    for await (const piece of spool.text(message)) text += latin1(piece);
    entries.push({ ...message, text });
  }
  const files = [...disk.files.keys()].filter((path) => path.startsWith("/spool/"));
  assert.equal(files.length, entries.length, files.join(" "));
  for (const path of files) assert.ok(disk.files.get(path)?.synced, path);
  return entries;
}

const mailOf = (disk: MemoryDisk, user: string) =>
  [...disk.files].filter(([path]) => path.startsWith(`/${user}/`))
    .map(([, { bytes }]) => latin1(bytes));

const TEXT = "Subject: Hi\r\n\r\nHello\r\n";

/** One transaction from a@b.example; the reply to its text. */
async function send(local: LocalReceiver, to: readonly string[], text = TEXT): Promise<string> {
  const client = await greetedClient(local.port);
  try {
    return await transaction(client, { from: "a@b.example", to, text });
  } finally {
    client.close();
  }
}

const FRED = "fred@far.example";
const ANN = "ann@near.example";

Deno.test("several recipients elsewhere are one entry, due at once", async () => {
  await using local = await startReceiver();
  const [, id] = /^250 2\.0\.0 OK, stored as (\w+)$/.exec(await send(local, [FRED, ANN])) ?? [];
  const [entry = assert.fail(), ...more] = await entriesOf(local.disk);
  assert.deepEqual(more, []);
  assert.equal(entry.id, id);
  assert.deepEqual(entry.reversePath, { localPart: "a", domain: "b.example" });
  assert.deepEqual(entry.recipients.map((one) => printMailbox(one.forwardPath)), [FRED, ANN]);
  for (const { state, attempts, nextAttempt, original } of entry.recipients) {
    assert.deepEqual([state, attempts, original], ["waiting", 0, undefined]);
    assert.equal(nextAttempt, entry.arrived);
  }
  assert.equal(entry.size, entry.text.length);
});

Deno.test("a relay puts one Received field on top, with CR LF, and changes nothing else", async () => {
  await using local = await startReceiver();
  const text = "Return-Path: <x@y.example>\r\nReceived: from x by y; then\r\n" +
    "\tfolded\r\n\r\nHello\r\n.\r\n..two\r\nno\x00n-ASCII: \xe9\r\n";
  assert.match(await send(local, [FRED], text), /^250 /);
  const [entry = assert.fail()] = await entriesOf(local.disk);
  const [trace] =
    /^Received: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby me\.example with ESMTP id \w+ for <fred@far\.example>;\r\n\t.* \+0000\r\n/
      .exec(entry.text) ?? [""];
  assert.ok(trace.includes(` id ${entry.id} for `), entry.text);
  // Freed of the periods that the client had doubled; the relay doubles them again.
  assert.equal(entry.text.slice(trace.length), text);
  assert.equal(entry.eightBit, true);
});

Deno.test("with several recipients the trace names none of them", async () => {
  await using local = await startReceiver();
  await send(local, [FRED, ANN]);
  const [{ text } = assert.fail()] = await entriesOf(local.disk);
  assert.doesNotMatch(text, / for </);
});

Deno.test("who is named twice gets it once; the case of a domain does not make two", async () => {
  await using local = await startReceiver();
  await send(local, [FRED, "fred@FAR.example", FRED, '"fred"@far.example', "Fred@far.example"]);
  const [{ recipients } = assert.fail()] = await entriesOf(local.disk);
  assert.deepEqual(
    recipients.map((one) => printMailbox(one.forwardPath)),
    [FRED, "Fred@far.example"],
  );
});

Deno.test("recipients here and elsewhere: a mailbox has it at once, the queue the rest", async () => {
  const log = new CollectingLog();
  await using local = await startReceiver("", log);
  assert.match(await send(local, ["jones@me.example", FRED]), /^250 /);
  const [mail = assert.fail(), ...more] = mailOf(local.disk, "jones");
  assert.deepEqual(more, []);
  assert.match(mail, /^Return-Path: <a@b\.example>\nReceived: /);
  const [entry = assert.fail()] = await entriesOf(local.disk);
  assert.deepEqual(entry.recipients.map((one) => printMailbox(one.forwardPath)), [FRED]);
  assert.match(entry.text, /^Received: /);
  // Both carry the same trace.
  const withoutPath = mail.slice(mail.indexOf("\n") + 1);
  assert.equal(entry.text.replaceAll("\r\n", "\n"), withoutPath);
  assert.deepEqual(log.fieldsOf("message delivered").map(({ mailbox }) => mailbox), [["/jones"]]);
  const queued = log.fieldsOf("message queued").map(({ recipients }) => recipients);
  assert.deepEqual(queued, [[`<${FRED}>`]]);
});

Deno.test("a mailbox that is away waits beside recipients elsewhere, the text is there once", async () => {
  await using local = await startReceiver();
  local.disk.directories.delete("/smith/new");
  assert.match(await send(local, ["jones@me.example", "smith@me.example", FRED]), /^250 /);
  assert.equal(mailOf(local.disk, "jones").length, 1);
  assert.deepEqual(mailOf(local.disk, "smith"), []);
  const [{ recipients } = assert.fail(), ...more] = await entriesOf(local.disk);
  assert.deepEqual(more, []);
  assert.deepEqual(
    recipients.map((one) => printMailbox(one.forwardPath)),
    [FRED, "smith@me.example"],
  );
});

/** What a transaction asks of the disk, besides looks at what is there. */
const asks = (operation: string) => !operation.startsWith("exists ");

async function withFailure(
  code: string,
  to: readonly string[],
  text: string,
  fails: (operation: string, count: number) => boolean,
): Promise<{ reply: string; local: LocalReceiver }> {
  const local = await startReceiver();
  let count = 0;
  local.disk.before = (operation) => {
    if (asks(operation) && fails(operation, count++)) {
      throw Object.assign(new Error(`no ${operation}`), { code });
    }
  };
  return { reply: await send(local, to, text), local };
}

for (
  const [what, to] of [
    ["recipients elsewhere", [FRED, ANN]],
    ["recipients here and elsewhere", ["jones@me.example", FRED, "smith@me.example"]],
  ] as const
) {
  Deno.test(`whichever operation fails, nothing is kept for anybody: ${what}`, async () => {
    const whole = await withFailure("EIO", to, TEXT, () => false);
    await whole.local[Symbol.asyncDispose]();
    assert.match(whole.reply, /^250 /);
    const operations = whole.local.disk.operations.filter(asks);
    const made = operations.findIndex((operation) => operation.startsWith("create "));
    const count = operations.length - made;
    assert.ok(count >= 5, operations.join("\n"));
    for (let failing = 0; failing < count; failing++) {
      const { reply, local } = await withFailure("EIO", to, TEXT, (_, at) => at === failing);
      await using _ = local;
      const failed = operations[made + failing]!;
      assert.match(reply, /^451 4\.3\.0 /, failed);
      assert.deepEqual([...local.disk.files.keys()], [], failed);
    }
  });
}

for (const [code, reply] of [["EIO", /^451 4\.3\.0 /], ["ENOSPC", /^452 4\.3\.1 /]] as const) {
  for (const operation of ["create", "write", "sync ", "rename", "syncDirectory"]) {
    Deno.test(`${code} at ${operation.trim()} in the spool: ${reply.source}, and the next message waits`, async () => {
      const failed = await withFailure(code, [FRED], TEXT, (done) => {
        return done.startsWith(operation) && done.includes("/spool/");
      });
      await using local = failed.local;
      assert.match(failed.reply, reply);
      assert.deepEqual(await entriesOf(local.disk), []);
      local.disk.before = () => {};
      assert.match(await send(local, [FRED]), /^250 /);
      assert.equal((await entriesOf(local.disk)).length, 1);
    });
  }
}

const LONG = `${"x".repeat(998)}\r\n`.repeat(500);

Deno.test("a long text streams into the spool, and waits as it came", async () => {
  await using local = await startReceiver();
  assert.match(await send(local, [FRED, "jones@me.example"], LONG), /^250 /);
  const [{ text } = assert.fail()] = await entriesOf(local.disk);
  assert.ok(text.endsWith(LONG));
  assert.equal(mailOf(local.disk, "jones").length, 1);
});

Deno.test("a spool that fails within a long text: the text is read to its end, then 452", async () => {
  let writes = 0;
  const { reply, local } = await withFailure(
    "ENOSPC",
    [FRED, "jones@me.example"],
    LONG,
    (operation) => operation.startsWith("write /spool") && ++writes > 2,
  );
  await using _ = local;
  assert.match(reply, /^452 4\.3\.1 /);
  assert.deepEqual([...local.disk.files.keys()], []);
});

Deno.test("a client that leaves within a long text leaves nothing", async () => {
  const log = new CollectingLog();
  await using local = await startReceiver("", log);
  const client = await greetedClient(local.port);
  await envelope(client, { to: [FRED, "jones@me.example"] });
  await client.send(LONG);
  client.close();
  await local.receiver.stop(5000);
  assert.deepEqual(log.fieldsOf("connection closed").length, 1);
  assert.deepEqual([...local.disk.files.keys()], []);
});

for (
  const [what, text, reply] of [
    ["too long", LONG.repeat(3), /^552 5\.3\.4 /],
    ["with a bare line feed", "Hello\nyou\r\n", /^554 5\.6\.0 /],
    ["that has been everywhere", "Received: x\r\n".repeat(101), /^554 5\.4\.6 /],
  ] as const
) {
  Deno.test(`a text ${what} does not wait`, async () => {
    await using local = await startReceiver("MAX_MESSAGE_SIZE = 1M");
    assert.match(await send(local, [FRED, "jones@me.example"], text), reply);
    assert.deepEqual([...local.disk.files.keys()], []);
  });
}
