/** Ports that are free, taken by a daemon with the same spool, or by somebody else. */

import assert from "node:assert/strict";
import { checkPorts, tryPorts } from "../../src/checks/ports.ts";
import { readConfiguration } from "../../src/config/configuration.ts";
import { system } from "../../src/daemon/system.ts";
import { freePort } from "../support/free_port.ts";

async function withSpool(
  port: number,
  act: (configuration: Awaited<ReturnType<typeof readConfiguration>>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    const lines = ["HOSTNAME = me.example", `LISTEN_PORT = ${port}`, `SPOOL_DIR = ${folder}/spool`];
    await Deno.writeTextFile(`${folder}/mail.conf`, lines.join("\n"));
    await Deno.writeTextFile(`${folder}/user.conf`, `john:${folder}/john\n`);
    await Deno.mkdir(`${folder}/spool`);
    await act(await readConfiguration(`${folder}/mail.conf`, `${folder}/user.conf`, system));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a free port can be listened on", async () => {
  const port = freePort();
  await withSpool(port, async (configuration) => {
    const found = await tryPorts(configuration);
    assert.deepEqual(found, { problems: [], serving: false });
    const { state, is } = checkPorts(configuration, found);
    assert.deepEqual([state, is], ["good", `127.0.0.1:${port} can be listened on`]);
  });
});

Deno.test("a port taken beside a locked spool is denosmtpd's own", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await withSpool(listener.addr.port, async (configuration) => {
    const path = `${configuration.mail.SPOOL_DIR}/lock`;
    using lock = await Deno.open(path, { create: true, write: true });
    await lock.lock(true);
    const found = await tryPorts(configuration);
    assert.deepEqual(found, { problems: [], serving: true });
    assert.match(checkPorts(configuration, found).is, /denosmtpd listens there already$/);
  });
});

Deno.test("a port taken by somebody else is a problem", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await withSpool(listener.addr.port, async (configuration) => {
    const without = await tryPorts(configuration);
    assert.equal(without.problems.length, 1);
    // A spool that nobody works with is no proof either.
    await Deno.writeTextFile(`${configuration.mail.SPOOL_DIR}/lock`, "");
    const { problems, serving } = await tryPorts(configuration);
    assert.equal(serving, false);
    assert.match(problems[0]?.message ?? "", /another program listens there already/);
  });
});
