/** What protects the mail to a host: the configuration, the domain's policy, and which of them counts. */

import assert from "node:assert/strict";
import type { RelaySettings } from "../../src/config/relay_tls.ts";
import { protectionOf } from "../../src/relay/protection.ts";
import type { StsPolicy } from "../../src/relay/sts_policy.ts";
import type { Security } from "../../src/relay/wire.ts";
import { replyText } from "../../src/smtp/reply.ts";

const LOGIN = { user: "jones", password: "secret" };
const ENFORCE: StsPolicy = { mode: "enforce", mx: ["mx.x.y"], maxAge: 86400 };
const PLAIN: Security = { protocol: "none", verified: false };
const UNVERIFIED: Security = { protocol: "TLSv1.3", verified: false };

interface Case extends Partial<RelaySettings> {
  readonly domain?: string;
  readonly host?: string;
  readonly login?: typeof LOGIN;
  readonly policy?: StsPolicy;
}

async function protect({ domain = "x.y", host = "mx.x.y", login, policy, ...settings }: Case) {
  const asked: string[] = [];
  const mail: RelaySettings = {
    RELAY_TLS: "may",
    RELAY_TLS_FOR: [],
    RELAY_HOST: undefined,
    RELAY_PORT: 25,
    ...settings,
  };
  const policies = {
    policyFor: (name: string) => {
      asked.push(name);
      return Promise.resolve(policy);
    },
    forget: () => {},
  };
  const protectionFor = await protectionOf(domain, { mail, login, policies });
  return { protection: protectionFor({ host, address: "192.0.2.1", port: 25 }), asked };
}

const RELAY_HOST = { host: "smtp.provider.example", port: undefined };
const FOR = [
  { domain: "X.y", tls: "verify" },
  { domain: "smtp.provider.example", tls: "none" },
  { domain: "[192.0.2.1]", tls: "none" },
] as const;

for (
  const [what, settings, tls] of [
    ["RELAY_TLS holds", { RELAY_TLS: "verify" }, "verify"],
    ["the domain's own entry counts before it, in whatever case", { RELAY_TLS_FOR: FOR }, "verify"],
    [
      "an entry is none for names below it",
      { RELAY_TLS_FOR: FOR, domain: "sub.x.y" },
      "may",
    ],
    [
      "a literal has an entry like a name",
      { RELAY_TLS_FOR: FOR, domain: "[192.0.2.1]", host: "[192.0.2.1]" },
      "none",
    ],
    [
      "with RELAY_HOST the entry of that host counts",
      { RELAY_TLS_FOR: FOR, RELAY_HOST, host: RELAY_HOST.host },
      "none",
    ],
    [
      "with RELAY_HOST the entry of the domain does not",
      { RELAY_TLS_FOR: FOR.slice(0, 1), RELAY_HOST, host: RELAY_HOST.host },
      "may",
    ],
    [
      "an address as RELAY_HOST is found as the literal",
      { RELAY_TLS_FOR: FOR, RELAY_HOST: { host: "192.0.2.1", port: undefined } },
      "none",
    ],
    ["a login is given to verified hosts alone", { RELAY_HOST, login: LOGIN }, "verify"],
    ["an enforced policy asks for verified hosts", { policy: ENFORCE }, "verify"],
    ["a policy in its testing time changes nothing", {
      policy: { ...ENFORCE, mode: "testing" },
    }, "may"],
    ["a policy of mode none is none", { policy: { ...ENFORCE, mode: "none", mx: [] } }, "may"],
  ] satisfies [string, Case, string][]
) {
  Deno.test(what, async () => {
    const { protection } = await protect(settings);
    assert.equal(protection.tls, tls);
    assert.equal(protection.barred, undefined);
  });
}

for (
  const [what, settings, asked] of [
    ["a domain is asked for its policy", {}, ["x.y"]],
    ["also where all hosts are to be verified", { RELAY_TLS: "verify" }, ["x.y"]],
    ["not where RELAY_TLS forbids TLS", { RELAY_TLS: "none" }, []],
    ["not where the operator says what holds for it", { RELAY_TLS_FOR: FOR }, []],
    ["not where all goes through RELAY_HOST", { RELAY_HOST }, []],
    ["not where there is no domain", { domain: "[192.0.2.9]" }, []],
  ] satisfies [string, Case, string[]][]
) {
  Deno.test(`policy: ${what}`, async () => {
    // It would bar the host.
    const other = { ...settings, policy: { ...ENFORCE, mx: ["other.x.y"] } };
    const { protection, asked: really } = await protect(other);
    assert.deepEqual(really, asked);
    assert.equal(protection.barred !== undefined, asked.length > 0);
  });
}

Deno.test("an enforced policy bars the hosts that it does not name", async () => {
  const { protection } = await protect({ policy: ENFORCE, host: "mx2.x.y" });
  assert.equal(
    replyText(protection.barred!),
    "451 4.7.0 The policy of x.y (MTA-STS) does not allow mail to go to mx2.x.y",
  );
});

Deno.test("what an enforced policy keeps from a host is told by the policy's name", async () => {
  const why = { code: 454, status: "4.7.5", lines: ["TLS failed"] };
  const { protection } = await protect({ policy: ENFORCE });
  assert.equal(
    replyText(protection.judge(why)),
    "451 4.7.5 mx.x.y does not meet the policy of x.y (MTA-STS): 454 4.7.5 TLS failed",
  );
  assert.equal((await protect({ RELAY_TLS: "verify" })).protection.judge(why), why);
});

for (
  const [what, mode, host, security, reason] of [
    ["plain text", "testing", "mx.x.y", PLAIN, "the connection is in plain text"],
    [
      "a wrong certificate",
      "testing",
      "mx.x.y",
      UNVERIFIED,
      "the certificate is not valid for the host",
    ],
    [
      "a host it does not name",
      "testing",
      "mx2.x.y",
      { protocol: "TLSv1.3", verified: true },
      "it names other hosts",
    ],
    ["nothing wrong", "testing", "mx.x.y", { protocol: "TLSv1.3", verified: true }, undefined],
    ["a certificate that nobody judged", "testing", "mx.x.y", { protocol: "TLS" }, undefined],
    ["plain text, though it is none", "none", "mx.x.y", PLAIN, undefined],
  ] satisfies [string, StsPolicy["mode"], string, Security, string | undefined][]
) {
  Deno.test(`a policy in mode ${mode} meets ${what}`, async () => {
    const { protection } = await protect({ policy: { ...ENFORCE, mode }, host });
    assert.equal(protection.breach(security), reason);
    assert.equal(protection.barred, undefined);
  });
}

for (
  const [settings, implicit] of [
    [{ RELAY_HOST: { host: "h.example", port: 465 } }, true],
    [{ RELAY_HOST, RELAY_PORT: 465 }, true],
    [{ RELAY_HOST: { host: "h.example", port: 587 }, RELAY_PORT: 465 }, false],
    [{ RELAY_PORT: 465 }, false],
  ] satisfies [Case, boolean][]
) {
  Deno.test(`TLS begins ${implicit ? "" : "not "}with the connection: ${JSON.stringify(settings)}`, async () => {
    assert.equal((await protect(settings)).protection.implicit, implicit);
  });
}

Deno.test("a literal's certificate is to be valid for the address", async () => {
  const { protection } = await protect({ domain: "[192.0.2.1]", host: "[192.0.2.1]" });
  assert.equal(protection.serverName, "192.0.2.1");
});
