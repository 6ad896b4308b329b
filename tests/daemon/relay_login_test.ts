/** The daemon logs in at RELAY_HOST: with a verified host alone, and what it says there it tells nobody. */

import assert from "node:assert/strict";
import { type Authority, makeAuthority } from "../support/authority.ts";
import { startDaemon } from "../support/daemon.ts";
import { type Folder, makeFolder } from "../support/folder.ts";
import { missing, skippable } from "../support/programs.ts";
import { type SecuredHost, startSecuredHost } from "../support/secured_host.ts";
import { submit } from "../support/submit.ts";
import { trusting } from "../support/trusting.ts";
import { loggedLine } from "../support/until.ts";
import { deferredIn, emptied, queue } from "../support/waiting.ts";

const reason = missing(["openssl"]);
const PASSWORD = "correct horse";
const AUTH = `tls AUTH PLAIN ${btoa(`\0jones\0${PASSWORD}`)}`;

async function withHost(
  reply: (command: string) => string | undefined,
  act: (host: SecuredHost, authority: Authority, folder: Folder) => Promise<void>,
  names: readonly string[] = ["127.0.0.1"],
): Promise<void> {
  await using authority = await makeAuthority();
  await using folder = await makeFolder();
  await Deno.writeTextFile(`${folder.path}/login`, `# ours\njones:${PASSWORD}\n`, { mode: 0o600 });
  await using host = startSecuredHost({
    hostname: "127.0.0.1",
    issued: await authority.issue(names),
    keywords: ["AUTH LOGIN PLAIN"],
    reply,
  });
  await act(host, authority, folder);
}

async function startClient(host: SecuredHost, authority: Authority, { path }: Folder) {
  const trust = await trusting(authority);
  const daemon = await startDaemon({
    mail:
      `RELAY_HOST = 127.0.0.1:${host.port}\nRELAY_LOGIN_FILE = ${path}/login\nLOG_LEVEL = debug\n`,
    command: trust.command,
  });
  return {
    daemon,
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await trust[Symbol.asyncDispose]();
    },
  };
}

Deno.test({
  ...skippable("mail goes to RELAY_HOST after a login under TLS", reason),
  fn: () =>
    withHost(() => undefined, async (host, authority, folder) => {
      await using client = await startClient(host, authority, folder);
      const { daemon } = client;
      await submit(daemon.port, { to: ["joe@far.example"] });
      await emptied(daemon);
      const { heard } = host;
      assert.deepEqual(heard.slice(0, 5), [
        "EHLO me.example",
        "STARTTLS",
        "tls EHLO me.example",
        AUTH,
        "tls MAIL FROM:<jones@me.example>",
      ]);
      assert.match(await loggedLine(daemon, " message sent "), / tls=TLSv1\.3 verified=true /);
      assert.ok(!daemon.log().includes(PASSWORD) && !daemon.log().includes(AUTH.slice(15)));
    }),
});

Deno.test({
  ...skippable("a login that is refused keeps the mail waiting, and is told as an error", reason),
  fn: () =>
    withHost(
      (command) => command.startsWith("AUTH") ? "535 5.7.8 Wrong" : undefined,
      async (host, authority, folder) => {
        await using client = await startClient(host, authority, folder);
        const { daemon } = client;
        await submit(daemon.port, { to: ["joe@far.example"] });
        await deferredIn(daemon);
        const line = await loggedLine(daemon, " login refused ");
        assert.match(
          line,
          / error relay login refused host=127\.0\.0\.1 .* reply="535 5\.7\.8 Wrong"/,
        );
        const { out } = await queue(daemon, "list");
        assert.match(out, /: 451 4\.7\.8 127\.0\.0\.1 refuses the login of RELAY_LOGIN_FILE/);
        assert.ok(!host.heard.some((one) => one.includes("MAIL")));
        assert.ok(!daemon.log().includes(PASSWORD));
      },
    ),
});

Deno.test({
  ...skippable(
    "a host that cannot prove who it is hears no login, though RELAY_TLS is may",
    reason,
  ),
  fn: () =>
    withHost(() => undefined, async (host, authority, folder) => {
      await using client = await startClient(host, authority, folder);
      const { daemon } = client;
      await submit(daemon.port, { to: ["joe@far.example"] });
      await deferredIn(daemon);
      assert.deepEqual(host.heard, ["EHLO me.example", "STARTTLS"]);
      assert.match(await loggedLine(daemon, " message deferred "), /"454 4\.7\.5 TLS failed: /);
    }, ["127.0.0.2"]),
});
