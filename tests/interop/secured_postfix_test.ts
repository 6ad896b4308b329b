/** Postfix as the host that brings mail, and insists on TLS, or on a certificate that it can verify. */

import assert from "node:assert/strict";
import { readMailbox } from "../support/daemon.ts";
import { freePort } from "../support/free_port.ts";
import { makeFolder } from "../support/folder.ts";
import { type Postfix, startPostfix } from "../support/postfix.ts";
import { missingOrNotRoot, skippable } from "../support/programs.ts";
import { type SecuredDaemon, startSecuredDaemon } from "../support/secured_daemon.ts";
import { greetedClient, TEXT, transaction } from "../support/submit.ts";
import { until } from "../support/until.ts";
import { assertSameBytes, part } from "./maildir.ts";

const POSTFIX = "127.0.0.2";
/** The second address of the daemon, for which it has no certificate. */
const OTHER = "127.0.0.3";
const SENT = `${TEXT}.\r\n..\r\nGr\xfc\xdfe\r\n`;

Deno.test({
  ...skippable(
    "Postfix brings mail under mandatory TLS",
    missingOrNotRoot(["postfix", "openssl"]),
  ),
  fn: async (t) => {
    await using daemon = await startSecuredDaemon({ mail: `LISTEN_ADDR = 127.0.0.1, ${OTHER}` });
    await using folder = await makeFolder();
    const authorityFile = `${folder.path}/authority.crt`;
    await Deno.writeTextFile(authorityFile, daemon.authority);
    // It gives up root's rights before it reads the file.
    await Deno.chmod(folder.path, 0o755);
    const port = freePort(POSTFIX);
    await using postfix = await startPostfix({
      hostname: POSTFIX,
      port,
      domain: "x.test",
      tls: false,
      sending: sending(daemon, authorityFile),
    });

    await t.step("encrypted, whatever the certificate", async () => {
      await sendBy(port, "smith@mx.test");
      await assertArrived(daemon, 1);
      const sent = await logged(postfix, /to=<smith@mx\.test>,.* status=/);
      assert.match(sent, / status=sent \(250 2\.0\.0 OK, stored as \w+\)$/);
      await logged(postfix, /: Trusted TLS connection established to 127\.0\.0\.3.*TLSv1\.3/);
    });

    await t.step("verified", async () => {
      await sendBy(port, "smith+verified@mx.test");
      await assertArrived(daemon, 2);
      const sent = await logged(postfix, /to=<smith\+verified@mx\.test>,.* status=/);
      assert.match(sent, / status=sent \(250 2\.0\.0 OK, stored as \w+\)$/);
      await logged(postfix, /: Verified TLS connection established to localhost.*TLSv1\.3/);
    });

    await t.step("not at all where the certificate is another host's", async () => {
      await sendBy(port, "smith+elsewhere@mx.test");
      const deferred = await logged(postfix, /to=<smith\+elsewhere@mx\.test>,.* status=/);
      assert.match(deferred, / status=deferred \(.*Server certificate not verified\)$/);
      assert.equal((await readMailbox(`${daemon.folder}/mail/smith`)).length, 2);
    });
    assert.doesNotMatch(daemon.log(), / error |command refused|timed out/);
  },
});

/** By the tag of the recipient it takes another way, and each way has a rule for TLS. */
function sending(daemon: SecuredDaemon, authorityFile: string): Record<string, string> {
  const ways = {
    "smith@mx.test": `[${OTHER}]:${daemon.portOn(OTHER)}`,
    "smith+verified@mx.test": `[localhost]:${daemon.port}`,
    "smith+elsewhere@mx.test": `[127.0.0.1]:${daemon.port}`,
  };
  return {
    transport_maps: inline(Object.entries(ways).map(([to, way]) => [to, `smtp:${way}`])),
    smtp_host_lookup: "native",
    smtp_tls_security_level: "encrypt",
    smtp_tls_policy_maps: inline([
      [ways["smith+verified@mx.test"], "verify"],
      [ways["smith+elsewhere@mx.test"], "verify match=elsewhere.test"],
    ]),
    smtp_tls_CAfile: authorityFile,
    smtp_tls_loglevel: "1",
    smtp_connection_cache_on_demand: "no",
  };
}

/** A table within a setting. */
function inline(rows: readonly (readonly [key: string, value: string])[]): string {
  return `inline:{ ${rows.map(([key, value]) => `{ ${key} = ${value} }`).join(", ")} }`;
}

async function sendBy(port: number, to: string): Promise<void> {
  const client = await greetedClient(port, POSTFIX);
  try {
    assert.match(await transaction(client, { from: "joe@x.test", to: [to], text: SENT }), /^250 /);
  } finally {
    client.close();
  }
}

/** The first line like that in Postfix's log, as soon as there is one. */
function logged({ log }: Postfix, line: RegExp): Promise<string> {
  return until(`a line like ${line}`, async () => {
    return (await log()).split("\n").find((one) => line.test(one));
  });
}

/** The last of so many messages is what was sent, below Postfix's own field. */
async function assertArrived({ folder }: SecuredDaemon, count: number): Promise<void> {
  const messages = await until(`${count} messages`, async () => {
    const all = await readMailbox(`${folder}/mail/smith`);
    return all.length >= count && all;
  });
  assert.equal(messages.length, count);
  const { returnPath, received, text } = part(messages.at(-1)!.bytes);
  assert.equal(returnPath, "<joe@x.test>");
  assert.match(
    received,
    /^from mx\.x\.test \(\[127\.0\.0\.\d\]\) by mx\.test with ESMTPS \(TLSv1\.3 TLS_\w+\) id \w+ for /,
  );
  const sent = Uint8Array.from(SENT.replaceAll("\r\n", "\n"), (octet) => octet.charCodeAt(0));
  assertSameBytes(text.subarray(text.length - sent.length), sent);
}
