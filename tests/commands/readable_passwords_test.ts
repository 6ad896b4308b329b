/** Hashes that every user of the system can read, as `serve` and `check` tell it. */

import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import { makeFolder } from "../support/folder.ts";
import { reload } from "../support/reload.ts";
import { run } from "../support/run.ts";

const HASH =
  "$scrypt$ln=14,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const USERS = `jones:mail/jones:${HASH}\n`;
const TOLD = /warn passwords readable by others file=user\.conf mend="chmod o-r user\.conf"/g;

Deno.test("the log tells it at the start and at each reload, until it is mended", async () => {
  // Files that tests write can be read by others, by the usual umask; this says so in any case.
  await using daemon = await startDaemon({
    users: USERS,
    under: ["sh", "-c", 'chmod 644 user.conf; exec "$@"', "sh"],
  });
  const told = () => daemon.log().match(TOLD)?.length ?? 0;
  assert.equal(told(), 1);
  await reload(daemon);
  assert.equal(told(), 2);
  await Deno.chmod(`${daemon.folder}/user.conf`, 0o640);
  await reload(daemon);
  assert.equal(told(), 2);
});

Deno.test("without passwords everybody may read it", async () => {
  await using daemon = await startDaemon();
  assert.doesNotMatch(daemon.log(), /readable by others/);
});

Deno.test("check calls it wrong, with what mends it", async () => {
  await using folder = await makeFolder();
  const write = (name: string, text: string) => Deno.writeTextFile(`${folder.path}/${name}`, text);
  await write("mail.conf", "HOSTNAME = me.example\nLISTEN_PORT = 0\nNAME_SERVER = 127.0.0.1:1\n");
  await write("user.conf", USERS);
  const check = () => run(["check", "mail.conf", "user.conf"], { cwd: folder.path });
  await Deno.chmod(`${folder.path}/user.conf`, 0o644);
  const { code, out } = await check();
  assert.equal(code, 1, out);
  assert.match(
    out,
    /^WRONG {2}passwords: every user of the system can read the hashes in user\.conf\n.*\n {7}mend: {6}chmod o-r user\.conf$/m,
  );
  await Deno.chmod(`${folder.path}/user.conf`, 0o640);
  const mended = await check();
  assert.equal(mended.code, 0, mended.out);
});
