/** The queue outlives the daemon, however that ends, and what has become of its files. */

import assert from "node:assert/strict";
import { type Daemon, NOWHERE, readMailbox, startDaemon } from "../support/daemon.ts";
import { namesIn } from "../support/names_in.ts";
import { startRecordingServer } from "../support/recording_server.ts";
import { submit } from "../support/submit.ts";
import { until } from "../support/until.ts";
import { deferredIn, emptied, waitingIn } from "../support/waiting.ts";

/** The next daemon with the spool and the mailboxes of an earlier one. */
function startAgain({ folder }: Daemon, mail: string): Promise<Daemon> {
  return startDaemon({
    mail: `SPOOL_DIR = ${folder}/spool\n${mail}`,
    users: `jones:${folder}/mail/jones\nsmith:${folder}/mail/smith\n`,
  });
}

async function kill({ process }: Daemon): Promise<void> {
  process.kill("SIGKILL");
  assert.equal((await process.status).signal, "SIGKILL");
}

/** With periods to be doubled, and octets above 127. */
const TEXT = "Subject: Hi\r\n\r\n.\r\n..two\r\n\xc2\xa4\r\n";

for (
  const [how, end] of [
    ["a restart", async (daemon: Daemon) => void await daemon.stop()],
    ["kill -9", kill],
  ] as const
) {
  Deno.test(`after ${how} unfinished messages go on, each once`, async () => {
    await using host = startRecordingServer();
    await using daemon = await startDaemon({ mail: `${NOWHERE}\nRETRY_DELAYS = 1s` });
    for (const to of ["fred@far.example", "ann@far.example"]) {
      await submit(daemon.port, { from: "a@b.example", to: [to, "jones@me.example"], text: TEXT });
    }
    await deferredIn(daemon);
    await end(daemon);
    await using again = await startAgain(daemon, host.setting);
    assert.match(again.log(), / info started .*queue=2/);
    await host.took(2);
    await emptied(daemon);
    assert.deepEqual(host.taken.map(({ to }) => to).flat().sort(), [
      "<ann@far.example>",
      "<fred@far.example>",
    ]);
    for (const { from, text } of host.taken) {
      assert.equal(from, "<a@b.example>");
      const words = String.fromCharCode(...text);
      const [trace] = /^Received: from client\.example .*\r\n(?:\t.*\r\n)+/.exec(words) ?? [""];
      assert.equal(words, trace + TEXT);
    }
    assert.equal((await readMailbox(`${daemon.folder}/mail/jones`)).length, 2);
  });
}

Deno.test("after kill -9 in the middle of a transaction its message is not lost", async () => {
  const asked = Promise.withResolvers<void>();
  await using slow = startRecordingServer({
    reply(command) {
      if (command !== ".") return undefined;
      asked.resolve();
      return new Promise(() => {});
    },
  });
  await using host = startRecordingServer();
  await using daemon = await startDaemon({ mail: `${slow.setting}\nRETRY_DELAYS = 1s` });
  await submit(daemon.port, { to: ["fred@far.example"] });
  await asked.promise;
  await kill(daemon);
  await using _again = await startAgain(daemon, host.setting);
  await host.took(1);
  await emptied(daemon);
  assert.deepEqual(host.taken.map(({ to }) => to), [["<fred@far.example>"]]);
});

Deno.test("SIGTERM: a transaction that ends within the grace is finished and recorded", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<undefined>();
  await using host = startRecordingServer({
    reply(command) {
      if (command !== ".") return undefined;
      asked.resolve();
      return answer.promise;
    },
  });
  await using daemon = await startDaemon({ mail: host.setting });
  await submit(daemon.port, { to: ["fred@far.example"] });
  await asked.promise;
  daemon.process.kill("SIGTERM");
  await daemon.logged("stopping");
  answer.resolve(undefined);
  assert.equal((await daemon.process.status).code, 0);
  assert.equal(host.taken.length, 1);
  assert.deepEqual(await namesIn(`${daemon.folder}/spool/queue`), []);
});

/** Milliseconds that the daemon gives to what is under way, and some for a machine that is busy. */
const GRACE = 10_000 + 5_000;

