/** Mail that comes out of the queue into mailboxes of this host. */

import assert from "node:assert/strict";
import { AddressBook } from "../../src/config/address_book.ts";
import type { User } from "../../src/config/user_conf.ts";
import { makeMaildir } from "../../src/mailbox/maildir.ts";
import { MaildirNames } from "../../src/mailbox/name.ts";
import { Presence } from "../../src/mailbox/presence.ts";
import { DamagedError, newRecipient, type QueuedMessage } from "../../src/queue/envelope.ts";
import { MessageIds } from "../../src/queue/id.ts";
import { Spool } from "../../src/queue/spool.ts";
import type { Backend } from "../../src/receiver/backend.ts";
import { deliverQueued } from "../../src/receiver/queued_mail.ts";
import { parseMailbox, printMailbox } from "../../src/smtp/address.ts";
import { replyText } from "../../src/smtp/reply.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import { MemoryDisk } from "../support/memory_disk.ts";

const ID = "0123456789abcde";
const NOW = Date.UTC(2026, 10, 22, 15, 4, 5);
const TEXT = "Received: from c by me.example;\r\n\tnow\r\nSubject: Hi\r\n\r\n.\r\nHello\r\n";

const user = (name: string, target: User["target"], line: number): User => {
  return { name, target, hash: undefined, line };
};

const USERS: readonly User[] = [
  user("jones", { directory: "/jones" }, 1),
  user("smith", { directory: "/smith" }, 2),
  user("away", { forwards: [parseMailbox("fred@far.example"), parseMailbox("ann@x.example")] }, 3),
  user("both", { forwards: [parseMailbox("jones@me.example"), parseMailbox("f@far.example")] }, 4),
  user("staff", { forwards: ["jones", "smith"].map((to) => parseMailbox(`${to}@me.example`)) }, 5),
];

class Office {
  readonly disk = new MemoryDisk();
  readonly log = new CollectingLog();
  readonly queued: string[] = [];
  readonly spool = new Spool(this.disk, "/spool", "test");
  readonly backend: Backend = {
    book: new AddressBook(["me.example"], USERS),
    disk: this.disk,
    names: new MaildirNames({ host: "m", process: 1, random: () => 0, now: () => NOW }),
    presence: new Presence(this.disk, { now: () => NOW }),
    spool: this.spool,
    ids: new MessageIds({ now: () => NOW, random: () => 0 }),
    log: this.log,
    now: () => NOW,
    host: "me.example",
    queued: (id) => this.queued.push(id),
  };

  /** With one message that waits. */
  static async open(text = TEXT): Promise<{ office: Office; message: QueuedMessage }> {
    const office = new Office();
    for (const name of ["jones", "smith"]) await makeMaildir(office.disk, `/${name}`);
    await office.spool.make();
    const delivery = office.spool.receive({
      id: ID,
      arrived: NOW,
      reversePath: { localPart: "a", domain: "b.example" },
      recipients: [newRecipient(parseMailbox("jones@me.example"), NOW)],
    });
    await delivery.write(new TextEncoder().encode(text));
    await delivery.stage();
    await delivery.publish();
    return { office, message: await office.spool.read(ID) };
  }

  /** The replies for these recipients, as text. */
  async deliver(message: QueuedMessage, ...to: string[]): Promise<string[]> {
    const replies = await deliverQueued(this.backend, message, to.map(parseMailbox));
    return replies.map(replyText);
  }

  mail(name: string): string[] {
    const files = [...this.disk.files].filter(([path]) => path.startsWith(`/${name}/`));
    for (const [path] of files) assert.ok(path.startsWith(`/${name}/new/`), path);
    return files.map(([, { bytes }]) => new TextDecoder().decode(bytes));
  }

  /** Ids in the queue besides the message's own. */
  async others(): Promise<string[]> {
    return (await this.spool.list()).filter((id) => id !== ID);
  }
}

Deno.test("it arrives with Return-Path on top, the trace it has, and LF line ends", async () => {
  const { office, message } = await Office.open();
  assert.match((await office.deliver(message, "jones@me.example")).join(), /^250 2\.0\.0 /);
  assert.deepEqual(office.mail("jones"), [
    `Return-Path: <a@b.example>\n${TEXT.replaceAll("\r\n", "\n")}`,
  ]);
  // Removing it is the queue's business.
  assert.deepEqual(await office.spool.list(), [ID]);
  const [fields = assert.fail()] = office.log.fieldsOf("message delivered");
  assert.deepEqual([fields.id, fields.to, fields.mailbox], [ID, ["<jones@me.example>"], [
    "/jones",
  ]]);
});

