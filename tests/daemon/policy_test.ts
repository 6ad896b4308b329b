/** The daemon does what a domain's policy demands (MTA-STS, RFC 8461): from DNS and HTTPS to SMTP. */

import assert from "node:assert/strict";
import { makeAuthority } from "../support/authority.ts";
import { startDaemon } from "../support/daemon.ts";
import { freePort } from "../support/free_port.ts";
import { startNameServer } from "../support/name_server.ts";
import { missingOrNotRoot, skippable } from "../support/programs.ts";
import { startSecuredHost } from "../support/secured_host.ts";
import { submit } from "../support/submit.ts";
import { trusting } from "../support/trusting.ts";
import { loggedLine } from "../support/until.ts";
import { deferredIn, emptied } from "../support/waiting.ts";

// Policies are at port 443.
const reason = missingOrNotRoot(["openssl"]);
const [MX, OTHER, HTTPS] = ["127.0.0.121", "127.0.0.122", "127.0.0.123"] as const;

for (
  const [mode, names, sent, outcome] of [
    ["enforce", ["mx.x.test"], true, / host=mx\.x\.test tls=TLSv1\.3 verified=true /],
    [
      "enforce",
      ["else.x.test"],
      false,
      / reply="451 4\.7\.5 mx\.x\.test does not meet the policy of x\.test \(MTA-STS\): 454 4\.7\.5 TLS /,
    ],
    ["testing", ["else.x.test"], true, / host=other\.x\.test tls=TLSv1\.3 verified=false /],
  ] as const
) {
  Deno.test({
    ...skippable(`mode ${mode}, a host with a certificate for ${names}`, reason),
    async fn() {
      await using authority = await makeAuthority();
      await using trust = await trusting(authority);
      const port = freePort(MX, OTHER);
      await using _mx = startSecuredHost({
        hostname: MX,
        port,
        issued: await authority.issue(names),
      });
      // Preferred by the domain's MX records, but not named by the policy.
      await using other = startSecuredHost({
        hostname: OTHER,
        port,
        issued: await authority.issue(["else.x.test"]),
      });
      const policy = `version: STSv1\r\nmode: ${mode}\r\nmx: mx.x.test\r\nmax_age: 86400\r\n`;
      const { certificate: cert, key } = await authority.issue(["mta-sts.x.test"]);
      const headers = { "content-type": "text/plain" };
      await using _https = Deno.serve(
        { hostname: HTTPS, port: 443, cert, key, onListen: () => {} },
        () => new Response(policy, { headers }),
      );
      await using dns = await startNameServer({
        "x.test": { MX: [[10, "other.x.test"], [20, "mx.x.test"]] },
        "mx.x.test": { A: [MX] },
        "other.x.test": { A: [OTHER] },
        "_mta-sts.x.test": { TXT: ["v=STSv1; id=1"] },
        "mta-sts.x.test": { A: [HTTPS] },
      });
      await using daemon = await startDaemon({
        mail: `RELAY_PORT = ${port}\nNAME_SERVER = ${dns.host}:${dns.port}\n`,
        command: trust.command,
      });
      await submit(daemon.port, { to: ["joe@x.test"] });
      if (sent) await emptied(daemon);
      else await deferredIn(daemon);
      assert.match(
        await loggedLine(daemon, sent ? " message sent " : " message deferred "),
        outcome,
      );
      if (mode === "enforce") assert.deepEqual(other.heard, []);
      else await loggedLine(daemon, "policy not met domain=x.test host=other.x.test mode=testing");
    },
  });
}
