/** How outgoing connections are protected, as far as mail.conf can say that wrongly. */

import assert from "node:assert/strict";
import { readMailConf } from "../../src/config/mail_conf.ts";
import { ConfigurationError } from "../../src/config/problem.ts";
import { makeFolder } from "../support/folder.ts";

const LOGIN = "RELAY_LOGIN_FILE = login";
const HOST = "RELAY_HOST = smtp.provider.example";

for (
  const [lines, problem] of [
    ["RELAY_TLS_FOR = a.example:verify, b.example:may", undefined],
    [
      "RELAY_TLS_FOR = a.example:verify, b.example:may, A.example:none",
      "1: RELAY_TLS_FOR: A.example is named twice",
    ],
    [
      "RELAY_TLS_FOR = [IPv6:2001:db8::1]:verify, [IPv6:2001:db8:0::1]:may",
      "1: RELAY_TLS_FOR: [IPv6:2001:db8::1] is named twice",
    ],
    [LOGIN, "1: RELAY_LOGIN_FILE: needs RELAY_HOST, the host to log in at"],
    [`${LOGIN}\n${HOST}`, undefined],
    [
      `${HOST}\n${LOGIN}\nRELAY_TLS = none`,
      "2: RELAY_LOGIN_FILE: a login needs TLS, which RELAY_TLS forbids",
    ],
    [
      `${HOST}\n${LOGIN}\nRELAY_TLS_FOR = smtp.provider.example:none`,
      "2: RELAY_LOGIN_FILE: a login needs TLS, which RELAY_TLS_FOR forbids",
    ],
    [
      `RELAY_HOST = 192.0.2.1\n${LOGIN}\nRELAY_TLS_FOR = [192.0.2.1]:none`,
      "2: RELAY_LOGIN_FILE: a login needs TLS, which RELAY_TLS_FOR forbids",
    ],
    [
      `${HOST}\n${LOGIN}\nRELAY_TLS = none\nRELAY_TLS_FOR = smtp.provider.example:may`,
      undefined,
    ],
    [`${HOST}\nRELAY_TLS = none`, undefined],
    [
      `RELAY_TLS = none\n${HOST}:465`,
      "2: RELAY_HOST: port 465 needs TLS, which RELAY_TLS forbids",
    ],
  ] as const
) {
  Deno.test(`${JSON.stringify(lines)} is ${problem === undefined ? "right" : "wrong"}`, async () => {
    await using folder = await makeFolder();
    const file = `${folder.path}/mail.conf`;
    await Deno.writeTextFile(file, `${lines}\n`);
    const system = {
      hostName: () => "me.example",
      addresses: () => [],
      stateDirectory: () => undefined,
    };
    const problems = await readMailConf(file, system).then(() => [], (error) => {
      assert.ok(error instanceof ConfigurationError);
      return error.problems.map(({ line, message }) => `${line}: ${message}`);
    });
    assert.deepEqual(problems, problem === undefined ? [] : [problem]);
  });
}