Deno.test("a report arrives with the null reverse-path", async () => {
  const { office, message } = await Office.open();
  await office.deliver({ ...message, reversePath: null }, "jones@me.example");
  assert.match(office.mail("jones").join(), /^Return-Path: <>\nReceived: /);
});

Deno.test("a Return-Path that the text has goes, as for all mail that ends here", async () => {
  const { office, message } = await Office.open(`Return-Path: <x@y.example>\r\n${TEXT}`);
  await office.deliver(message, "jones@me.example");
  assert.equal(office.mail("jones").join().match(/^Return-Path:/gm)?.length, 1);
});

Deno.test("each recipient has a reply of its own, in order", async () => {
  const { office, message } = await Office.open();
  office.disk.directories.delete("/smith/new");
  const replies = await office.deliver(
    message,
    ...["nobody@me.example", "smith@me.example", "jones@me.example"],
  );
  const [unknown = "", away = "", stored = "", ...more] = replies;
  assert.match(unknown, /^550 5\.1\.1 /);
  assert.match(away, /^451 4\.2\.1 /);
  assert.match(stored, /^250 2\.0\.0 /);
  assert.deepEqual(more, []);
  assert.equal(office.mail("jones").length, 1);
});

Deno.test("where one of an alias's mailboxes is away, nobody gets a copy yet", async () => {
  const { office, message } = await Office.open();
  office.disk.directories.delete("/smith/new");
  assert.match((await office.deliver(message, "staff@me.example")).join(), /^451 4\.2\.1 /);
  assert.deepEqual(office.mail("jones"), []);
  office.disk.directories.add("/smith/new");
  assert.match((await office.deliver(message, "staff@me.example")).join(), /^250 /);
  assert.deepEqual([office.mail("jones").length, office.mail("smith").length], [1, 1]);
});

Deno.test("a forward to other hosts is a new message in the queue, which is told", async () => {
  const { office, message } = await Office.open();
  assert.match((await office.deliver(message, "away@me.example")).join(), /^250 /);
  const [id = assert.fail(), ...more] = await office.others();
  assert.deepEqual([more, office.queued], [[], [id]]);
  const entry = await office.spool.read(id);
  assert.deepEqual(entry.reversePath, message.reversePath);
  assert.deepEqual(
    entry.recipients.map(({ forwardPath, original }) => [
      printMailbox(forwardPath),
      original && printMailbox(original),
    ]),
    [["fred@far.example", "away@me.example"], ["ann@x.example", "away@me.example"]],
  );
  assert.deepEqual(
    await Array.fromAsync(office.spool.text(entry)),
    [new TextEncoder().encode(TEXT)],
  );
});

Deno.test("a forward here and elsewhere is both", async () => {
  const { office, message } = await Office.open();
  assert.match((await office.deliver(message, "both@me.example")).join(), /^250 /);
  assert.equal(office.mail("jones").length, 1);
  const [id = assert.fail()] = await office.others();
  const { recipients } = await office.spool.read(id);
  assert.deepEqual(recipients.map((one) => printMailbox(one.forwardPath)), ["f@far.example"]);
});

for (const [code, expected] of [["EIO", /^451 4\.3\.0 /], ["ENOSPC", /^452 4\.3\.1 /]] as const) {
  Deno.test(`whichever operation fails with ${code}, it waits on and nobody has a part of it`, async () => {
    const whole = await Office.open();
    whole.office.disk.operations.length = 0;
    await whole.office.deliver(whole.message, "both@me.example");
    const operations = whole.office.disk.operations.filter((one) => !one.startsWith("exists "));
    assert.ok(operations.length > 10);
    for (const failing of operations.keys()) {
      const { office, message } = await Office.open();
      const before = [...office.disk.files.keys()];
      let at = 0;
      office.disk.before = (operation) => {
        if (operation.startsWith("exists ") || at++ !== failing) return;
        throw Object.assign(new Error(`no ${operation}`), { code });
      };
      const reply = (await office.deliver(message, "both@me.example")).join();
      assert.match(reply, expected, operations[failing]);
      assert.deepEqual([...office.disk.files.keys()], before, operations[failing]);
      assert.deepEqual(office.queued, []);
      assert.equal(office.log.fieldsOf("mailbox trouble").length, 1);
    }
  });
}

Deno.test("a message whose text is damaged is delivered to nobody, and its damage is told", async () => {
  const { office, message } = await Office.open();
  const longer = { ...message, size: message.size + 1 };
  await assert.rejects(office.deliver(longer, "jones@me.example"), DamagedError);
  assert.deepEqual(office.mail("jones"), []);
});
