/** SIGHUP at any time: at the start, again and again, and before SIGTERM. */

import { exists } from "@std/fs/exists";
import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import type { RawClient } from "../support/raw_client.ts";
import { outcomes, reload, rewrite } from "../support/reload.ts";
import { envelope, greetedClient, submit } from "../support/submit.ts";
import { until } from "../support/until.ts";

Deno.test("SIGHUP twice at once: what the files say last holds, and it ends well", async () => {
  await using daemon = await startDaemon();
  daemon.process.kill("SIGHUP");
  await rewrite(daemon, { users: "jones:mail/jones\nbrown:mail/brown\n" });
  daemon.process.kill("SIGHUP");
  await until("the new users", () => outcomes(daemon).at(-1)?.endsWith("users=2"));
  await rewrite(daemon, { users: "jones:mail/jones\n" });
  daemon.process.kill("SIGHUP");
  await until("the newest users", () => outcomes(daemon).at(-1)?.endsWith("users=1"));
  assert.equal((await daemon.stop()).code, 0);
  assert.doesNotMatch(daemon.log(), / (warn|error) /);
});

Deno.test("many SIGHUPs while it reloads are one more reload", async () => {
  await using daemon = await startDaemon();
  for (let i = 0; i < 20; i++) daemon.process.kill("SIGHUP");
  await daemon.logged(" reloaded ");
  await reload(daemon);
  assert.ok(outcomes(daemon).length <= 4, daemon.log());
  assert.equal((await daemon.stop()).code, 0);
});

for (const moment of ["right after", "in the middle of"] as const) {
  Deno.test(`SIGTERM ${moment} a SIGHUP's reload stops it in good order`, async () => {
    await using daemon = await startDaemon();
    const client = await greetedClient(daemon.port);
    await rewrite(daemon, { users: "jones:mail/jones\nbrown:mail/brown\n" });
    daemon.process.kill("SIGHUP");
    // Its mailbox is made before its receivers are started.
    const mailbox = `${daemon.folder}/mail/brown/new`;
    if (moment === "in the middle of") await until("a new mailbox", () => exists(mailbox));
    daemon.process.kill("SIGTERM");
    assert.match(await client.reply() ?? "", /^421 4\.3\.2 me\.example /);
    client.close();
    assert.equal((await daemon.process.status).code, 0, daemon.log());
    await daemon.logged(" info stopped\n");
    assert.doesNotMatch(daemon.log(), / (warn|error) /);
  });
}

Deno.test("SIGHUP while it starts does not end it, and is answered once it serves", async () => {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    // Whoever starts waits a while for a spool that another one has.
    await Deno.mkdir(`${folder}/spool`);
    const lock = await Deno.open(`${folder}/spool/lock`, { create: true, write: true });
    await lock.lock(true);
    const starting = startDaemon({
      mail: `SPOOL_DIR = ${folder}/spool`,
      under: ["sh", "-c", 'echo $$ > "$0"; exec "$@"', `${folder}/number`],
    });
    try {
      await until("a spool that is made", () => exists(`${folder}/spool/queue`));
      Deno.kill(Number(await Deno.readTextFile(`${folder}/number`)), "SIGHUP");
    } finally {
      lock.close();
    }
    await using daemon = await starting;
    await daemon.logged(" info reloaded ");
    assert.match(daemon.log(), / info started [^]* info reloaded /);
    await submit(daemon.port, { to: ["jones@me.example"] });
    assert.equal((await daemon.stop()).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("SIGTERM ends the clients of earlier configurations too, in good order", async () => {
  await using daemon = await startDaemon({ mail: "WORKERS = 2" });
  const clients: RawClient[] = [];
  for (const HOSTNAME of ["a.example", "b.example"]) {
    clients.push(await greetedClient(daemon.port));
    await reload(daemon, { mail: `HOSTNAME = ${HOSTNAME}` });
  }
  const sending = await greetedClient(daemon.port);
  await envelope(sending, { to: ["jones@b.example"] });
  daemon.process.kill("SIGTERM");
  for (const [i, host] of ["me.example", "a.example"].entries()) {
    const client = clients[i] ?? assert.fail();
    assert.ok((await client.reply())?.startsWith(`421 4.3.2 ${host} `));
    client.close();
  }
  assert.match(await sending.command("Hello\r\n.") ?? "", /^250 /);
  sending.close();
  assert.equal((await daemon.process.status).code, 0, daemon.log());
  await daemon.logged(" info stopped\n");
  assert.doesNotMatch(daemon.log(), / (warn|error) /);
});
