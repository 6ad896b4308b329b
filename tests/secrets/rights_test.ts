/** What the daemon makes is its own user's alone, whatever umask it was started with. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { SystemDisk } from "../../src/disk.ts";
import { Requests } from "../../src/queue/requests.ts";
import { Spool } from "../../src/queue/spool.ts";
import { SpooledStsMemory } from "../../src/relay/sts_memory.ts";
import { NOWHERE, startDaemon } from "../support/daemon.ts";
import { makeFolder } from "../support/folder.ts";
import { missingOrNotRoot, run, skippable } from "../support/programs.ts";
import { silentLog } from "../support/silent_log.ts";
import { submit, TEXT } from "../support/submit.ts";
import { deferredIn, queue } from "../support/waiting.ts";

interface Found {
  readonly path: string;
  readonly isFile: boolean;
  readonly mode: number;
}

/** All there is at and below a path, but for what goes meanwhile. */
async function* walk(path: string): AsyncGenerator<Found> {
  const found = await Deno.lstat(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  if (!found) return;
  const { isFile, isDirectory, mode } = found;
  yield { path, isFile, mode: (mode ?? 0) & 0o7777 };
  if (!isDirectory) return;
  for await (const { name } of Deno.readDir(path)) yield* walk(join(path, name));
}

/** Those that others can do something with. */
function open(all: readonly Found[]): string[] {
  return all.filter(({ isFile, mode }) => mode !== (isFile ? 0o600 : 0o700))
    .map(({ path, mode }) => `${mode.toString(8)} ${path}`);
}

const LARGE = `${TEXT}${`${"x".repeat(70)}\r\n`.repeat(3000)}`;

for (const umask of ["000", "077"]) {
  Deno.test(`directories are of mode 0700 and files of 0600, with umask ${umask}`, async () => {
    await using daemon = await startDaemon({
      under: ["sh", "-c", 'umask "$0" && exec "$@"', umask],
      mail: `${NOWHERE}\nSPOOL_DIR = deep/down/spool\n`,
      users: "jones:mail/jones\nsmith:mail/far/smith\n",
    });
    const both = ["jones@me.example", "smith@me.example"];
    for (const text of [TEXT, LARGE]) {
      await submit(daemon.port, { to: ["jones@me.example"], text });
      await submit(daemon.port, { to: [...both, "fred@far.example"], text });
    }
    const { folder } = daemon;
    const all: Found[] = [];
    for (const top of ["mail", "deep"]) {
      all.push(...await Array.fromAsync(walk(`${folder}/${top}`)));
    }
    assert.deepEqual(open(all), []);
    const counted = (pattern: RegExp) => all.filter(({ path }) => pattern.test(path)).length;
    assert.equal(counted(/\/mail\/jones\/new\/./), 4);
    assert.equal(counted(/\/mail\/far\/smith\/new\/./), 2);
    assert.equal(counted(/\/deep\/down\/spool\/queue\/.*\.eml$/), 2);
    assert.equal(counted(/\/deep\/down\/spool\/lock$/), 1);
  });

  Deno.test(`so are requests and policies, with umask ${umask}`, async () => {
    await using folder = await makeFolder();
    const disk = new SystemDisk();
    const before = Deno.umask(parseInt(umask, 8));
    try {
      const spool = new Spool(disk, `${folder.path}/spool`, "test");
      await spool.make();
      await new Requests(disk, spool.directory).make({ kind: "retry", id: "all" });
      const memory = new SpooledStsMemory(spool, silentLog);
      memory.keep(new Map());
      await memory.settled();
    } finally {
      Deno.umask(before);
    }
    const all = await Array.fromAsync(walk(`${folder.path}/spool`));
    assert.deepEqual(open(all), []);
    const files = all.filter(({ isFile }) => isFile).map(({ path }) => path.split("/").at(-1));
    assert.deepEqual(files.sort(), ["policies.json", "retry-all"]);
  });
}

Deno.test({
  ...skippable(
    "another user of the machine finds nothing of a mailbox or of the queue",
    missingOrNotRoot(["setpriv"]),
  ),
  fn: async () => {
    await using daemon = await startDaemon({ mail: NOWHERE });
    await submit(daemon.port, {
      to: ["jones@me.example", "smith@me.example", "fred@far.example"],
    });
    await deferredIn(daemon);
    const { folder } = daemon;
    // Up to there the way is free.
    await Deno.chmod(folder, 0o755);
    const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    const paths = ["mail", "spool"].map((path) => `${folder}/${path}`);
    const found = await run("setpriv", [...nobody, "find", ...paths]);
    assert.deepEqual(new TextDecoder().decode(found.output).trim().split("\n"), paths);
    assert.equal(found.words.match(/Permission denied/g)?.length, paths.length);
    const files = (await Array.fromAsync(walk(folder))).filter(({ path, isFile }) => {
      return isFile && paths.some((one) => path.startsWith(`${one}/`));
    });
    assert(files.length >= 5);
    // Nor where somebody opens the directories.
    for (const { path, isFile } of await Array.fromAsync(walk(folder))) {
      if (!isFile) await Deno.chmod(path, 0o755);
    }
    for (const { path } of files) {
      const { code, words } = await run("setpriv", [...nobody, "cat", path]);
      assert.notEqual(code, 0);
      assert.match(words, /Permission denied/);
    }
    assert.equal((await queue(daemon, "list")).code, 0);
  },
});
