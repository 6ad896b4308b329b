/** The executable alone: in an empty directory, with an empty environment. */

import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import { type Daemon, type DaemonOptions, readMailbox, startDaemon } from "../support/daemon.ts";
import { EXECUTABLE, notCompiled, runExecutable } from "../support/executable.ts";
import { type Folder, makeFolder } from "../support/folder.ts";
import { freePort } from "../support/free_port.ts";
import { namesIn } from "../support/names_in.ts";
import { missing, type Program, skippable, succeed } from "../support/programs.ts";
import { countTexts, startSink } from "../support/smtp_sink.ts";
import { startRecordingServer } from "../support/recording_server.ts";
import { greeting, reload, rewrite } from "../support/reload.ts";
import { submit } from "../support/submit.ts";
import { until } from "../support/until.ts";
import { emptied } from "../support/waiting.ts";

function testCompiled(name: string, programs: readonly Program[], fn: () => Promise<void>): void {
  Deno.test({ ...skippable(name, notCompiled() ?? missing(programs)), fn });
}

/** All it keeps is in `home`, so that it can be told from what it should not keep. */
function start(home: Folder, { mail = "", ...options }: DaemonOptions = {}): Promise<Daemon> {
  return startDaemon({
    command: [EXECUTABLE],
    environment: {},
    mail: `SPOOL_DIR = ${home.path}/spool\n${mail}`,
    users: `jones:${home.path}/jones\n`,
    ...options,
  });
}

function send(daemon: Daemon, to: string, sessions: number, messages: number): Promise<unknown> {
  const args = ["-s", String(sessions), "-m", String(messages), "-l", "4096", "-S", "load"];
  args.push("-M", "client.example", "-f", "mary@client.example", "-t", to);
  return succeed("smtp-source", [...args, `127.0.0.1:${daemon.port}`]);
}

testCompiled("--version says name, version and commit", [], async () => {
  const { code, out, err } = await runExecutable("--version");
  assert.deepEqual([code, err], [0, ""]);
  const [, version, commit] = /^denosmtpd (\S+) \((.+)\)\n$/.exec(out) ?? [];
  assert.equal(version, project.version, out);
  assert.match(commit ?? "", /^[0-9a-f]{7,40}(-dirty)?$/);
});

testCompiled("--help names every command", [], async () => {
  const { code, out, err } = await runExecutable("--help");
  assert.deepEqual([code, err], [0, ""]);
  for (const command of ["MAIL_CONF USER_CONF", "check", "queue list", "send"]) {
    assert(out.includes(`\n  denosmtpd ${command} `), command);
  }
});

testCompiled("what is misused ends with 2 and says what is wrong", [], async () => {
  const cases: Record<string, readonly string[]> = {
    "two configuration files are needed": [],
    "unknown option --verbos": ["--verbos"],
    "no command serve": ["serve", "mail.conf", "user.conf"],
    "send needs a recipient": ["send"],
    "no queue empty": ["queue", "empty"],
    "mail.conf: there is no such file": ["mail.conf", "user.conf"],
  };
  for (const [why, words] of Object.entries(cases)) {
    const { code, out, err } = await runExecutable(...words);
    assert(err.startsWith(`denosmtpd: ${why}`), `${why}: ${err}`);
    assert.match(err, /^(denosmtpd: [^\n]+\n)+$/);
    assert.deepEqual([code, out], [2, ""], why);
  }
});

testCompiled("what fails ends with 1", [], async () => {
  const port = freePort("127.0.0.1");
  const words = ["send", "--to", "a@b.example", "--from", "c@d.example"];
  const { code, err } = await runExecutable(...words, "--server", `127.0.0.1:${port}`);
  assert.equal(code, 1, err);
});

testCompiled("200 messages in 20 sessions are all in the mailbox", ["smtp-source"], async () => {
  await using home = await makeFolder();
  await using daemon = await start(home);
  await send(daemon, "jones@me.example", 20, 200);
  const messages = await readMailbox(`${home.path}/jones`);
  assert.equal(messages.length, 200);
  assert(messages.every(({ bytes }) => bytes.length > 4096));
});

