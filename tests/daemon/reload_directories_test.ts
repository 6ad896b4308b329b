/** What a reload makes of directories: what is new, when all else is right, and nothing else. */

import assert from "node:assert/strict";
import { exists } from "@std/fs/exists";
import { NOWHERE, startDaemon } from "../support/daemon.ts";
import { outcomes, reload } from "../support/reload.ts";

const JONES = "jones:mail/jones\n";

Deno.test("a mailbox that is away at a reload is not made anew, and its mail waits", async () => {
  await using daemon = await startDaemon({ users: JONES });
  await Deno.rename(`${daemon.folder}/mail`, `${daemon.folder}/unmounted`);
  const line = await reload(daemon, { users: `${JONES}smith:other/smith\n` });
  assert.match(line, / info reloaded /);
  assert.equal(await exists(`${daemon.folder}/mail`), false);
  assert.equal(await exists(`${daemon.folder}/other/smith/new`), true);
  assert.equal((await daemon.stop()).code, 0);
});

Deno.test("a reload that is refused has made nothing", async () => {
  await using daemon = await startDaemon({ users: JONES });
  // No machine has this address.
  const line = await reload(daemon, {
    mail: "LISTEN_ADDR = 127.0.0.1, 203.0.113.99",
    users: `${JONES}smith:other/smith\n`,
  });
  assert.match(line, / error configuration refused .*203\.0\.113\.99/);
  assert.equal(await exists(`${daemon.folder}/other`), false);
  const next = await reload(daemon, { mail: "LISTEN_ADDR = 127.0.0.1" });
  assert.match(next, / info reloaded /);
  assert.match(daemon.log(), / info mailbox made mailbox=\/.*\/other\/smith\n/);
});

Deno.test("a mailbox directory by way of a link is known by its real path at a reload too", async () => {
  await using daemon = await startDaemon({ users: JONES });
  await Deno.symlink("mail", `${daemon.folder}/link`);
  const line = await reload(daemon, { users: `${JONES}smith:link/jones\n` });
  assert.match(line, / info reloaded /);
  assert.doesNotMatch(daemon.log().slice(daemon.log().indexOf("started")), /mailbox made/);
});

Deno.test("a SPOOL_DIR that is not set any more is the preset, which is another directory", async () => {
  await using daemon = await startDaemon({ mail: `${NOWHERE}\nSPOOL_DIR = elsewhere` });
  const file = `${daemon.folder}/mail.conf`;
  const text = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, text.replace("SPOOL_DIR = elsewhere\n", ""));
  await reload(daemon);
  assert.match(outcomes(daemon).join("\n"), / problem=".*SPOOL_DIR: leaving .* needs a restart"/);
});
