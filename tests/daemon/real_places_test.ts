/** Secrets that another thread could read by a link, at the start, at a reload and in `check`. */

import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import { makeFolder } from "../support/folder.ts";
import { makePair } from "../support/key_pair.ts";
import { testWith } from "../support/programs.ts";
import { reload } from "../support/reload.ts";
import { run } from "../support/run.ts";

const HASH =
  "$scrypt$ln=14,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

interface Setting {
  readonly what: string;
  readonly mail: string;
  readonly users?: string;
  readonly links: readonly (readonly [path: string, target: string])[];
  readonly file: string;
  readonly text: string;
  /** What is said of it. */
  readonly says: RegExp;
}

const KEY = "TLS_CERT = tls.crt\nTLS_KEY = ";
const LOGIN = "RELAY_HOST = 127.0.0.1:1\nRELAY_LOGIN_FILE = ";

async function settings(): Promise<Setting[]> {
  const { key } = await makePair();
  const login = "jones:secret\n";
  const relay =
    /^mail\.conf:\d+: TLS_KEY: needs a place outside of SPOOL_DIR \/.*\/spool, which the relay may read$/;
  const receivers =
    /^mail\.conf:\d+: RELAY_LOGIN_FILE: needs a place outside of \/.*, which the receivers may read$/;
  return [
    {
      what: "a key whose path leads into the spool by a directory",
      mail: `${KEY}other/tls.key`,
      links: [["other", "spool"]],
      file: "spool/tls.key",
      text: key,
      says: relay,
    },
    {
      what: "a key that is a link to a file in the spool",
      mail: `${KEY}tls.key`,
      links: [["tls.key", "spool/tls.key"]],
      file: "spool/tls.key",
      text: key,
      says: relay,
    },
    {
      what: "a key elsewhere that a link in the spool leads to",
      mail: `${KEY}other/tls.key`,
      links: [["other", "spool"], ["spool/tls.key", "../real/tls.key"]],
      file: "real/tls.key",
      text: key,
      says: relay,
    },
    {
      what: "a key elsewhere that a link leads to by another link in the spool",
      mail: `${KEY}tls.key`,
      links: [["tls.key", "spool/mid"], ["spool/mid", "../real/tls.key"]],
      file: "real/tls.key",
      text: key,
      says: relay,
    },
    {
      what: "a key elsewhere whose directory is a link to a link in the spool",
      mail: `${KEY}other/tls.key`,
      links: [["other", "spool/mid"], ["spool/mid", "../real"]],
      file: "real/tls.key",
      text: key,
      says: relay,
    },
    {
      what: "a key elsewhere that a link leads to over many",
      mail: `${KEY}l0`,
      links: [
        ...Array.from({ length: 20 }, (_, i) => [`l${i}`, `./mail/../l${i + 1}`] as const),
        ["l20", "other/mid"],
        ["other", "spool/queue"],
        ["spool/queue/mid", "../../real/tls.key"],
      ],
      file: "real/tls.key",
      text: key,
      says: relay,
    },
    {
      what: "a login elsewhere that a link leads to by one in a mailbox",
      mail: `${LOGIN}login`,
      links: [["login", "mail/jones/mid"], ["mail/jones/mid", "../../real/login"]],
      file: "real/login",
      text: login,
      says: receivers,
    },
    {
      what: "a login in the queue",
      mail: `${LOGIN}login`,
      links: [["login", "spool/queue/login"]],
      file: "spool/queue/login",
      text: login,
      says: receivers,
    },
    {
      what: "a login in a mailbox",
      mail: `${LOGIN}other/login`,
      links: [["other", "mail/jones"]],
      file: "mail/jones/login",
      text: login,
      says: receivers,
    },
    {
      what: "a login in a mailbox that is a link",
      mail: `${LOGIN}real/login`,
      users: "jones:other\n",
      links: [["other", "real"]],
      file: "real/login",
      text: login,
      says: receivers,
    },
  ];
}

/** Makes the files and directories of a setting. */
async function make(folder: string, { links, file, text }: Setting): Promise<void> {
  for (const directory of ["spool/queue", "mail/jones", "real"]) {
    await Deno.mkdir(`${folder}/${directory}`, { recursive: true });
  }
  for (const [path, target] of links) await Deno.symlink(target, `${folder}/${path}`);
  await Deno.writeTextFile(`${folder}/${file}`, text, { mode: 0o600 });
}

testWith(["openssl"], "what another thread could read by a link is refused", async (t) => {
  const { certificate } = await makePair();
  for (const setting of await settings()) {
    const { what, mail, users = "jones:mail/jones\n", says } = setting;
    await t.step(what, async () => {
      await using folder = await makeFolder();
      const { path } = folder;
      await make(path, setting);
      const conf = `HOSTNAME = me.example\nLISTEN_PORT = 0\n${mail}\n`;
      await Deno.writeTextFile(`${path}/mail.conf`, conf);
      await Deno.writeTextFile(`${path}/user.conf`, users);
      // Whether it is the key's is not asked before.
      await Deno.writeTextFile(`${path}/tls.crt`, certificate);
      const { code, err } = await run(["mail.conf", "user.conf"], { cwd: path });
      assert.equal(code, 2, err);
      const [line = "", ...more] = err.trimEnd().split("\n");
      assert.match(line.replace("denosmtpd: ", ""), says);
      assert.deepEqual(more, []);
    });
  }
});

Deno.test("a login that is moved into the queue is refused at a reload, and told by check", async () => {
  await using daemon = await startDaemon();
  const { folder } = daemon;
  await Deno.symlink("spool/queue", `${folder}/other`);
  await Deno.writeTextFile(`${folder}/spool/queue/login`, "jones:secret\n", { mode: 0o600 });
  const line = await reload(daemon, { mail: `${LOGIN}other/login` });
  assert.match(line, / configuration refused .*RELAY_LOGIN_FILE: needs a place outside of /);
  assert.ok(!daemon.log().includes("secret"));
  const { code, err } = await run(["check", "mail.conf", "user.conf"], { cwd: folder });
  assert.equal(code, 2);
  assert.match(err, /^denosmtpd: mail\.conf:\d+: RELAY_LOGIN_FILE: needs a place outside of /);
});

Deno.test("hashes in the spool are refused", async () => {
  await using daemon = await startDaemon();
  const { folder } = daemon;
  await Deno.writeTextFile(`${folder}/spool/user.conf`, `jones:mail/jones:${HASH}\n`);
  await Deno.symlink("spool", `${folder}/other`);
  const { code, err } = await run(["check", "mail.conf", "other/user.conf"], { cwd: folder });
  assert.equal(code, 2);
  assert.match(err, /^denosmtpd: other\/user\.conf: holds passwords, /);
});