Deno.test("SIGTERM: one that lasts longer is cut short and recorded; what the host cannot have goes on at once (BUG-30)", async () => {
  // Both carriers wait: one message may be at the host already, the other cannot be.
  const stuck = new Set<string>();
  const bothStuck = Promise.withResolvers<void>();
  await using slow = startRecordingServer({
    reply(command) {
      const at = command === "." ? "text" : command.includes("ann@") ? "RCPT" : undefined;
      if (!at) return undefined;
      if (stuck.add(at).size === 2) bothStuck.resolve();
      return new Promise(() => {});
    },
  });
  await using daemon = await startDaemon({ mail: slow.setting });
  await submit(daemon.port, { to: ["fred@far.example"] });
  await submit(daemon.port, { to: ["ann@far.example"] });
  await bothStuck.promise;
  const began = performance.now();
  daemon.process.kill("SIGTERM");
  assert.equal((await daemon.process.status).code, 0, daemon.log());
  assert.ok(performance.now() - began < GRACE);
  const recorded = (await waitingIn(daemon)).flatMap(({ recipients }) => recipients);
  assert.deepEqual(recorded.map(({ to, state, attempts }) => [to, state, attempts]), [
    ["fred@far.example", "waiting", 1],
    ["ann@far.example", "waiting", 0],
  ]);
  for (const { reply } of recorded) assert.match(reply ?? "", /^451 4\./);

  await using host = startRecordingServer();
  await using _again = await startAgain(daemon, host.setting);
  await host.took(1);
  await until("one is left", async () => (await waitingIn(daemon)).length === 1);
  assert.deepEqual(host.taken.map(({ to }) => to), [["<ann@far.example>"]]);
});

Deno.test("damaged messages are put aside with a line each, and harm no other", async () => {
  await using host = startRecordingServer();
  await using daemon = await startDaemon({ mail: `${NOWHERE}\nRETRY_DELAYS = 1s` });
  const ids: string[] = [];
  for (const name of ["half", "missing", "short", "long", "good"]) {
    ids.push(await submit(daemon.port, { to: [`${name}@far.example`] }));
  }
  await deferredIn(daemon);
  await daemon.stop();

  const spool = `${daemon.folder}/spool`;
  const [half, missing, short, long, good] = ids.map((id) => `${spool}/queue/${id}`);
  await Deno.truncate(`${half}.json`, 100);
  await Deno.remove(`${missing}.eml`);
  await Deno.truncate(`${short}.eml`, 20);
  await Deno.writeTextFile(`${long}.eml`, "more\r\n", { append: true });
  const strange = "zzzzzzzzzzzzzzz";
  await Deno.copyFile(`${good}.eml`, `${spool}/queue/${strange}.eml`);
  await Deno.writeTextFile(`${spool}/queue/README`, "What is this?\n");

  await using again = await startAgain(daemon, host.setting);
  await host.took(1);
  await until("all that can go has gone", async () => {
    return (await namesIn(`${spool}/queue`)).length === 1;
  });
  assert.deepEqual(host.taken.map(({ to }) => to), [["<good@far.example>"]]);
  // What is nobody's message is nobody's to move.
  assert.deepEqual(await namesIn(`${spool}/queue`), ["README"]);
  // One without a text is nobody's: its message has gone.
  const [halfId, _missingId, shortId, longId] = ids;
  assert.deepEqual(
    await namesIn(`${spool}/damaged`),
    [
      `${halfId}.eml`,
      `${halfId}.json`,
      `${shortId}.eml`,
      `${shortId}.json`,
      `${longId}.eml`,
      `${longId}.json`,
      `${strange}.eml`,
    ].sort(),
  );
  const reasons: Record<string, RegExp> = {
    [halfId!]: /the envelope is no JSON/,
    [shortId!]: /there is no envelope behind the text/,
    [longId!]: /there is no envelope behind the text/,
    [strange]: /the envelope belongs to another message/,
  };
  for (const [id, reason] of Object.entries(reasons)) {
    await again.logged(`error message damaged id=${id}`);
    const line = again.log().split("\n").find((text) => text.includes(`damaged id=${id}`)) ?? "";
    assert.match(line, reason);
    assert.ok(line.includes(`moved=${spool}/damaged`), line);
  }
});
