/** Ports that are free, taken by a daemon with the same spool, or by somebody else. */

import assert from "node:assert/strict";
import { checkPorts, tryPorts } from "../../src/checks/ports.ts";
import { type Configuration, readConfiguration } from "../../src/config/configuration.ts";
import { system } from "../../src/daemon/system.ts";
import { ListenError } from "../../src/receiver/listener.ts";
import { freePort } from "../support/free_port.ts";

async function withSpool(
  port: number,
  act: (configuration: Configuration) => Promise<void>,
  more: readonly string[] = [],
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    const lines = [
      "HOSTNAME = me.example",
      `LISTEN_PORT = ${port}`,
      `SPOOL_DIR = ${folder}/spool`,
      ...more,
    ];
    await Deno.writeTextFile(`${folder}/mail.conf`, lines.join("\n"));
    await Deno.writeTextFile(`${folder}/user.conf`, `john:${folder}/john\n`);
    await Deno.mkdir(`${folder}/spool`);
    await act(await readConfiguration(`${folder}/mail.conf`, `${folder}/user.conf`, system));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function lockSpool({ mail }: Configuration): Promise<Deno.FsFile> {
  const lock = await Deno.open(`${mail.SPOOL_DIR}/lock`, { create: true, write: true });
  await lock.lock(true);
  return lock;
}

Deno.test("a free port can be listened on", async () => {
  const port = freePort();
  await withSpool(port, async (configuration) => {
    const found = await tryPorts(configuration);
    assert.deepEqual(found, { problems: [], serving: false, errors: [] });
    const findings = checkPorts(configuration, found);
    assert.deepEqual(findings.map(({ state, is }) => [state, is]), [
      ["good", `127.0.0.1:${port} can be listened on`],
    ]);
  });
});

Deno.test("a port taken beside a locked spool is most likely denosmtpd's own, which is not told", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await withSpool(listener.addr.port, async (configuration) => {
    using _lock = await lockSpool(configuration);
    const found = await tryPorts(configuration);
    assert.deepEqual([found.problems, found.serving], [[], true]);
    const { state, is } = checkPorts(configuration, found)[0]!;
    const likely = "denosmtpd works with the same queue, so it is most likely its own";
    assert.deepEqual([state, is], ["note", `127.0.0.1:${listener.addr.port} is taken; ${likely}`]);
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

const denied = new ListenError("cannot listen: no right to", "LISTEN_PORT", "privileged");

Deno.test("a port that this user may not try is not known, the service has the right", async () => {
  await withSpool(25, async (configuration) => {
    const found = await tryPorts(configuration, () => [denied]);
    assert.deepEqual([found.problems, found.serving], [[], false]);
    const { state, is } = checkPorts(configuration, found)[0]!;
    assert.equal(state, "unknown");
    assert.match(is, /^127\.0\.0\.1:25 cannot be tried by this user: .* which the service has$/);
  });
});

Deno.test("a port that this user may not try is no problem beside a locked spool", async () => {
  await withSpool(25, async (configuration) => {
    using _lock = await lockSpool(configuration);
    const found = await tryPorts(configuration, () => [denied]);
    assert.deepEqual([found.problems, found.serving], [[], true]);
    const { state, is } = checkPorts(configuration, found)[0]!;
    assert.equal(state, "note");
    assert.match(is, /^127\.0\.0\.1:25 cannot be tried by this user; denosmtpd works with /);
  });
});

for (const locked of [false, true]) {
  const beside = locked ? "a locked spool" : "a spool that nobody works with";
  Deno.test(`another address that is not this machine's is a problem beside ${beside}`, async () => {
    const away = new ListenError("cannot listen: not its address", "LISTEN_ADDR");
    await withSpool(25, async (configuration) => {
      using _lock = locked ? await lockSpool(configuration) : undefined;
      const { problems } = await tryPorts(configuration, () => [denied, away]);
      assert.deepEqual(problems.map(({ message }) => message), [
        "LISTEN_ADDR: cannot listen: not its address",
      ]);
    });
  });
}

Deno.test("each address that cannot be listened on is a problem of its own", async () => {
  const lines = ["LISTEN_ADDR = 192.0.2.1, 198.51.100.1"];
  await withSpool(0, async (configuration) => {
    const { problems } = await tryPorts(configuration);
    assert.deepEqual(problems.map(({ message }) => /\d+\.\d+\.\d+\.1/.exec(message)?.[0]), [
      "192.0.2.1",
      "198.51.100.1",
    ]);
  }, lines);
});

Deno.test("the port of each service is tried for itself", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [taken, free] = [listener.addr.port, freePort()];
  await withSpool(taken, async (configuration) => {
    const { mail } = configuration;
    const all = { ...configuration, mail: { ...mail, SUBMISSIONS_PORT: free } };
    using _lock = await lockSpool(all);
    const findings = checkPorts(all, await tryPorts(all));
    assert.deepEqual(findings.map(({ about, state }) => [about, state]), [
      [`port ${taken}`, "note"],
      [`port ${free}`, "good"],
    ]);
  });
});
