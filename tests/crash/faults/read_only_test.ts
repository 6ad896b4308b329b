/** Directories that cannot be written any more, as after an error of the disk. */

import assert from "node:assert/strict";
import { readMailbox, startDaemon } from "../../support/daemon.ts";
import { namesIn } from "../../support/names_in.ts";
import { startRecordingServer } from "../../support/recording_server.ts";
import { greetedClient, submit, transaction } from "../../support/submit.ts";
import { loggedLine } from "../../support/until.ts";
import { deferredIn, emptied, queue } from "../../support/waiting.ts";
import { faster, noOtherTime } from "./fast_clock.ts";
import { makeReadOnly, testWithDisks } from "./small_disk.ts";

const TROUBLE = /^451 4\.3\.0 /;

testWithDisks(
  "a mailbox that is read-only: 451, others get theirs, and later it does",
  async () => {
    await using daemon = await startDaemon();
    const mailbox = `${daemon.folder}/mail/jones`;
    const client = await greetedClient(daemon.port);
    {
      await using _ = await makeReadOnly(mailbox);
      for (const to of [["jones@me.example"], ["smith@me.example", "jones@me.example"]]) {
        assert.match(await transaction(client, { to }), TROUBLE);
      }
      await loggedLine(daemon, " error message refused ", "451 4.3.0", "Read-only file system");
      assert.deepEqual(await readMailbox(`${daemon.folder}/mail/smith`), []);
      assert.match(await transaction(client, { to: ["smith@me.example"] }), /^250 /);
    }
    assert.match(await transaction(client, { to: ["jones@me.example"] }), /^250 /);
    assert.equal((await readMailbox(mailbox)).length, 1);
    client.close();
  },
);

testWithDisks(
  "a queue that is read-only: 451, mailboxes get theirs, and what waits goes on",
  async () => {
    let answer: string | undefined = "450 4.2.0 Later";
    await using host = startRecordingServer({
      reply: (command) => command.startsWith("RCPT") ? answer : undefined,
    });
    await using daemon = await startDaemon({
      mail: `${host.setting}\nRETRY_DELAYS = 1m\nCLIENT_TIMEOUT = 1h`,
      under: faster(30),
    });
    const spool = `${daemon.folder}/spool`;
    const id = await submit(daemon.port, { to: ["fred@far.example"] });
    await deferredIn(daemon);
    answer = undefined;
    const client = await greetedClient(daemon.port);
    {
      await using _ = await makeReadOnly(spool);
      const { length } = host.conversations;
      for (const to of [["fred@far.example"], ["jones@me.example", "fred@far.example"]]) {
        assert.match(await transaction(client, { to }), TROUBLE);
      }
      assert.match(await transaction(client, { to: ["jones@me.example"] }), /^250 /);
      await loggedLine(daemon, " error queue trouble ", `id=${id}`, "Read-only file system");
      assert.equal(host.conversations.length, length, "no attempt that is not recorded");
      for (const words of [["retry", id], ["remove", id]]) {
        const { code, err } = await queue(daemon, ...words);
        assert.equal(code, 1);
        assert.match(err, /^denosmtpd: .*[Rr]ead-only/);
      }
      assert.equal((await queue(daemon, "list")).code, 0);
    }
    await host.took(1);
    await emptied(daemon);
    assert.match(await transaction(client, { to: ["fred@far.example"] }), /^250 /);
    await host.took(2);
    client.close();
    assert.equal((await readMailbox(`${daemon.folder}/mail/jones`)).length, 1);
    assert.deepEqual(await namesIn(`${spool}/tmp`), []);
  },
  noOtherTime,
);
