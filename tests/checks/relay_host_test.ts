/** RELAY_HOST as the relay meets it: TLS, certificate and login, on loopback. */

import assert from "node:assert/strict";
import { checkRelayHost, type RelayHostFacts } from "../../src/checks/relay_host.ts";
import type { Finding } from "../../src/checks/finding.ts";
import { systemClock } from "../../src/clock.ts";
import { type Dialer, TcpDialer } from "../../src/relay/wire.ts";
import { type Authority, makeAuthority } from "../support/authority.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { missing, skippable } from "../support/programs.ts";
import {
  type SecuredHost,
  type SecuredHostOptions,
  startSecuredHost,
} from "../support/secured_host.ts";
import { startMailHost } from "../support/mail_host.ts";

const LOGIN = { user: "jones", password: "secret" };
const RELAY = "relay.test";

/** Dials loopback, whatever the address. */
function loopback(to: number, ca: readonly string[] = []): Dialer {
  const dialer = new TcpDialer({ ca });
  return { connect: (_address, _port, signal) => dialer.connect("127.0.0.1", to, signal) };
}

interface Setting {
  /** That of RELAY_HOST, whatever the server's own is. */
  readonly port?: number;
  readonly tls?: "may" | "verify" | "none";
  readonly login?: boolean;
}

function check(
  { port = 587, tls = "may", login = false }: Setting,
  facts: Pick<RelayHostFacts, "dialer"> & Partial<RelayHostFacts>,
): Promise<Finding> {
  const target = { host: RELAY, address: "192.0.2.9", port };
  return checkRelayHost("about", "PLACE", target, {
    mail: {
      HOSTNAME: "me.example",
      RELAY_HOST: { host: RELAY, port },
      RELAY_PORT: 25,
      RELAY_TLS: tls,
      RELAY_TLS_FOR: [],
    },
    clock: systemClock,
    ...login ? { login: LOGIN } : {},
    ...facts,
  });
}

interface Met {
  readonly is: string;
  readonly should: string | undefined;
  readonly heard: SecuredHost["heard"];
}

/** What is found of a server under TLS whose certificate is for these names. */
async function meet(
  setting: Setting,
  names: readonly string[],
  options: Omit<SecuredHostOptions, "hostname" | "issued"> & { readonly trusted?: Authority } = {},
): Promise<Met> {
  await using authority = await makeAuthority();
  const issued = await authority.issue(names);
  await using host = startSecuredHost({ hostname: "127.0.0.1", issued, ...options });
  const ca = [(options.trusted ?? authority).certificate];
  const { state, is, should } = await check(setting, { dialer: loopback(host.port, ca) });
  return { is: `${state}: ${is}`, should, heard: [...host.heard] };
}

function testTls(name: string, fn: () => Promise<void>): void {
  Deno.test({ ...skippable(name, missing(["openssl"])), fn });
}

const PLAIN_AUTH = { keywords: ["AUTH PLAIN"] };
const CERTIFICATE = "a certificate for relay.test by an authority that everybody trusts";

testTls("a server that takes the login under a valid certificate is good", async () => {
  const { is, heard } = await meet({ login: true }, [RELAY], PLAIN_AUTH);
  assert.equal(
    is,
    "good: PLACE greets, under TLSv1.3 with a valid certificate, and takes the login",
  );
  assert.deepEqual(heard, [
    "EHLO me.example",
    "STARTTLS",
    "tls EHLO me.example",
    "tls AUTH PLAIN AGpvbmVzAHNlY3JldA==",
    "tls QUIT",
  ]);
});

testTls("at port 465 TLS comes first", async () => {
  const { is, heard } = await meet({ port: 465, login: true }, [RELAY], {
    ...PLAIN_AUTH,
    implicit: true,
  });
  assert.match(is, /^good: .* takes the login$/);
  assert.equal(heard[0], "tls EHLO me.example");
});

testTls(
  "a certificate of another name counts where it must be valid, and hears no login",
  async () => {
    for (const setting of [{ login: true }, { tls: "verify" }] as const) {
      const { is, should, heard } = await meet(setting, ["other.test"], PLAIN_AUTH);
      assert.match(is, /^wrong: PLACE: its certificate is not valid: TLS failed: /);
      assert.equal(should, CERTIFICATE);
      assert.ok(!heard.some((line) => line.includes("AUTH")), heard.join());
    }
    const { is } = await meet({}, ["other.test"]);
    assert.equal(is, "good: PLACE greets, under TLSv1.3, its certificate not being valid");
  },
);

