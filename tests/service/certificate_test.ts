/**
 * A certificate in /etc/denosmtpd/tls and the ports of users' programs, under the unit as it is. An
 * executable that cannot do TLS as a server never opens the key: there `check` shows that the unit's
 * user can read it, and that it could listen on those ports.
 */

import assert from "node:assert/strict";
import { type Issued, makeAuthority } from "../support/authority.ts";
import { missing, skippable } from "../support/programs.ts";
import {
  CERTIFICATE_SETTINGS,
  Installation,
  noInstallation,
  send,
  startService,
  UNIT,
} from "./installation.ts";

const PORTS = "SUBMISSION_PORT = 587\nSUBMISSIONS_PORT = 465\n";

function testInstalled(name: string, fn: (certificate: Issued) => Promise<void>): void {
  Deno.test({
    ...skippable(name, noInstallation ?? missing(["openssl"])),
    async fn() {
      await using authority = await makeAuthority();
      await fn(await authority.issue(["me.example"], { days: 60 }));
    },
  });
}

/** The unit with `check` in the daemon's place. */
async function checkingUnit(): Promise<string> {
  const unit = await Deno.readTextFile(UNIT);
  const checking = unit.replace(/^(ExecStart=\S+denosmtpd) /m, "$1 check ");
  assert.notEqual(checking, unit);
  return checking;
}

/** What `check` says under the unit. */
async function checked(certificate: Issued, rights?: (folder: string) => Promise<void>) {
  await using installation = await Installation.make({
    mail: CERTIFICATE_SETTINGS,
    certificate,
    unit: await checkingUnit(),
  });
  await rights?.(`${installation.folder}/etc/tls`);
  await using check = startService(installation);
  const { code } = await check.end();
  return { code, out: check.log() };
}

testInstalled(
  "under its unit the daemon's user can read certificate and key, which are its own",
  async (certificate) => {
    const { out } = await checked(certificate);
    assert.match(out, /^ok +certificate: for me\.example, good for 5\d more days$/m);
  },
);

testInstalled("a key of root's is one that it cannot read", async (certificate) => {
  const { out } = await checked(certificate, (folder) => Deno.chown(`${folder}/privkey.pem`, 0, 0));
  // A finding, or what keeps an executable from serving that can do TLS.
  assert.match(out, /TLS_KEY:? \/etc\/denosmtpd\/tls\/privkey\.pem: may not be read/);
});

testInstalled(
  "a folder of root's keeps the daemon from serving, and it says so",
  async (certificate) => {
    const options = { mail: CERTIFICATE_SETTINGS, certificate };
    await using installation = await Installation.make(options);
    await Deno.chown(`${installation.folder}/etc/tls`, 0, 0);
    await using service = startService(installation);
    const { code } = await service.end();
    const lines = service.log().trimEnd().split("\n");
    assert.equal(lines.length, 2, service.log());
    const refused = (name: string, file: string) =>
      new RegExp(
        `mail\\.conf:\\d+: ${name}: /etc/denosmtpd/tls/${file}: may not be read, check its `,
      );
    assert.match(lines[0]!, refused("TLS_CERT", "fullchain.pem"));
    assert.match(lines[1]!, refused("TLS_KEY", "privkey.pem"));
    assert.equal(code, 2);
  },
);

testInstalled("under its unit the daemon serves with a certificate", async (certificate) => {
  await using installation = await Installation.make({ mail: CERTIFICATE_SETTINGS, certificate });
  await using service = startService(installation);
  await service.logged("started");
  const { code, words } = await send(service, "jones@me.example");
  assert.equal(code, 0, words + service.log());
  service.signal("SIGHUP");
  await service.logged("reloaded");
  service.signal("SIGTERM");
  assert.equal((await service.end()).code, 0, service.log());
});

testInstalled(
  "under its unit the daemon listens on the ports of users' programs",
  async (certificate) => {
    {
      const mail = CERTIFICATE_SETTINGS + PORTS;
      await using installation = await Installation.make({ mail, certificate });
      await using service = startService(installation);
      if (await service.logged("started").then(() => true, () => false)) {
        return assert.match(
          service.log(),
          / submission=0\.0\.0\.0:587 submissions=0\.0\.0\.0:465 /,
        );
      }
      // It cannot do TLS, and nothing else is wrong.
      for (const line of service.log().trimEnd().split("\n")) {
        assert.match(line, /: SUBMISSIONS?_PORT: this program was made with Deno /);
      }
    }
    for (const port of [465, 587]) {
      const mail = `LISTEN_PORT = ${port}\n`;
      await using installation = await Installation.make({ mail });
      await using service = startService(installation);
      await service.logged(`listening=0.0.0.0:${port} `);
    }
  },
);
