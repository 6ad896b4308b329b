/** The executable under all that its unit file puts around it. */

import assert from "node:assert/strict";
import { readMailbox } from "../support/daemon.ts";
import { skippable } from "../support/programs.ts";
import { loggedLine } from "../support/until.ts";
import {
  ADDRESS,
  Installation,
  noInstallation,
  send,
  startFarHost,
  startService,
} from "./installation.ts";
import type { Running } from "./running.ts";

function testInstalled(name: string, fn: () => Promise<void>): void {
  Deno.test({ ...skippable(name, noInstallation), fn });
}

/** By a program, for Deno keeps most of /proc to itself. */
async function fileOfProcess({ pid }: Running, name: string): Promise<string> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/${name}`] }).output();
  return new TextDecoder().decode(stdout);
}

async function sent(service: Running, to: string): Promise<void> {
  const { code, words } = await send(service, to);
  assert.equal(code, 0, words + service.log());
}

testInstalled("under its unit the daemon takes a message into a mailbox", async () => {
  await using installation = await Installation.make();
  await using service = startService(installation);
  await service.logged("started");
  await sent(service, "jones@me.example");
  const [message] = await readMailbox(`${installation.state}/mail/jones`);
  assert.match(new TextDecoder().decode(message!.bytes), /\nHello\n$/);
});

testInstalled("under its unit the daemon sends a message on", async () => {
  await using installation = await Installation.make();
  await using service = startService(installation);
  await service.logged("started");
  await using _host = await startFarHost(installation, service);
  await sent(service, "smith@far.example");
  const line = await loggedLine(service, "message sent", "<smith@far.example>");
  assert.match(line, /host=127\.0\.0\.2 .*reply="250 /);
  const [message] = await readMailbox(`${installation.folder}/far/smith`);
  assert.match(new TextDecoder().decode(message!.bytes), /\nHello\n$/);
});

testInstalled("under its unit the daemon knows the machine's addresses", async () => {
  await using installation = await Installation.make();
  await using service = startService(installation);
  await service.logged("started");
  await sent(service, `jones@[${ADDRESS}]`);
  assert.equal((await readMailbox(`${installation.state}/mail/jones`)).length, 1);
});

testInstalled(
  "under its unit the daemon reloads by SIGHUP, and SIGTERM ends it with 0",
  async () => {
    await using installation = await Installation.make();
    await using service = startService(installation);
    await service.logged("started");
    service.signal("SIGHUP");
    await service.logged("reloaded");
    await sent(service, "jones@me.example");
    service.signal("SIGTERM");
    assert.equal((await service.end()).code, 0, service.log());
    assert.match(service.log(), / info stopped\n$/);
  },
);

testInstalled("the running daemon has the unit's user, rights and state directory", async () => {
  await using installation = await Installation.make();
  await using service = startService(installation);
  await service.logged("started");
  const status = await fileOfProcess(service, "status");
  const value = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1];
  assert.equal(Number(value("Uid")), (await Deno.stat(installation.state)).uid);
  assert.notEqual(value("Uid"), "0");
  // CAP_NET_BIND_SERVICE is number 10.
  for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
    assert.equal(BigInt(`0x${value(set)}`), 1n << 10n, set);
  }
  assert.equal(value("NoNewPrivs"), "1");
  // By filters.
  assert.equal(value("Seccomp"), "2");
  assert.equal(value("Umask"), "0077");
  const environment = await fileOfProcess(service, "environ");
  assert.match(environment, /(^|\0)STATE_DIRECTORY=\/var\/lib\/denosmtpd\0/);
  assert.match(environment, /(^|\0)MALLOC_ARENA_MAX=1\0/);
});

testInstalled("no mailbox is open to others", async () => {
  await using installation = await Installation.make();
  await using service = startService(installation);
  await service.logged("started");
  await sent(service, "jones@me.example");
  const [message] = await readMailbox(`${installation.state}/mail/jones`);
  for (const path of [installation.state, `${installation.state}/mail/jones`, message!.path]) {
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o077, 0, path);
  }
});
