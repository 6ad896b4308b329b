/** A mailbox's disk is full: that user's mail waits outside, everybody else's comes. */

import assert from "node:assert/strict";
import { type Daemon, NOWHERE, readMailbox, startDaemon } from "../../support/daemon.ts";
import { namesIn } from "../../support/names_in.ts";
import { envelope, greetedClient, submit, transaction } from "../../support/submit.ts";
import { loggedLine, until } from "../../support/until.ts";
import { deferredIn, emptied, retryAll } from "../../support/waiting.ts";
import { faster, noOtherTime } from "./fast_clock.ts";
import { makeDisk, type SmallDisk, testWithDisks } from "./small_disk.ts";

const FULL = /^452 4\.3\.1 /;

function daemonOn(disk: SmallDisk, mail: string, under: readonly string[] = []): Promise<Daemon> {
  const users = `jones:${disk.path}/jones\nsmith:mail/smith\n`;
  return startDaemon({ mail: `${NOWHERE}\n${mail}`, users, under });
}

async function countIn(directory: string): Promise<number> {
  return (await readMailbox(directory)).length;
}

testWithDisks("little room for one user's mail: RCPT says 452 for that one alone", async () => {
  await using disk = await makeDisk("size=8m");
  await using daemon = await daemonOn(disk, "MIN_FREE = 2M");
  await disk.fill(1024 ** 2);
  const client = await greetedClient(daemon.port);
  assert.match(await client.command("MAIL FROM:<>") ?? "", /^250 /);
  assert.match(await client.command("RCPT TO:<jones@me.example>") ?? "", FULL);
  await envelopeFor(["smith@me.example"]);
  assert.equal(await countIn(`${daemon.folder}/mail/smith`), 1);
  assert.match(daemon.log(), / info recipient refused .* to=<jones@me\.example> .*452 4\.3\.1 /);
  assert.match(daemon.log(), / warn disk nearly full directory=\/\S+\/jones free=1048576 /);
  await disk.clear();
  await until("room", async () => {
    assert.match(await client.command("MAIL FROM:<>") ?? "", /^250 /);
    const reply = await client.command("RCPT TO:<jones@me.example>");
    if (reply?.startsWith("250")) return true;
    await client.command("RSET");
    await new Promise((resolve) => setTimeout(resolve, 200));
    return false;
  });
  await envelopeFor(["smith@me.example"]);
  assert.equal(await countIn(`${disk.path}/jones`), 1);
  assert.equal(daemon.log().match(/disk nearly full/g)?.length, 1);
  assert.equal(daemon.log().match(/disk has room again/g)?.length, 1);
  client.close();

  /** The rest of a transaction. */
  async function envelopeFor(to: readonly string[]): Promise<void> {
    for (const one of to) assert.match(await client.command(`RCPT TO:<${one}>`) ?? "", /^250 /);
    assert.match(await client.command("DATA") ?? "", /^354 /);
    assert.match(await client.command("Subject: x\r\n\r\nx\r\n.") ?? "", /^250 /);
  }
});

testWithDisks(
  "no room left for one of two: 452, and the other has nothing of it either",
  async () => {
    await using disk = await makeDisk("size=1m");
    await using daemon = await daemonOn(disk, "");
    const to = ["jones@me.example", "smith@me.example"];
    const client = await greetedClient(daemon.port);
    // The first one's file is written, and the other one's is a copy of it.
    for (const order of [to, to.toReversed()]) {
      for (const text of ["short\r\n", `${"x".repeat(98)}\r\n`.repeat(2000)]) {
        await envelope(client, { to: order });
        await disk.fill();
        assert.match(await client.command(`${text}.`) ?? "", FULL);
        for (const folder of [`${disk.path}/jones`, `${daemon.folder}/mail/smith`]) {
          for (const part of ["tmp", "new"]) {
            assert.deepEqual(await namesIn(`${folder}/${part}`), []);
          }
        }
        await disk.clear();
      }
    }
    assert.match(await transaction(client, { to }), /^250 /);
    assert.equal(await countIn(`${disk.path}/jones`), 1);
    client.close();
  },
);

testWithDisks("mail of the queue for a full mailbox waits, and comes by itself", async () => {
  await using disk = await makeDisk("size=1m");
  await using daemon = await daemonOn(disk, "RETRY_DELAYS = 1m\nCLIENT_TIMEOUT = 1h", faster(30));
  const mailbox = `${disk.path}/jones`;
  // It comes to the queue as its mailbox is away.
  await Deno.rename(mailbox, `${disk.path}/away`);
  await submit(daemon.port, { from: "a@b.example", to: ["jones@me.example"] });
  await deferredIn(daemon);
  await disk.fill();
  await Deno.rename(`${disk.path}/away`, mailbox);
  await retryAll(daemon);
  await loggedLine(daemon, " error mailbox trouble ", "No space left");
  await loggedLine(daemon, " info message deferred ", "452 4.3.1");
  assert.deepEqual(await namesIn(`${mailbox}/tmp`), []);
  await disk.clear();
  await emptied(daemon);
  assert.equal(await countIn(mailbox), 1);
}, noOtherTime);