testCompiled(
  "mail for others goes on, all of it",
  ["smtp-source", "smtp-sink"],
  async () => {
    await using home = await makeFolder();
    await using kept = await makeFolder();
    const [hostname, port] = ["127.0.0.1", freePort("127.0.0.1")];
    await using _sink = await startSink({ hostname, port, folder: kept.path });
    await using daemon = await start(home, { mail: `RELAY_HOST = ${hostname}:${port}\n` });
    await send(daemon, "mary@other.example", 4, 40);
    await emptied({ folder: home.path });
    assert.equal(await countTexts(kept.path), 40);
  },
);

testCompiled("a SIGHUP makes a new user known", [], async () => {
  await using home = await makeFolder();
  await using daemon = await start(home);
  await assert.rejects(submit(daemon.port, { to: ["smith@me.example"] }), /550 /);
  const users = `jones:${home.path}/jones\nsmith:${home.path}/smith\n`;
  assert.match(await reload(daemon, { users }), / info reloaded /);
  await submit(daemon.port, { to: ["smith@me.example"] });
  assert.equal((await readMailbox(`${home.path}/smith`)).length, 1);
});

testCompiled(
  "a whole life leaves nothing but what the configuration names",
  [],
  async () => {
    await using home = await makeFolder();
    await using elsewhere = await makeFolder();
    const environment = Object.fromEntries(
      ["HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DENO_DIR"]
        .map((name) => [name, elsewhere.path]),
    );
    await using daemon = await start(home, { environment, mail: "RELAY_HOST = 127.0.0.1:1\n" });
    await submit(daemon.port, { to: ["jones@me.example"] });
    await submit(daemon.port, { to: ["mary@other.example"] });
    await daemon.logged("message deferred");
    assert.match(await reload(daemon), / info reloaded /);
    assert.equal((await daemon.stop()).code, 0);
    await daemon.logged(" info stopped");

    assert.deepEqual(await namesIn(elsewhere.path), []);
    assert.deepEqual(await namesIn(daemon.folder), ["mail.conf", "user.conf"]);
    assert.deepEqual(await namesIn(home.path), ["jones", "spool"]);
    assert.deepEqual(await namesIn(`${home.path}/jones`), ["cur", "new", "tmp"]);
    const spool = ["damaged", "lock", "queue", "requests", "tmp"];
    assert.deepEqual(await namesIn(`${home.path}/spool`), spool);
    for (const unfinished of ["jones/tmp", "spool/tmp", "spool/requests", "spool/damaged"]) {
      assert.deepEqual(await namesIn(`${home.path}/${unfinished}`), [], unfinished);
    }
    assert.equal((await namesIn(`${home.path}/jones/new`)).length, 1);
    assert.equal((await namesIn(`${home.path}/spool/queue`)).length, 2);
  },
);

testCompiled(
  "SIGTERM while it reloads, and a host holds its answer, ends it in good order",
  [],
  async () => {
    await using home = await makeFolder();
    const held = Promise.withResolvers<undefined>();
    const asked = Promise.withResolvers<void>();
    await using server = startRecordingServer({
      reply: (command) => {
        if (command !== ".") return undefined;
        asked.resolve();
        return held.promise;
      },
    });
    await using daemon = await start(home, { mail: server.setting });
    await submit(daemon.port, { to: ["fred@far.example"] });
    await asked.promise;
    await rewrite(daemon, { mail: "HOSTNAME = new.example" });
    daemon.process.kill("SIGHUP");
    // The old receivers are left after the relay is told to stop.
    let fresh = 0;
    await until("new receivers alone", async () => {
      fresh = await greeting(daemon.port) === "new.example" ? fresh + 1 : 0;
      return fresh === 20;
    });
    daemon.process.kill("SIGTERM");
    await daemon.logged("stopping");
    held.resolve(undefined);
    assert.equal((await daemon.process.status).code, 0, daemon.log());
    assert.doesNotMatch(daemon.log(), / error /);
  },
);
