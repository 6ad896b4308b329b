/** A mailbox directory that is away for a while, as on a disk that is not mounted: its mail waits. */

import assert from "node:assert/strict";
import { type Daemon, NOWHERE, readMailbox, startDaemon } from "../support/daemon.ts";
import { namesIn } from "../support/names_in.ts";
import { startRecordingServer } from "../support/recording_server.ts";
import { submit } from "../support/submit.ts";
import { loggedLine } from "../support/until.ts";
import { deferredIn, emptied, queue, retryAll } from "../support/waiting.ts";

const TEXT = "Subject: Hi\r\n\r\nHello\r\n";

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
    id = await submit(daemon.port, {
      from: "a@b.example",
      to: ["jones@me.example", "smith@me.example"],
      text: TEXT,
    });
    assert.equal((await textsOf(daemon, "smith")).length, 1);
    const [message = assert.fail(), ...more] = await deferredIn(daemon);
    assert.deepEqual([message.id, message.from, more], [id, "a@b.example", []]);
    const [{ to, state, attempts, reply } = assert.fail(), ...others] = message.recipients;
    assert.deepEqual([to, state, attempts, others], ["jones@me.example", "waiting", 1, []]);
    assert.match(reply ?? "", /^451 4\.2\.1 /);
  });
  assert.deepEqual(await queue(daemon, "retry", id), {
    code: 0,
    out: `${id}: is tried now\n`,
    err: "",
  });
  await emptied(daemon);
  const [text = assert.fail(), ...more] = await textsOf(daemon, "jones");
  assert.deepEqual(more, []);
  assert.match(
    text,
    /^Return-Path: <a@b\.example>\nReceived: from client\.example [^]*;\n\t.*\nSubject: Hi\n\nHello\n$/,
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
    await submit(daemon.port, { to: ["staff@me.example"] });
    assert.equal((await textsOf(daemon, "jones")).length, 1);
    const [{ recipients } = assert.fail()] = await deferredIn(daemon);
    assert.deepEqual(recipients.map(({ to }) => to), ["smith@me.example"]);
  });
  await retryAll(daemon);
  await emptied(daemon);
  assert.equal((await textsOf(daemon, "jones")).length, 1);
  assert.equal((await textsOf(daemon, "smith")).length, 1);
});

Deno.test("whose mailbox is half there is away, too", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  await Deno.remove(`${mailbox(daemon, "jones")}/new`);
  const id = await submit(daemon.port, { to: ["jones@me.example"] });
  await deferredIn(daemon);
  await Deno.mkdir(`${mailbox(daemon, "jones")}/new`);
  assert.equal((await queue(daemon, "retry", id)).code, 0);
  await emptied(daemon);
  assert.equal((await textsOf(daemon, "jones")).length, 1);
});

Deno.test("mail that waits for a mailbox and whose text is too short is put aside with a line", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  const spool = `${daemon.folder}/spool`;
  let id = "";
  await without(daemon, "jones", async () => {
    id = await submit(daemon.port, { from: "a@b.example", to: ["jones@me.example"] });
    await deferredIn(daemon);
    await Deno.truncate(`${spool}/queue/${id}.eml`, 20);
  });
  await retryAll(daemon);
  const line = await loggedLine(daemon, ` error message damaged id=${id} `, "no envelope behind");
  assert.ok(line.includes(`moved=${spool}/damaged`), line);
  await emptied(daemon);
  assert.deepEqual(await namesIn(`${spool}/damaged`), [`${id}.eml`, `${id}.json`]);
  for (const part of ["tmp", "new"]) {
    assert.deepEqual(await namesIn(`${mailbox(daemon, "jones")}/${part}`), []);
  }
});

Deno.test("a report to a local sender whose mailbox is away waits, and arrives once", async () => {
  await using host = startRecordingServer({
    reply: (command) => command.startsWith("RCPT") ? "550 5.1.1 Nobody of that name" : undefined,
  });
  await using daemon = await startDaemon({ mail: host.setting });
  await without(daemon, "jones", async () => {
    await submit(daemon.port, { from: "jones@me.example", to: ["fred@far.example"] });
    await daemon.logged("message returned");
    const [report = assert.fail(), ...more] = await deferredIn(daemon);
    assert.deepEqual([report.from, more], ["", []]);
    const [{ to, reply } = assert.fail()] = report.recipients;
    assert.equal(to, "jones@me.example");
    assert.match(reply ?? "", /^451 4\.2\.1 /);
  });
  await retryAll(daemon);
  await emptied(daemon);
  const [text = assert.fail(), ...more] = await textsOf(daemon, "jones");
  assert.deepEqual(more, []);
  assert.match(text, /^Return-Path: <>\n/);
  assert.match(text, /^Final-Recipient: rfc822; ?fred@far\.example$/m);
  assert.match(text, /^Status: 5\.1\.1$/m);
  assert.deepEqual(host.taken, []);
});
