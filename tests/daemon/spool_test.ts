/** The spool at the daemon's start: one daemon at a time, nothing half left, and what is in its way. */

import assert from "node:assert/strict";
import { type Daemon, NOWHERE, startDaemon } from "../support/daemon.ts";
import { namesIn } from "../support/names_in.ts";
import { missingOrNotRoot, skippable } from "../support/programs.ts";
import { type Outcome, run } from "../support/run.ts";
import { submit } from "../support/submit.ts";
import { deferredIn } from "../support/waiting.ts";

/** Runs the command line with this mail.conf in a daemon's folder, where its spool is. */
async function second({ folder }: Daemon, ...words: string[]): Promise<Outcome> {
  const lines = ["HOSTNAME = me.example", "LISTEN_PORT = 0", NOWHERE, "SPOOL_DIR = ./spool", ""];
  await Deno.writeTextFile(`${folder}/second.conf`, lines.join("\n"));
  return await run([...words, "second.conf", "user.conf"], { cwd: folder });
}

/** Files that a daemon is writing, or was when it was killed. */
async function leaveHalf(folder: string): Promise<string[]> {
  const half = ["tmp/receiver1-0123456789abcde.eml", "queue/0123456789abcde.json"];
  for (const name of half) await Deno.writeTextFile(`${folder}/spool/${name}`, "half");
  return half.map((name) => `${folder}/spool/${name}`);
}

Deno.test("a second daemon on the same spool says so in one line, and touches nothing", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  const half = await leaveHalf(daemon.folder);
  const { code, out, err } = await second(daemon);
  assert.deepEqual([code, out], [2, ""]);
  assert.equal(
    err,
    `denosmtpd: second.conf:4: SPOOL_DIR: another denosmtpd works in ${await Deno.realPath(
      `${daemon.folder}/spool`,
    )}, each needs a spool of its own\n`,
  );
  for (const path of half) assert.equal(await Deno.readTextFile(path), "half");
});

Deno.test("a look at whether the spool is taken does not keep a daemon from starting", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  await daemon.stop();
  const lock = await Deno.open(`${daemon.folder}/spool/lock`);
  assert.ok(await lock.tryLock(false));
  const released = setTimeout(() => lock.close(), 300);
  await using again = await startDaemon({ mail: `${NOWHERE}\nSPOOL_DIR = ${daemon.folder}/spool` });
  clearTimeout(released);
  assert.match(again.log(), / info started /);
});

Deno.test("after kill -9 the next daemon can start, and sweeps what was not accepted", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  const id = await submit(daemon.port, { to: ["fred@far.example"] });
  daemon.process.kill("SIGKILL");
  await daemon.process.status;
  await leaveHalf(daemon.folder);
  await using again = await startDaemon({
    mail: `${NOWHERE}\nSPOOL_DIR = ${daemon.folder}/spool`,
  });
  // The kill may have met the relay at the envelope, too.
  assert.match(again.log(), / warn unfinished messages removed files=[23]\n/);
  assert.match(again.log(), / info started .*queue=1/);
  await again.stop();
  assert.deepEqual(await namesIn(`${daemon.folder}/spool/tmp`), []);
  assert.deepEqual((await namesIn(`${daemon.folder}/spool/queue`))[0], `${id}.eml`);
});

Deno.test("the spool is for nobody but the daemon's user", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  const id = await submit(daemon.port, { to: ["fred@far.example"] });
  await deferredIn(daemon);
  const modeOf = async (path: string) => {
    const { mode } = await Deno.stat(`${daemon.folder}/spool${path}`);
    return (mode ?? 0) & 0o777;
  };
  for (const path of ["", "/queue", "/tmp", "/damaged", "/requests"]) {
    assert.equal(await modeOf(path), 0o700, path);
  }
  for (const path of ["/lock", `/queue/${id}.eml`, `/queue/${id}.json`]) {
    assert.equal(await modeOf(path), 0o600, path);
  }
});

/** Without any capability root is a user like others. */
const POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];

