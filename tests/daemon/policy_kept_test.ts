/** A domain's policy outlives the relay that fetched it (MTA-STS, RFC 8461 10.2). */

import assert from "node:assert/strict";
import { makeAuthority } from "../support/authority.ts";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { freePort } from "../support/free_port.ts";
import { namesIn } from "../support/names_in.ts";
import { startNameServer } from "../support/name_server.ts";
import { missingOrNotRoot, skippable } from "../support/programs.ts";
import { reload } from "../support/reload.ts";
import { startSecuredHost } from "../support/secured_host.ts";
import { submit } from "../support/submit.ts";
import { trusting } from "../support/trusting.ts";
import { until } from "../support/until.ts";
import { emptied, queue } from "../support/waiting.ts";

// Policies are at port 443.
const reason = missingOrNotRoot(["openssl"]);
const [MX, HTTPS] = ["127.0.0.124", "127.0.0.125"] as const;

const REFUSAL = / reply="451 4\.7\.5 mx\.x\.test does not meet the policy of x\.test \(MTA-STS\): /;

/** The line that tells what came of the first attempt. */
function outcomeOf(daemon: Daemon, id: string): Promise<string> {
  const outcome = new RegExp(` message (sent|deferred) id=${id} `);
  return until("an outcome", () => daemon.log().split("\n").find((line) => outcome.test(line)));
}

Deno.test({
  ...skippable("a policy that was fetched holds after a reload and a restart", reason),
  async fn() {
    await using authority = await makeAuthority();
    await using trust = await trusting(authority);
    const port = freePort(MX);
    const { certificate: cert, key } = await authority.issue(["mta-sts.x.test"]);
    const policy = "version: STSv1\nmode: enforce\nmx: mx.x.test\nmax_age: 86400\n";
    const headers = { "content-type": "text/plain" };
    await using https = Deno.serve(
      { hostname: HTTPS, port: 443, cert, key, onListen: () => {} },
      () => new Response(policy, { headers }),
    );
    await using dns = await startNameServer({
      "x.test": { MX: [[10, "mx.x.test"]] },
      "mx.x.test": { A: [MX] },
      "_mta-sts.x.test": { TXT: ["v=STSv1; id=1"] },
      "mta-sts.x.test": { A: [HTTPS] },
    });
    const mail = `RELAY_PORT = ${port}\nNAME_SERVER = ${dns.host}:${dns.port}\n`;
    const { command } = trust;
    await using daemon = await startDaemon({ mail, command });
    const to = { to: ["joe@x.test"] };
    {
      const issued = await authority.issue(["mx.x.test"]);
      await using _mx = startSecuredHost({ hostname: MX, port, issued });
      await submit(daemon.port, to);
      await emptied(daemon);
    }
    // Somebody in between hides the policy, and is the host.
    delete dns.table["_mta-sts.x.test"];
    await https.shutdown();
    const issued = await authority.issue(["else.x.test"]);
    await using mx = startSecuredHost({ hostname: MX, port, issued });
    assert.match(await reload(daemon), / info reloaded/);
    const id = await submit(daemon.port, to);
    assert.match(await outcomeOf(daemon, id), REFUSAL);
    assert.equal((await daemon.stop()).code, 0);

    const spool = `${daemon.folder}/spool`;
    assert.deepEqual(await namesIn(`${spool}/tmp`), []);
    assert.equal((await Deno.stat(`${spool}/policies.json`)).mode! & 0o777, 0o600);
    assert.equal((await queue(daemon, "remove", id)).code, 0);
    await using again = await startDaemon({ mail: `${mail}SPOOL_DIR = ${spool}`, command });
    assert.match(await outcomeOf(again, await submit(again.port, to)), REFUSAL);
    assert.ok(!mx.heard.some((line) => /MAIL/.test(line)), mx.heard.join("\n"));
  },
});
