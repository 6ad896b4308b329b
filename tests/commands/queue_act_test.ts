/** `queue retry` and `queue remove`: the hand that people can lend the mail that waits. */

import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import { namesIn } from "../support/names_in.ts";
import { type RecordingServer, startRecordingServer } from "../support/recording_server.ts";
import { submit } from "../support/submit.ts";
import { until } from "../support/until.ts";
import { deferredIn, emptied, queue, waitingIn } from "../support/waiting.ts";
import { ABSENT, SITUATIONS, twoWaiting } from "./two_waiting.ts";

for (const [how, running] of SITUATIONS) {
  Deno.test(`remove, ${how}: the message is gone, the others are not, and nobody is told`, async () => {
    const { daemon, ids: [first, second] } = await twoWaiting(running);
    await using _ = daemon;
    assert.deepEqual(await queue(daemon, "remove", first), {
      code: 0,
      out: `${first}: removed\n`,
      err: "",
    });
    assert.deepEqual((await waitingIn(daemon)).map(({ id }) => id), [second]);
    assert.deepEqual(await namesIn(`${daemon.folder}/spool/queue`), [
      `${second}.eml`,
      `${second}.json`,
    ]);
    assert.deepEqual(await namesIn(`${daemon.folder}/spool/requests`), []);
    if (running) await daemon.logged(`warn message removed id=${first}`);
  });

  for (const action of ["show", "retry", "remove"]) {
    Deno.test(`${action}, ${how}: an id that is none does not keep the others from it`, async () => {
      const { daemon, ids: [first] } = await twoWaiting(running);
      await using _ = daemon;
      // Not even a file outside of the queue that is called like one of its own.
      await Deno.writeTextFile(`${daemon.folder}/spool/mine.json`, "mine");
      const { code, out, err } = await queue(
        daemon,
        action,
        ...[ABSENT, "../mine", "all", first],
      );
      assert.equal(code, 1);
      assert.equal(
        err,
        [ABSENT, "../mine", "all"]
          .map((id) => `denosmtpd: ${id}: there is no such message\n`).join(""),
      );
      assert.ok(out.includes(first), out);
      assert.equal(await Deno.readTextFile(`${daemon.folder}/spool/mine.json`), "mine");
    });
  }
}

/** A mail host that takes nothing until it is told to. */
function closedHost(): { host: RecordingServer; open: () => void } {
  let open = false;
  const host = startRecordingServer({
    reply: (command) => command.startsWith("MAIL") && !open ? "451 4.3.0 Later" : undefined,
  });
  return { host, open: () => void (open = true) };
}

for (const which of ["an id", "--all"]) {
  Deno.test(`retry ${which}, beside a daemon: what would have waited goes now`, async () => {
    const { host, open } = closedHost();
    await using _host = host;
    await using daemon = await startDaemon({ mail: host.setting });
    const ids: string[] = [];
    for (const to of ["fred", "ann"]) {
      ids.push(await submit(daemon.port, { to: [`${to}@far.example`] }));
    }
    await deferredIn(daemon);
    open();
    const all = which === "--all";
    const { code, out, err } = await queue(daemon, "retry", all ? "--all" : ids[1]!);
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(out, all ? "all: is tried now\n" : `${ids[1]}: is tried now\n`);
    await host.took(all ? 2 : 1);
    await until("the rest waits", async () => {
      return (await waitingIn(daemon)).length === (all ? 0 : 1);
    });
    if (!all) assert.deepEqual(host.taken.map(({ to }) => to), [["<ann@far.example>"]]);
  });

  Deno.test(`retry ${which}, without a daemon: it is tried as soon as one runs`, async () => {
    const { host, open } = closedHost();
    await using _host = host;
    await using daemon = await startDaemon({ mail: host.setting });
    const id = await submit(daemon.port, { to: ["fred@far.example"] });
    await deferredIn(daemon);
    await daemon.stop();
    open();
    const word = which === "--all" ? "all" : id;
    const { code, out, err } = await queue(
      daemon,
      "retry",
      which === "--all" ? "--all" : id,
    );
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(out, `${word}: is tried as soon as the daemon runs\n`);
    await using _again = await startDaemon({
      mail: `SPOOL_DIR = ${daemon.folder}/spool\n${host.setting}`,
      users: `jones:${daemon.folder}/mail/jones`,
    });
    await host.took(1);
    await emptied(daemon);
    assert.deepEqual(await namesIn(`${daemon.folder}/spool/requests`), []);
  });
}