interface Obstacle {
  readonly what: string;
  /** Makes it in a folder; returns SPOOL_DIR. */
  readonly make: (folder: string) => Promise<string>;
  readonly says: RegExp;
  readonly under?: readonly string[];
}

const OBSTACLES: readonly Obstacle[] = [
  {
    what: "a spool below a file",
    make: () => Promise.resolve("user.conf/spool"),
    says: /cannot keep the queue in user\.conf\/spool: .*file, not a directory$/,
  },
  {
    what: "a spool that is a file",
    make: async (folder) => {
      await Deno.writeTextFile(`${folder}/spool`, "");
      return "spool";
    },
    says: /cannot keep the queue in spool: .*file, not a directory$/,
  },
  {
    what: "a spool that may not be made",
    make: async (folder) => {
      await Deno.mkdir(`${folder}/locked`);
      await Deno.chown(`${folder}/locked`, 65534, 65534);
      await Deno.chmod(`${folder}/locked`, 0o755);
      return "locked/spool";
    },
    says: /cannot keep the queue in locked\/spool: permission denied, .*$/,
    under: POWERLESS,
  },
  {
    what: "a spool of another user",
    make: async (folder) => {
      for (const part of ["", "/tmp", "/queue", "/damaged", "/requests"]) {
        await Deno.mkdir(`${folder}/theirs${part}`);
        await Deno.chown(`${folder}/theirs${part}`, 65534, 65534);
        await Deno.chmod(`${folder}/theirs${part}`, 0o755);
      }
      return "theirs";
    },
    says: /cannot keep the queue in theirs: permission denied, .*$/,
    under: POWERLESS,
  },
];

for (const command of [[], ["check"]]) {
  for (const { what, make, says, under = [] } of OBSTACLES) {
    Deno.test({
      ...skippable(
        `${command[0] ?? "serve"}: ${what}`,
        under.length > 0 ? missingOrNotRoot(["setpriv"]) : undefined,
      ),
      fn: async () => {
        const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
        try {
          await Deno.chmod(folder, 0o755);
          const lines = ["HOSTNAME = me.example", `SPOOL_DIR = ${await make(folder)}`];
          await Deno.writeTextFile(
            `${folder}/mail.conf`,
            [...lines, "LISTEN_PORT = 0", ""].join("\n"),
          );
          await Deno.writeTextFile(`${folder}/user.conf`, "jones:mail/jones\n");
          const before = await namesIn(folder);
          const words = [...command, "mail.conf", "user.conf"];
          const { code, out, err } = await run(words, { cwd: folder, under });
          assert.deepEqual([code, out], [2, ""], err);
          const [line = "", ...more] = err.trimEnd().split("\n");
          assert.ok(line.startsWith("denosmtpd: mail.conf:2: SPOOL_DIR: "), line);
          assert.match(line, says);
          assert.deepEqual(more, []);
          if (command[0] === "check") assert.deepEqual(await namesIn(folder), before);
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      },
    });
  }
}

Deno.test("check beside a running daemon finds its spool good, and leaves nothing there", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  const before = await namesIn(`${daemon.folder}/spool`);
  const { code, err } = await second(daemon, "check");
  assert.deepEqual([code, err], [0, ""]);
  assert.deepEqual(await namesIn(`${daemon.folder}/spool`), before);
  for (const part of ["tmp", "queue", "damaged", "requests"]) {
    assert.deepEqual(await namesIn(`${daemon.folder}/spool/${part}`), []);
  }
});

Deno.test({
  ...skippable(
    "root does not work in the spool of another user, who could not read what it puts there",
    Deno.uid() === 0 ? undefined : "not root",
  ),
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
    try {
      await Deno.mkdir(`${folder}/spool`);
      await Deno.chown(`${folder}/spool`, 65534, 65534);
      const mail = `${NOWHERE}\nSPOOL_DIR = ${folder}/spool`;
      const said =
        /SPOOL_DIR: cannot keep the queue in .*belongs to user number 65534, and this is user number 0/;
      await assert.rejects(startDaemon({ mail }), said);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
