/** `queue list`: what people see of all the mail that waits. */

import assert from "node:assert/strict";
import { encodeEnclosed } from "../../src/queue/enclosed.ts";
import { newRecipient } from "../../src/queue/envelope.ts";
import { NOWHERE, startDaemon } from "../support/daemon.ts";
import { queue, waitingIn } from "../support/waiting.ts";
import { ABSENT, SITUATIONS, twoWaiting } from "./two_waiting.ts";

for (const [how, running] of SITUATIONS) {
  Deno.test(`list, ${how}: each message with its recipients, oldest first`, async () => {
    const { daemon, ids: [first, second] } = await twoWaiting(running);
    await using _ = daemon;
    const { code, out, err } = await queue(daemon, "list");
    assert.deepEqual([code, err], [0, ""]);
    const tried = "waiting, 1 attempt, next in \\d+[sm]: 451 4\\.4\\.1 .*";
    assert.match(
      out,
      new RegExp([
        `^${first} +\\d+s +\\d+ +from <a@b\\.example>`,
        ` +to <fred@far\\.example> ${tried}`,
        ` +to <"a b"@far\\.example> ${tried}`,
        `${second} +\\d+s +\\d+ +from <> \\(a report\\)`,
        ` +to <ann@far\\.example> ${tried}`,
        `2 messages wait in ${daemon.folder}/spool\n$`,
      ].join("\n")),
    );
  });

  Deno.test(`list --json, ${how}: one object in each line`, async () => {
    const { daemon, ids: [first, second] } = await twoWaiting(running);
    await using _ = daemon;
    const messages = await waitingIn(daemon);
    assert.deepEqual(messages.map(({ id, from }) => [id, from]), [
      [first, "a@b.example"],
      [second, ""],
    ]);
    const [{ arrived, size, recipients } = assert.fail()] = messages;
    assert.equal(new Date(arrived).toISOString(), arrived);
    assert.ok(size > 0);
    assert.deepEqual(recipients.map(({ to }) => to), ["fred@far.example", '"a b"@far.example']);
    for (const { state, attempts, nextAttempt, reply } of recipients) {
      assert.deepEqual([state, attempts], ["waiting", 1]);
      assert.ok(Date.parse(nextAttempt ?? "") > Date.parse(arrived));
      assert.match(reply ?? "", /^451 4\.4\.1 /);
    }
  });

  Deno.test(`${how}: a damaged message is named, and the others are listed`, async () => {
    const { daemon, ids: [first, second] } = await twoWaiting(running);
    await using _ = daemon;
    const spool = `${daemon.folder}/spool`;
    await Deno.truncate(`${spool}/queue/${first}.json`, 50);
    await Deno.writeTextFile(`${spool}/damaged/${ABSENT}.eml`, "");
    const { code, out, err } = await queue(daemon, "list");
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^${first}  damaged: the envelope is no JSON\n${second} `));
    assert.equal(err, "denosmtpd: 1 damaged file in spool/damaged\n");
    const json = await queue(daemon, "list", "--json");
    const [damaged = assert.fail()] = json.out.split("\n");
    assert.deepEqual(JSON.parse(damaged), { id: first, damage: "the envelope is no JSON" });
    const shown = await queue(daemon, "show", first);
    assert.deepEqual(shown, {
      code: 1,
      out: "",
      err: `denosmtpd: ${first}: the envelope is no JSON\n`,
    });
  });
}

Deno.test("an empty queue: no message waits, and there is nothing to retry", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  assert.deepEqual(await queue(daemon, "list"), {
    code: 0,
    out: `0 messages wait in ${daemon.folder}/spool\n`,
    err: "",
  });
  assert.deepEqual(await queue(daemon, "list", "--json"), { code: 0, out: "", err: "" });
  assert.equal((await queue(daemon, "retry", "--all")).code, 0);
});

Deno.test("10,000 messages are listed, oldest first", async () => {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    await Deno.writeTextFile(`${folder}/mail.conf`, "HOSTNAME = me.example\n");
    for (const part of ["tmp", "queue", "damaged", "requests"]) {
      await Deno.mkdir(`${folder}/spool/${part}`, { recursive: true });
    }
    const ids = Array.from({ length: 10_000 }, (_, i) => String(i).padStart(15, "0"));
    const arrived = Date.UTC(2026, 10, 22);
    for (const id of ids) {
      await Deno.writeFile(
        `${folder}/spool/queue/${id}.eml`,
        encodeEnclosed({
          id,
          arrived,
          reversePath: { localPart: "a", domain: "b.example" },
          size: 0,
          eightBit: false,
          delayReported: false,
          recipients: [newRecipient({ localPart: "c", domain: "d.example" }, arrived)],
        }),
      );
    }
    assert.deepEqual((await waitingIn({ folder })).map(({ id }) => id), ids);
    const { code, out } = await queue({ folder }, "list");
    assert.equal(code, 0);
    assert.ok(out.endsWith(`\n10000 messages wait in ${folder}/spool\n`));
    assert.equal(out.split("\n").length, 2 * ids.length + 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
