/** A mailbox directory that is away for a while, as on a disk that is not mounted: its mail waits. */

import assert from "node:assert/strict";
import { type Daemon, readMailbox, startDaemon } from "../support/daemon.ts";
import { MailHost } from "./mail_host.ts";
import { deferred, emptied, NOWHERE, queue, submit, submitted } from "./waiting.ts";

const mailbox = ({ folder }: Daemon, user: string) => `${folder}/mail/${user}`;

async function textsOf(daemon: Daemon, user: string): Promise<string[]> {
  const messages = await readMailbox(mailbox(daemon, user));
  return messages.map(({ bytes }) => new TextDecoder().decode(bytes));
}

/** Renames a mailbox away while `act` lasts. */
async function without(daemon: Daemon, user: string, act: () => Promise<void>): Promise<void> {
  const elsewhere = `${daemon.folder}/elsewhere`;
  await Deno.rename(mailbox(daemon, user), elsewhere);
  await act();
  await Deno.rename(elsewhere, mailbox(daemon, user));
}

Deno.test("mail for a mailbox that is away waits, others get theirs at once, and it arrives once", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  let id = "";
  await without(daemon, "jones", async () => {
    id = await submitted(daemon, ["jones@me.example", "smith@me.example"]);
    assert.equal((await textsOf(daemon, "smith")).length, 1);
    const [message = assert.fail(), ...more] = await deferred(daemon.folder);
    assert.deepEqual([message.id, message.from, more], [id, "a@b.example", []]);
    const [{ to, state, attempts, reply } = assert.fail(), ...others] = message.recipients;
    assert.deepEqual([to, state, attempts, others], ["jones@me.example", "waiting", 1, []]);
    assert.match(reply ?? "", /^451 4\.2\.1 /);
  });
  assert.deepEqual(await queue(daemon.folder, "retry", id), {
    code: 0,
    out: `${id}: is tried now\n`,
    err: "",
  });
  await emptied(`${daemon.folder}/spool`);
  const [text = assert.fail(), ...more] = await textsOf(daemon, "jones");
  assert.deepEqual(more, []);
  assert.match(
    text,
    /^Return-Path: <a@b\.example>\nReceived: from a\.example [^]*;\n\t.*\nSubject: Hi\n\nHello\n$/,
  );
  assert.equal(text.match(/^Received:/gm)?.length, 1);
  assert.equal((await textsOf(daemon, "smith")).length, 1);
});

Deno.test("mail for an alias waits for the one user who is away", async () => {
  await using daemon = await startDaemon({
    mail: NOWHERE,
    users: "jones:mail/jones\nsmith:mail/smith\nstaff:jones@me.example, smith@me.example\n",
  });
  await without(daemon, "smith", async () => {
    await submitted(daemon, ["staff@me.example"]);
    assert.equal((await textsOf(daemon, "jones")).length, 1);
    const [{ recipients } = assert.fail()] = await deferred(daemon.folder);
    assert.deepEqual(recipients.map(({ to }) => to), ["smith@me.example"]);
  });
  assert.equal((await queue(daemon.folder, "retry", "--all")).code, 0);
  await emptied(`${daemon.folder}/spool`);
  assert.equal((await textsOf(daemon, "jones")).length, 1);
  assert.equal((await textsOf(daemon, "smith")).length, 1);
});

Deno.test("whose mailbox is half there is away, too", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  await Deno.remove(`${mailbox(daemon, "jones")}/new`);
  const id = await submitted(daemon, ["jones@me.example"]);
  await deferred(daemon.folder);
  await Deno.mkdir(`${mailbox(daemon, "jones")}/new`);
  assert.equal((await queue(daemon.folder, "retry", id)).code, 0);
  await emptied(`${daemon.folder}/spool`);
  assert.equal((await textsOf(daemon, "jones")).length, 1);
});

Deno.test("a report to a local sender whose mailbox is away waits, and arrives once", async () => {
  await using host = new MailHost((command) =>
    command.startsWith("RCPT") ? "550 5.1.1 Nobody of that name" : undefined
  );
  await using daemon = await startDaemon({ mail: host.setting });
  await without(daemon, "jones", async () => {
    assert.match(
      await submit(daemon, ["fred@far.example"], { from: "jones@me.example" }),
      /^250 /,
    );
    await daemon.logged("message returned");
    const [report = assert.fail(), ...more] = await deferred(daemon.folder);
    assert.deepEqual([report.from, more], ["", []]);
    const [{ to, reply } = assert.fail()] = report.recipients;
    assert.equal(to, "jones@me.example");
    assert.match(reply ?? "", /^451 4\.2\.1 /);
  });
  assert.equal((await queue(daemon.folder, "retry", "--all")).code, 0);
  await emptied(`${daemon.folder}/spool`);
  const [text = assert.fail(), ...more] = await textsOf(daemon, "jones");
  assert.deepEqual(more, []);
  assert.match(text, /^Return-Path: <>\n/);
  assert.match(text, /^Final-Recipient: rfc822; ?fred@far\.example$/m);
  assert.match(text, /^Status: 5\.1\.1$/m);
  assert.deepEqual(host.received, []);
});