testTls(
  "a certificate of an authority that nobody knows is told apart from no TLS at all",
  async () => {
    await using trusted = await makeAuthority();
    const met = await meet({ port: 465, tls: "verify" }, [RELAY], { trusted, implicit: true });
    assert.match(met.is, /^wrong: PLACE: its certificate is not valid: /);
    assert.equal(met.should, CERTIFICATE);
  },
);

testTls("a login that is refused is told with the answer", async () => {
  const { is, should } = await meet({ login: true }, [RELAY], {
    ...PLAIN_AUTH,
    reply: (command) => command.startsWith("AUTH") ? "535 5.7.8 no" : undefined,
  });
  assert.match(is, /^wrong: PLACE: it refuses the login: 535 5\.7\.8 /);
  assert.equal(should, "the user and password in RELAY_LOGIN_FILE that it knows");
});

testTls("a server that takes no logins of this kind is told so", async () => {
  const { is, should } = await meet({ login: true }, [RELAY], { keywords: ["AUTH LOGIN"] });
  assert.equal(is, "wrong: PLACE: The server does not offer AUTH PLAIN");
  assert.match(should ?? "", /AUTH PLAIN/);
});

/** What is found of a server in plain text that says this, and answers all commands by `reply`. */
async function meetPlain(
  setting: Setting,
  greeting: string,
  reply = "250 yes",
): Promise<[is: string, should: string | undefined]> {
  await using host = startMailHost({ hostname: "127.0.0.1", port: 0 }, async (peer) => {
    await peer.say(greeting);
    for (;;) {
      const command = await peer.hear();
      await peer.say(`${command === "STARTTLS" ? "220 go" : reply}\r\n`);
      // Nobody here can do the handshake.
      if (command === "QUIT" || command === "STARTTLS") return;
    }
  });
  const { state, is, should } = await check(setting, { dialer: loopback(host.port) });
  return [`${state}: ${is}`, should];
}

Deno.test("a server without STARTTLS is good where that may be, and else not", async () => {
  const greeting = "220 x\r\n";
  assert.deepEqual(await meetPlain({}, greeting), ["good: PLACE greets, in plain text", undefined]);
  const [is, should] = await meetPlain({ tls: "verify" }, greeting);
  assert.equal(is, "wrong: PLACE: The server does not offer STARTTLS");
  assert.match(should ?? "", /^STARTTLS; port 465 /);
});

Deno.test("what speaks plain text at port 465 has no TLS", async () => {
  const [is, should] = await meetPlain({ port: 465 }, "220 x\r\n");
  assert.match(is, /^wrong: PLACE: TLS failed: /);
  assert.equal(should, "TLS from the first byte, which port 465 is for");
});

Deno.test("where TLS may fail, mail goes there in plain text", async () => {
  const [is] = await meetPlain({}, "220 x\r\n", "250-x\r\n250 STARTTLS");
  assert.match(is, /^note: PLACE: TLS failed: .*; so mail goes there in plain text$/);
});

Deno.test("a server that does not want this host is told with its words", async () => {
  assert.deepEqual(await meetPlain({}, "554 5.7.1 go away\r\n"), [
    "wrong: PLACE: it says 554 5.7.1 go away",
    "a greeting with 220",
  ]);
});

const TLS_HINT = /, or port 465 in RELAY_HOST where the server wants TLS from the first byte$/;

for (const [port, hint] of [[2465, true], [587, false], [25, false]] as const) {
  Deno.test(`a server that is silent at port ${port} ${hint ? "may want" : "does not wait for"} TLS`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const clock = new FakeClock();
    const connected = Promise.withResolvers<void>();
    const dialer = loopback(listener.addr.port);
    const checking = check({ port }, {
      clock,
      patience: 700,
      dialer: {
        connect: async (...words) => {
          const wire = await dialer.connect(...words);
          connected.resolve();
          return wire;
        },
      },
    });
    using _connection = await listener.accept();
    await connected.promise;
    clock.advance(700);
    const { state, is, should = "" } = await checking;
    assert.deepEqual([state, is], ["wrong", "PLACE: no answer"]);
    assert.equal(TLS_HINT.test(should), hint, should);
    assert.doesNotMatch(should, /RELAY_HOST helps/);
    assert.equal(clock.pending, 0);
  });
}

Deno.test("a server that greets and falls silent is told apart", async () => {
  await using host = startMailHost({ hostname: "127.0.0.1", port: 0 }, async (peer) => {
    await peer.say("220 x\r\n");
    await peer.hear();
    clock.advance(700);
    await peer.hear();
  });
  const clock = new FakeClock();
  const { is, should } = await check({ port: 2465 }, {
    clock,
    patience: 700,
    dialer: loopback(host.port),
  });
  assert.deepEqual([is, should], ["PLACE: no answer after the greeting", "a greeting with 220"]);
});
