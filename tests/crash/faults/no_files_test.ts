/** No file can be made any more, though there is room, or though there is none to be opened by. */

import assert from "node:assert/strict";
import { type Daemon, readMailbox, startDaemon } from "../../support/daemon.ts";
import { namesIn } from "../../support/names_in.ts";
import { testWith } from "../../support/programs.ts";
import { RawClient } from "../../support/raw_client.ts";
import { startRecordingServer } from "../../support/recording_server.ts";
import { envelope, greetedClient, submit, transaction } from "../../support/submit.ts";
import { loggedLine, until } from "../../support/until.ts";
import { deferredIn, emptied, queue } from "../../support/waiting.ts";
import { faster, noOtherTime } from "./fast_clock.ts";
import { makeDisk, testWithDisks } from "./small_disk.ts";

const FULL = /^452 4\.3\.1 /;

testWithDisks(
  "a disk without inodes: 452, nothing kept, no attempt unrecorded; then all goes on",
  async () => {
    let answer: string | undefined = "450 4.2.0 Later";
    await using host = startRecordingServer({
      reply: (command) => command.startsWith("RCPT") ? answer : undefined,
    });
    await using disk = await makeDisk("size=4m,nr_inodes=100");
    await using daemon = await startDaemon({
      mail: `SPOOL_DIR = ${disk.path}/spool\n${host.setting}\n` +
        "RETRY_DELAYS = 1m\nCLIENT_TIMEOUT = 1h",
      users: `jones:${disk.path}/jones\n`,
      under: faster(30),
    });
    const id = await submit(daemon.port, { to: ["fred@far.example"] });
    await deferredIn(daemon);
    // An attempt that is just being recorded gives a file back when it is.
    await until("an attempt without files", async () => {
      await disk.useUpFiles();
      return troubles(daemon, id) > 0;
    });
    answer = undefined;
    const { length } = host.conversations;
    const before = troubles(daemon, id);
    const client = await greetedClient(daemon.port);
    for (const to of [["jones@me.example"], ["fred@far.example"]]) {
      assert.match(await transaction(client, { to }), FULL);
    }
    for (const part of ["jones/tmp", "jones/new", "spool/tmp"]) {
      assert.deepEqual(await namesIn(`${disk.path}/${part}`), []);
    }
    await until("another attempt without files", () => troubles(daemon, id) > before);
    assert.equal(host.conversations.length, length);
    const { code, err } = await queue(daemon, "retry", id);
    assert.deepEqual([code, /^denosmtpd: .*No space left/.test(err)], [1, true], err);
    await disk.clear();
    await host.took(1);
    await emptied({ folder: disk.path });
    assert.match(await transaction(client, { to: ["jones@me.example"] }), /^250 /);
    client.close();
  },
  noOtherTime,
);

/** How often it was said that an attempt at this message could not be recorded. */
function troubles(daemon: Daemon, id: string): number {
  const lines = daemon.log().split("\n").filter((line) => line.includes(" error queue trouble "));
  return lines.filter((line) => line.includes(`id=${id} `) && line.includes("No space left"))
    .length;
}

testWithDisks("few inodes left: MAIL says 452 before", async () => {
  await using disk = await makeDisk("size=400m,nr_inodes=100");
  await using daemon = await startDaemon({
    mail: `SPOOL_DIR = ${disk.path}/spool\nMIN_FREE = 5%`,
  });
  await disk.useUpFiles();
  const client = await greetedClient(daemon.port);
  // The disk is looked at once a second.
  await until("452", async () => {
    await client.command("RSET");
    return FULL.test(await client.command("MAIL FROM:<>") ?? "");
  });
  await loggedLine(daemon, " warn disk nearly full ", "files=0 leastFiles=5");
  client.close();
});

testWith(
  ["prlimit"],
  "no descriptor for a message: 451, nothing kept, and it is stored when there is",
  async () => {
    await using daemon = await startDaemon({
      mail: "MAX_CLIENTS_PER_ADDRESS = 1000",
      under: ["prlimit", "--nofile=80:80"],
    });
    const mailbox = `${daemon.folder}/mail/jones`;
    const to = ["jones@me.example"];
    const client = await greetedClient(daemon.port);
    const others: RawClient[] = [];
    for (let i = 0; i < 80; i++) others.push(await RawClient.connect(daemon.port));
    await daemon.logged("accept failed");
    assert.match(await transaction(client, { to }), /^451 4\.3\.0 /);
    await loggedLine(daemon, " error message refused ", "Too many open files");
    for (const part of ["tmp", "new"]) assert.deepEqual(await namesIn(`${mailbox}/${part}`), []);
    others.forEach((other) => other.close());
    // Who leaves takes a moment.
    await until("descriptors", async () => {
      await envelope(client, { to });
      return (await client.command("x\r\n.") ?? "").startsWith("250");
    });
    assert.equal((await readMailbox(mailbox)).length, 1);
    client.close();
  },
);
