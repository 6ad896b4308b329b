/** Directories that go away while the daemon works in them, and come back or are made anew. */

import assert from "node:assert/strict";
import { type Daemon, NOWHERE, readMailbox, startDaemon } from "../../support/daemon.ts";
import { namesIn } from "../../support/names_in.ts";
import { skippable } from "../../support/programs.ts";
import { startRecordingServer } from "../../support/recording_server.ts";
import { envelope, greetedClient, submit, transaction } from "../../support/submit.ts";
import { loggedLine, until } from "../../support/until.ts";
import { deferredIn, emptied, queue } from "../../support/waiting.ts";
import { faster, noOtherTime } from "./fast_clock.ts";

const FAR = "fred@far.example";
const TROUBLE = /^451 4\.3\.0 /;
const IN_HASTE = "RETRY_DELAYS = 30s\nCLIENT_TIMEOUT = 1h";

function testInHaste(name: string, fn: () => Promise<void>): void {
  Deno.test({ ...skippable(name, noOtherTime), fn });
}

async function makeDirectories(base: string, parts: readonly string[]): Promise<void> {
  for (const part of parts) await Deno.mkdir(`${base}/${part}`, { recursive: true, mode: 0o700 });
}

for (const size of [100, 200_000]) {
  testInHaste(
    `a mailbox removed within a text of ${size}: 451, and the next one waits for it`,
    async () => {
      await using daemon = await startDaemon({
        mail: `${NOWHERE}\n${IN_HASTE}`,
        under: faster(30),
      });
      const [mailbox, other] = ["jones", "smith"].map((name) => `${daemon.folder}/mail/${name}`);
      const text = `${"x".repeat(98)}\r\n`.repeat(size / 100);
      const to = ["jones@me.example", "smith@me.example"];
      const client = await greetedClient(daemon.port);
      await envelope(client, { to });
      await client.send(text.slice(0, text.length / 2));
      if (size > 128 * 1024) {
        await until("a file", async () => (await namesIn(`${mailbox}/tmp`)).length > 0);
      }
      await Deno.remove(mailbox!, { recursive: true });
      assert.match(await client.command(`${text.slice(text.length / 2)}.`) ?? "", TROUBLE);
      await loggedLine(daemon, " error message refused ", "451 4.3.0", "No such file or directory");
      for (const part of ["tmp", "new"]) assert.deepEqual(await namesIn(`${other}/${part}`), []);
      // For a second it still counts as there.
      await until("250", async () => /^250 /.test(await transaction(client, { to, text })));
      client.close();
      assert.equal((await readMailbox(other!)).length, 1);
      await deferredIn(daemon);
      await makeDirectories(mailbox!, ["tmp", "new", "cur"]);
      await emptied(daemon);
      assert.equal((await readMailbox(mailbox!)).length, 1);
    },
  );
}

/** A daemon with one message that waits, and a host that takes everything from now on. */
async function withOneWaiting(
  act: (daemon: Daemon, took: (count: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  let answer: string | undefined = "450 4.2.0 Later";
  await using host = startRecordingServer({
    reply: (command) => command.startsWith("RCPT") ? answer : undefined,
  });
  await using daemon = await startDaemon({
    mail: `${host.setting}\n${IN_HASTE}`,
    under: faster(30),
  });
  await submit(daemon.port, { to: [FAR] });
  await deferredIn(daemon);
  answer = undefined;
  await act(daemon, (count) => host.took(count));
}

async function refusesButDeliversHere({ port }: Daemon): Promise<void> {
  const client = await greetedClient(port);
  for (const to of [[FAR], ["jones@me.example", FAR]]) {
    assert.match(await transaction(client, { to }), TROUBLE);
  }
  assert.match(await transaction(client, { to: ["jones@me.example"] }), /^250 /);
  client.close();
}

testInHaste(
  "a queue that is away for a while: 451 for new mail, and what waits in it is not forgotten",
  () =>
    withOneWaiting(async (daemon, took) => {
      const [spool, away] = [`${daemon.folder}/spool`, `${daemon.folder}/away`];
      await Deno.rename(spool, away);
      await refusesButDeliversHere(daemon);
      // Its time comes meanwhile.
      await loggedLine(daemon, " error queue trouble ", "there is no queue");
      await Deno.rename(away, spool);
      await took(1);
      await emptied(daemon);
      await submit(daemon.port, { to: [FAR] });
      await took(2);
      await emptied(daemon);
      assert.equal((await queue(daemon, "list")).code, 0);
    }),
);

testInHaste(
  "a queue that was removed: 451, and once it is made anew everything works",
  () =>
    withOneWaiting(async (daemon, took) => {
      const spool = `${daemon.folder}/spool`;
      await Deno.remove(spool, { recursive: true });
      await refusesButDeliversHere(daemon);
      await loggedLine(daemon, " error queue trouble ");
      await makeDirectories(spool, ["queue", "tmp", "requests", "damaged"]);
      await submit(daemon.port, { to: [FAR] });
      await took(1);
      await emptied(daemon);
      // So is the directory of requests, once it is seen.
      await until("a request heard", async () => {
        return (await queue(daemon, "retry", "--all")).code === 0;
      });
    }),
);
