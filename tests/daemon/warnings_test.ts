/** What the log is told at the start and at each reload, though the daemon serves. */

import assert from "node:assert/strict";
import type { Configuration } from "../../src/config/configuration.ts";
import { warningsOf } from "../../src/daemon/warnings.ts";
import { startDaemon } from "../support/daemon.ts";
import { makeFolder } from "../support/folder.ts";
import { makePair } from "../support/key_pair.ts";
import { testWith } from "../support/programs.ts";
import { reload } from "../support/reload.ts";

const HASH =
  "$scrypt$ln=14,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

interface Setting {
  readonly mail?: Partial<Configuration["mail"]>;
  readonly hash?: string;
  /** Of user.conf and of the key. */
  readonly modes?: readonly [number, number];
}

/** Each as its event and its fields; the files are called USERS and KEY. */
async function warnings({ mail = {}, hash, modes = [0o600, 0o600] }: Setting) {
  await using folder = await makeFolder();
  const files = { users: `${folder.path}/user.conf`, key: `${folder.path}/tls.key` };
  for (const [i, file] of Object.values(files).entries()) {
    await Deno.writeTextFile(file, "");
    await Deno.chmod(file, modes[i]!);
  }
  const configuration = {
    mail: { RELAY_TLS: "may", RELAY_HOST: undefined, TLS_KEY: files.key, ...mail },
    users: [{ name: "jones", hash }],
    files,
  } as unknown as Configuration;
  const found = await warningsOf(configuration);
  return found.map(({ event, fields }) => {
    const text = Object.entries(fields).map(([name, value]) => `${name}=${value}`).join(" ");
    return `${event} ${text}`.replaceAll(files.users, "USERS").replaceAll(files.key, "KEY");
  });
}

Deno.test("where all is right nothing is told", async () => {
  assert.deepEqual(await warnings({ hash: HASH, mail: { SUBMISSION_PORT: 587 } }), []);
  assert.deepEqual(await warnings({ modes: [0o644, 0o640] }), []);
  assert.deepEqual(await warnings({ mail: { TLS_KEY: undefined } }), []);
});

for (const name of ["SUBMISSIONS_PORT", "SUBMISSION_PORT"] as const) {
  Deno.test(`${name} without a user who has a password is told`, async () => {
    assert.deepEqual(await warnings({ mail: { [name]: 0 } }), [
      `nobody can log in setting=${name} mend=denosmtpd passwd`,
    ]);
  });
}

Deno.test("secrets that every user of the system can read are told, each with what mends it", async () => {
  assert.deepEqual(await warnings({ hash: HASH, modes: [0o604, 0o644] }), [
    "passwords readable by others file=USERS mend=chmod o-r USERS",
    "key readable by others file=KEY mend=chmod o-r KEY",
  ]);
});

testWith(["openssl"], "the daemon tells them at its start and at a reload", async () => {
  const { certificate, key } = await makePair();
  await using daemon = await startDaemon({
    mail: "TLS_CERT = tls.crt\nTLS_KEY = tls.key\nSUBMISSION_PORT = 0",
    files: { "tls.crt": certificate, "tls.key": key },
  });
  const count = (event: string) => daemon.log().split(` warn ${event} `).length - 1;
  assert.deepEqual([count("nobody can log in"), count("key readable by others")], [1, 0]);
  await Deno.chmod(`${daemon.folder}/tls.key`, 0o644);
  await reload(daemon);
  assert.deepEqual([count("nobody can log in"), count("key readable by others")], [2, 1]);
  await Deno.chmod(`${daemon.folder}/tls.key`, 0o600);
  await reload(daemon, { users: `jones:mail/jones:${HASH}\n` });
  assert.deepEqual([count("nobody can log in"), count("key readable by others")], [2, 1]);
});
