/** Which versions of TLS are spoken, as OpenSSL's own client and Python's ssl see it. */

import assert from "node:assert/strict";
import type { Service } from "../../src/config/service.ts";
import { run, testWith } from "../support/programs.ts";
import {
  HOST,
  type SecuredDaemon,
  SERVICES,
  startSecuredDaemon,
} from "../support/secured_daemon.ts";
import { until } from "../support/until.ts";
import { said } from "./said.ts";

/** Said by the server, whether its alert arrives or only its leaving. */
const REFUSED = /alert (protocol version|handshake failure)|unexpected eof while reading/;
const SCRIPT = new URL("tls_versions.py", import.meta.url).pathname;

testWith(["openssl"], "openssl s_client verifies the certificate and ends by QUIT", async (t) => {
  await using daemon = await startSecuredDaemon();
  for (const service of SERVICES) {
    await t.step(`at the ${service} port`, async () => {
      const { code, words } = await client(daemon, service, []);
      assert.equal(code, 0, words);
      assert.match(words, /^depth=1 CN = Authority of a test$/m);
      assert.match(words, /^Verified peername: mx\.test$/m);
      assert.match(words, /^ *Verify return code: 0 \(ok\)$/m);
      assert.match(words, /^New, TLSv1\.3, Cipher is TLS_AES_256_GCM_SHA384$/m);
      assert.match(words, /^250 2\.0\.0 OK\n221 2\.0\.0 mx\.test closing the channel$/m);
    });
    await t.step(`TLS 1.2 is spoken at the ${service} port`, async () => {
      const { code, words } = await client(daemon, service, ["-tls1_2"]);
      assert.equal(code, 0, words);
      assert.match(words, /^New, TLSv1\.2, Cipher is ECDHE-ECDSA-(AES256|AES128|CHACHA20)-\w+/m);
      assert.match(words, /^221 2\.0\.0 /m);
    });
    for (const old of ["-tls1_1", "-tls1"]) {
      await t.step(`${old} is refused at the ${service} port`, async () => {
        // At its preset level this client would not even ask.
        const { code, words } = await client(daemon, service, [old, "-cipher", "ALL@SECLEVEL=0"]);
        assert.equal(code, 1, words);
        assert.match(words, REFUSED);
        assert.doesNotMatch(words, /^2\d\d 2\.0\.0 (?!Ready)/m);
      });
    }
  }
  const incompatible = / handshake failed peer=\S+ error="peer is incompatible/g;
  await until("the reason for each refusal", () => {
    return daemon.log().match(incompatible)?.length === 2 * SERVICES.length;
  });
});

testWith(["openssl", "python3"], "Python's ssl speaks TLS 1.2 and 1.3 alone", async (t) => {
  await using daemon = await startSecuredDaemon();
  for (const service of SERVICES) {
    await t.step(`at the ${service} port`, async () => {
      const how = service === "submissions" ? "implicit" : "starttls";
      const args = [how, String(daemon.portFor(service)), daemon.authorityFile];
      const words = await said("python3", ["-I", SCRIPT, ...args]);
      assert.match(
        words,
        new RegExp([
          "^TLSv1 refused",
          "TLSv1_1 refused",
          "TLSv1_2 ECDHE-ECDSA-[A-Z0-9-]+ TLSv1\\.2",
          "TLSv1_3 TLS_[A-Z0-9_]+ TLSv1\\.3\n$",
        ].join("\n")),
      );
    });
  }
});

/** Says NOOP and QUIT. */
async function client(
  { portFor, authorityFile }: SecuredDaemon,
  service: Service,
  more: readonly string[],
): Promise<{ readonly code: number; readonly words: string }> {
  const args = ["s_client", "-connect", `localhost:${portFor(service)}`, "-CAfile", authorityFile];
  args.push("-verify_return_error", "-verify_hostname", HOST);
  if (service !== "submissions") args.push("-starttls", "smtp");
  // Its own commands are off then: QUIT begins like one of them.
  args.push("-ign_eof", ...more);
  const input = new TextEncoder().encode("NOOP\r\nQUIT\r\n");
  const { code, words } = await run("openssl", args, { input });
  return { code, words: words.replaceAll("\r\n", "\n") };
}
