/** The configuration files that come with the program are good ones. */

import assert from "node:assert/strict";
import { readConfiguration } from "../../src/config/configuration.ts";

const CONF = new URL("../../conf/", import.meta.url).pathname;

for (const folder of ["", "demo/"]) {
  Deno.test(`conf/${folder}mail.conf and conf/${folder}user.conf load`, async () => {
    const files = [`${CONF}${folder}mail.conf`, `${CONF}${folder}user.conf`] as const;
    const configuration = await readConfiguration(...files, {
      hostName: () => "unused.example",
      addresses: () => [],
      stateDirectory: () => undefined,
    });
    assert.match(configuration.mail.HOSTNAME, /\.example/);
    assert.ok(configuration.users.some(({ name }) => name === "john"));
  });
}
