/** Postfix as the next host, whose certificate must be valid for its name. */

import assert from "node:assert/strict";
import { makeAuthority } from "../support/authority.ts";
import { startDaemon } from "../support/daemon.ts";
import { startMailNetwork } from "../support/mail_network.ts";
import { startPostfix } from "../support/postfix.ts";
import { missingOrNotRoot, skippable } from "../support/programs.ts";
import { submit } from "../support/submit.ts";
import { trusting } from "../support/trusting.ts";
import { loggedLine, until } from "../support/until.ts";
import { deferredIn, emptied, queue } from "../support/waiting.ts";

const reason = missingOrNotRoot(["postfix", "openssl"]);

for (const [name, proof] of [["mx.x.test", true], ["mx.other.test", false]] as const) {
  Deno.test({
    ...skippable(
      `Postfix with a certificate for ${name} ${
        proof ? "gets" : "does not get"
      } mail that is to be protected`,
      reason,
    ),
    async fn() {
      await using authority = await makeAuthority();
      await using trust = await trusting(authority);
      await using network = await startMailNetwork({ "x.test": "127.0.0.2" });
      await using postfix = await startPostfix({
        hostname: "127.0.0.2",
        port: network.port,
        domain: "x.test",
        tls: true,
        issued: await authority.issue([name]),
      });
      await using daemon = await startDaemon({
        mail: `${network.mail}RELAY_TLS = verify\n`,
        command: trust.command,
      });
      await submit(daemon.port, { to: ["joe@x.test"] });
      if (proof) {
        await emptied(daemon);
        const sent = await loggedLine(daemon, " message sent ");
        assert.match(sent, / host=mx\.x\.test tls=TLSv1\.3 verified=true /);
        await until("Postfix's delivery", async () => / removed$/m.test(await postfix.log()));
      } else {
        await deferredIn(daemon);
        const deferred = await loggedLine(daemon, " message deferred ");
        assert.match(deferred, /reply="454 4\.7\.5 TLS failed: .*does not match/);
        assert.doesNotMatch(await postfix.log(), / from=</);
        assert.doesNotMatch(daemon.log(), /plain text/);
        const { out } = await queue(daemon, "list");
        assert.match(out, /waiting, 1 attempt, .*: 454 4\.7\.5 TLS failed/);
      }
    },
  });
}
