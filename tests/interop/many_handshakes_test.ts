/** Many handshakes, and many connections under TLS at a time: none fails, and they cost little. */

import assert from "node:assert/strict";
import type { Service } from "../../src/config/service.ts";
import { missing, skippable, testWith } from "../support/programs.ts";
import type { RawClient } from "../support/raw_client.ts";
import { securedClient } from "../support/secured_client.ts";
import { type SecuredDaemon, startSecuredDaemon } from "../support/secured_daemon.ts";
import { transaction } from "../support/submit.ts";
import { until } from "../support/until.ts";

const HANDSHAKES = 600;
const AT_ONCE = 50;
const CONNECTIONS = 1000;
/** What those may take, in octets: several times what they should. */
const MEMORY = 120 * 1024 * 1024;
const MANY = "MAX_CLIENTS = 2000\nMAX_CLIENTS_PER_ADDRESS = 2000\n";

/** By STARTTLS and at once. */
const WAYS: readonly Service[] = ["smtp", "submissions"];

testWith(["openssl"], "600 handshakes, 50 at a time, and none of them fails", async () => {
  await using daemon = await startSecuredDaemon({ mail: MANY });
  let done = 0;
  const oneAfterTheOther = async () => {
    while (done < HANDSHAKES) {
      const client = await securedClient(daemon, WAYS[done++ % WAYS.length]!);
      try {
        assert.match(await client.command("QUIT") ?? "", /^221 2\.0\.0 /);
        assert.equal(await client.reply(), null);
      } finally {
        client.close();
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, oneAfterTheOther));
  assert.doesNotMatch(daemon.log(), / (warn|error) connection|handshake failed|connection lost/);
});

Deno.test({
  ...skippable(
    "1,000 connections under TLS are all answered, in less than 120 MiB more memory",
    missing(["openssl"]) ?? (Deno.build.os === "linux" ? undefined : "no /proc to read it from"),
  ),
  fn: async () => {
    await using daemon = await startSecuredDaemon({ mail: MANY });
    await sendOne(daemon);
    const before = await memory(daemon);
    const clients: RawClient[] = [];
    try {
      const connectSome = async () => {
        for (let i = 0; i < CONNECTIONS / AT_ONCE; i++) {
          clients.push(await securedClient(daemon, WAYS[i % WAYS.length]!));
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, connectSome));
      assert.equal(clients.length, CONNECTIONS);
      const answers = await Promise.all(clients.map((client) => client.command("NOOP")));
      assert.deepEqual(new Set(answers), new Set(["250 2.0.0 OK"]));
      const grown = await memory(daemon) - before;
      assert(grown < MEMORY, `memory grew by ${grown} octets`);
    } finally {
      for (const client of clients) client.close();
    }
    await until("the end of every connection", () => {
      return daemon.log().match(/ connection closed /g)?.length === CONNECTIONS + 1;
    });
    await sendOne(daemon);
    assert.equal((await daemon.stop()).code, 0);
  },
});

async function sendOne(daemon: SecuredDaemon): Promise<void> {
  const client = await securedClient(daemon, "smtp");
  try {
    assert.match(await transaction(client, { to: ["smith@mx.test"] }), /^250 2\.0\.0 /);
    assert.match(await client.command("QUIT") ?? "", /^221 /);
  } finally {
    client.close();
  }
}

/** Resident memory of the daemon's process, in octets. */
async function memory({ process }: SecuredDaemon): Promise<number> {
  // Deno itself lets only `--allow-all` read /proc.
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${process.pid}/status`] })
    .output();
  const kilobytes = /^VmRSS:\s*(\d+) kB$/m.exec(new TextDecoder().decode(stdout))?.[1];
  assert(kilobytes);
  return Number(kilobytes) * 1024;
}
