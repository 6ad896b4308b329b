/** `queue`: what people see of the mail that waits, and the hand they can lend it. */

import assert from "node:assert/strict";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { missingOrNotRoot, skippable } from "../support/programs.ts";
import { run } from "../support/run.ts";
import { MailHost } from "../daemon/mail_host.ts";
import {
  deferred,
  emptied,
  namesIn,
  NOWHERE,
  queue,
  submitted,
  until,
  waiting,
} from "../daemon/waiting.ts";
import { encodeEnvelope, newRecipient } from "../../src/queue/envelope.ts";

const ABSENT = "0123456789abcde";

/** Two messages that nobody takes, tried once. */
async function withTwo(): Promise<{ daemon: Daemon; ids: [string, string] }> {
  const daemon = await startDaemon({ mail: NOWHERE });
  const first = await submitted(daemon, ["fred@far.example", '"a b"@far.example']);
  const second = await submitted(daemon, ["ann@far.example"], { from: "" });
  await deferred(daemon.folder);
  return { daemon, ids: [first, second] };
}

/** What the command does does not depend on whether a daemon runs. */
for (const beside of [true, false]) {
  const how = beside ? "beside a daemon" : "without a daemon";

  Deno.test(`list, ${how}: each message with its recipients, oldest first`, async () => {
    const { daemon, ids: [first, second] } = await withTwo();
    await using _ = daemon;
    if (!beside) await daemon.stop();
    const { code, out, err } = await queue(daemon.folder, "list");
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
        "2 messages wait\n$",
      ].join("\n")),
    );
  });

  Deno.test(`list --json, ${how}: one object in each line`, async () => {
    const { daemon, ids: [first, second] } = await withTwo();
    await using _ = daemon;
    if (!beside) await daemon.stop();
    const messages = await waiting(daemon.folder);
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

  Deno.test(`show, ${how}: all there is to know, and the header`, async () => {
    const { daemon, ids: [first, second] } = await withTwo();
    await using _ = daemon;
    if (!beside) await daemon.stop();
    const { code, out, err } = await queue(daemon.folder, "show", first, second);
    assert.deepEqual([code, err], [0, ""]);
    for (
      const line of [
        new RegExp(`^id: ${first}$`, "m"),
        /^from: <a@b\.example>$/m,
        /^arrived: \d{4}-.*Z \(\d+s ago\)$/m,
        /^size: \d+ octets$/m,
        /^to: <fred@far\.example> waiting$/m,
        /^to: <"a b"@far\.example> waiting$/m,
        /^ +attempts: 1$/m,
        /^ +next: \d{4}-.*Z \(in \d+[sm]\)$/m,
        /^ +we found: 451 4\.4\.1 /m,
        new RegExp(`^text: spool/queue/${first}\\.eml$`, "m"),
        /^Received: from a\.example /m,
        /^Subject: Hi$/m,
        new RegExp(`^id: ${second}$`, "m"),
        /^from: <>$/m,
      ]
    ) {
      assert.match(out, line);
    }
    assert.doesNotMatch(out, /Hello/);
  });

  Deno.test(`remove, ${how}: the message is gone, the others are not, and nobody is told`, async () => {
    const { daemon, ids: [first, second] } = await withTwo();
    await using _ = daemon;
    if (!beside) await daemon.stop();
    assert.deepEqual(await queue(daemon.folder, "remove", first), {
      code: 0,
      out: `${first}: removed\n`,
      err: "",
    });
    assert.deepEqual((await waiting(daemon.folder)).map(({ id }) => id), [second]);
    assert.deepEqual(await namesIn(`${daemon.folder}/spool/queue`), [
      `${second}.eml`,
      `${second}.json`,
    ]);
    assert.deepEqual(await namesIn(`${daemon.folder}/spool/requests`), []);
    if (beside) await daemon.logged(`warn message removed id=${first}`);
  });

  for (const action of ["show", "retry", "remove"]) {
    Deno.test(`${action}, ${how}: an id that is none does not keep the others from it`, async () => {
      const { daemon, ids: [first] } = await withTwo();
      await using _ = daemon;
      if (!beside) await daemon.stop();
      // Not even a file outside of the queue that is called like one of its own.
      await Deno.writeTextFile(`${daemon.folder}/spool/mine.json`, "mine");
      const { code, out, err } = await queue(
        daemon.folder,
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

  Deno.test(`${how}: a damaged message is named, and the others are listed`, async () => {
    const { daemon, ids: [first, second] } = await withTwo();
    await using _ = daemon;
    if (!beside) await daemon.stop();
    const spool = `${daemon.folder}/spool`;
    await Deno.truncate(`${spool}/queue/${first}.json`, 50);
    await Deno.writeTextFile(`${spool}/damaged/${ABSENT}.eml`, "");
    const { code, out, err } = await queue(daemon.folder, "list");
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^${first}  damaged: the envelope is no JSON\n${second} `));
    assert.equal(err, "denosmtpd: 1 damaged file in spool/damaged\n");
    const json = await queue(daemon.folder, "list", "--json");
    const [damaged = assert.fail()] = json.out.split("\n");
    assert.deepEqual(JSON.parse(damaged), { id: first, damage: "the envelope is no JSON" });
    const shown = await queue(daemon.folder, "show", first);
    assert.deepEqual(shown, {
      code: 1,
      out: "",
      err: `denosmtpd: ${first}: the envelope is no JSON\n`,
    });
  });

  for (
    const [what, damage, says] of [
      ["is missing", (path: string) => Deno.remove(path), "the text is missing"],
      [
        "is too short",
        (path: string) => Deno.truncate(path, 0),
        "the text is not as long as its envelope says",
      ],
    ] as const
  ) {
    Deno.test(`show, ${how}: a message whose text ${what}`, async () => {
      const { daemon, ids: [first, second] } = await withTwo();
      await using _ = daemon;
      if (!beside) await daemon.stop();
      await damage(`${daemon.folder}/spool/queue/${first}.eml`);
      const { code, out, err } = await queue(daemon.folder, "show", first, second);
      assert.deepEqual([code, err], [1, `denosmtpd: ${first}: ${says}\n`]);
      assert.match(out, new RegExp(`^id: ${first}$`, "m"));
      assert.match(out, new RegExp(`^id: ${second}$`, "m"));
    });
  }
}

/** A mail host that takes nothing until it is told to. */
function closedHost(): { host: MailHost; open: () => void } {
  let open = false;
  const host = new MailHost((command) =>
    command.startsWith("MAIL") && !open ? "451 4.3.0 Later" : undefined
  );
  return { host, open: () => void (open = true) };
}

for (const which of ["an id", "--all"]) {
  Deno.test(`retry ${which}, beside a daemon: what would have waited goes now`, async () => {
    const { host, open } = closedHost();
    await using _host = host;
    await using daemon = await startDaemon({ mail: host.setting });
    const ids: string[] = [];
    for (const to of ["fred", "ann"]) ids.push(await submitted(daemon, [`${to}@far.example`]));
    await deferred(daemon.folder);
    open();
    const all = which === "--all";
    const { code, out, err } = await queue(daemon.folder, "retry", all ? "--all" : ids[1]!);
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(out, all ? "all: is tried now\n" : `${ids[1]}: is tried now\n`);
    await host.came(all ? 2 : 1);
    await until("the rest waits", async () => {
      return (await waiting(daemon.folder)).length === (all ? 0 : 1);
    });
    if (!all) assert.deepEqual(host.received.map(({ to }) => to), [["<ann@far.example>"]]);
  });

  Deno.test(`retry ${which}, without a daemon: it is tried as soon as one runs`, async () => {
    const { host, open } = closedHost();
    await using _host = host;
    await using daemon = await startDaemon({ mail: host.setting });
    const id = await submitted(daemon, ["fred@far.example"]);
    await deferred(daemon.folder);
    await daemon.stop();
    open();
    const word = which === "--all" ? "all" : id;
    const { code, out, err } = await queue(
      daemon.folder,
      "retry",
      which === "--all" ? "--all" : id,
    );
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(out, `${word}: is tried as soon as the daemon runs\n`);
    await using _again = await startDaemon({
      mail: `SPOOL_DIR = ${daemon.folder}/spool\n${host.setting}`,
      users: `jones:${daemon.folder}/mail/jones`,
    });
    await host.came(1);
    await emptied(`${daemon.folder}/spool`);
    assert.deepEqual(await namesIn(`${daemon.folder}/spool/requests`), []);
  });
}

Deno.test("an empty queue: no message waits, and there is nothing to retry", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  assert.deepEqual(await queue(daemon.folder, "list"), {
    code: 0,
    out: "0 messages wait\n",
    err: "",
  });
  assert.deepEqual(await queue(daemon.folder, "list", "--json"), { code: 0, out: "", err: "" });
  assert.equal((await queue(daemon.folder, "retry", "--all")).code, 0);
});

Deno.test("control characters of a header do not reach the terminal", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  const text = "Subject: \x1b]0;mine\x07\x9b1m\tHi\r\n\r\n";
  const id = await submitted(daemon, ["fred@far.example"], { text });
  const { out } = await queue(daemon.folder, "show", id);
  assert.match(out, /^Subject: \?\]0;mine\?\?1m\tHi$/m);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(out, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
});

for (const action of ["list", "show", "retry", "remove"]) {
  const words = action === "list" ? [] : [ABSENT];
  Deno.test(`${action}: where no daemon was ever, there is no queue yet`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
    try {
      await Deno.writeTextFile(`${folder}/mail.conf`, "HOSTNAME = me.example\n");
      const { code, out, err } = await queue(folder, action, ...words);
      assert.deepEqual([code, out], [2, ""]);
      assert.match(err, /^denosmtpd: mail\.conf: SPOOL_DIR: there is no queue in spool, .*\n$/);
      assert.deepEqual(await namesIn(folder), ["mail.conf"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  Deno.test({
    ...skippable(`${action}: the queue of another user`, missingOrNotRoot(["setpriv"])),
    fn: async () => {
      const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
      try {
        await Deno.writeTextFile(`${folder}/mail.conf`, "HOSTNAME = me.example\n");
        for (const part of ["", "/tmp", "/queue", "/damaged", "/requests"]) {
          await Deno.mkdir(`${folder}/spool${part}`, { mode: 0o700 });
          await Deno.chown(`${folder}/spool${part}`, 65534, 65534);
        }
        await Deno.chmod(folder, 0o755);
        const { code, out, err } = await run(["queue", action, "mail.conf", ...words], {
          cwd: folder,
          // Without any capability root is a user like others.
          under: ["setpriv", "--bounding-set=-all", "--inh-caps=-all"],
        });
        assert.deepEqual([code, out], [1, ""]);
        assert.match(err, /^denosmtpd: spool: permission denied, run this as .*\n$/);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test("a wrong mail.conf is told as the daemon tells it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    await Deno.writeTextFile(`${folder}/mail.conf`, "SPOOL_DI = x\n");
    const { code, err } = await queue(folder, "list");
    assert.equal(code, 2);
    assert.equal(err, "denosmtpd: mail.conf:1: unknown name SPOOL_DI, did you mean SPOOL_DIR?\n");
    const missing = await run(["queue", "list", "no.conf"], { cwd: folder });
    assert.deepEqual(missing, {
      code: 2,
      out: "",
      err: "denosmtpd: no.conf: there is no such file\n",
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
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
        `${folder}/spool/queue/${id}.json`,
        encodeEnvelope({
          id,
          arrived,
          reversePath: { localPart: "a", domain: "b.example" },
          size: 1,
          eightBit: false,
          delayReported: false,
          recipients: [newRecipient({ localPart: "c", domain: "d.example" }, arrived)],
        }),
      );
    }
    assert.deepEqual((await waiting(folder)).map(({ id }) => id), ids);
    const { code, out } = await queue(folder, "list");
    assert.equal(code, 0);
    assert.ok(out.endsWith("\n10000 messages wait\n"));
    assert.equal(out.split("\n").length, 2 * ids.length + 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
