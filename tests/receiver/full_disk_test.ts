/** A real file system that takes no more: 452, nothing kept, and recovery without a restart. */

import assert from "node:assert/strict";
import { type Daemon, readMailbox, startDaemon } from "../support/daemon.ts";
import { namesIn } from "../support/names_in.ts";
import { missingOrNotRoot, skippable, succeed, testWith } from "../support/programs.ts";
import { greetedClient, transaction } from "../support/submit.ts";

async function sendOne({ port }: Daemon, size: number): Promise<string> {
  const client = await greetedClient(port);
  const text = `${"x".repeat(98)}\r\n`.repeat(size / 100);
  const reply = await transaction(client, { from: "", to: ["jones@me.example"], text });
  client.close();
  return reply;
}

/** Large messages are refused and leave nothing, small ones are stored before and after. */
async function takesSmallOnesAlone(daemon: Daemon, mailbox: string): Promise<void> {
  assert.match(await sendOne(daemon, 10_000), /^250 /);
  for (const size of [2_000_000, 2_000_000]) {
    assert.match(await sendOne(daemon, size), /^452 4\.3\.1 /);
  }
  assert.deepEqual(await namesIn(`${mailbox}/tmp`), []);
  assert.match(await sendOne(daemon, 10_000), /^250 /);
  assert.equal((await readMailbox(mailbox)).length, 2);
}

const cannotMount = missingOrNotRoot(["mount"]);

Deno.test({ ...skippable("a full disk", cannotMount), fn: fillDisk });

async function fillDisk(): Promise<void> {
  const disk = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  await succeed("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
  try {
    await using daemon = await startDaemon({ users: `jones:${disk}/jones` });
    await takesSmallOnesAlone(daemon, `${disk}/jones`);
  } finally {
    await new Deno.Command("umount", { args: [disk] }).output();
    await Deno.remove(disk);
  }
}

testWith(["prlimit"], "a limit to the size of files, which ends most programs", async () => {
  await using daemon = await startDaemon();
  // Not before it runs: Deno's own caches may be larger.
  await succeed("prlimit", ["--pid", `${daemon.process.pid}`, "--fsize=1000000"]);
  await takesSmallOnesAlone(daemon, `${daemon.folder}/mail/jones`);
});
