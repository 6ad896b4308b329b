/** Certificates and keys: names, dates, and whether they belong together. */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { checkCertificate, checkCertificateFiles } from "../../src/checks/certificate.ts";
import { type Issued, makeAuthority } from "../support/authority.ts";
import { makeFolder } from "../support/folder.ts";
import { makePair } from "../support/key_pair.ts";
import { testWith } from "../support/programs.ts";

const CERTIFICATE = new URL("../support/mx.test.crt", import.meta.url).pathname;
const KEY = new URL("../support/mx.test.key", import.meta.url).pathname;

const DAY = 86_400_000;
/** When the certificate begins and ends. */
const START = Date.UTC(2026, 10, 22, 18, 13, 1);
const END = Date.UTC(2126, 9, 29, 18, 13, 1);

/** Signed by itself, for *.example.com, Mail.Example.org, 192.0.2.1 and 2001:db8::1. */
const NAMES = `-----BEGIN CERTIFICATE-----
MIIBzjCCAXOgAwIBAgIUJxCWkOmK/c5R5v0WwCL3Q0vifJAwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNb3RoZXIuZXhhbXBsZTAgFw0yNjExMjIyMTI4MDBaGA8yMTI2
MTAyOTIxMjgwMFowGDEWMBQGA1UEAwwNb3RoZXIuZXhhbXBsZTBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABEAB1ubFezlNKrf7KKnYtijpAGBSJtrb94Q5JF+yTTh5
lD8qbu0AkRi14YKF1Mgq59/1XUkSkH8bwJTqErugUFCjgZgwgZUwHQYDVR0OBBYE
FJqPdc9f/1h0I9s1DrGR0fH4W/CzMB8GA1UdIwQYMBaAFJqPdc9f/1h0I9s1DrGR
0fH4W/CzMA8GA1UdEwEB/wQFMAMBAf8wQgYDVR0RBDswOYINKi5leGFtcGxlLmNv
bYIQTWFpbC5FeGFtcGxlLm9yZ4cEwAACAYcQIAENuAAAAAAAAAAAAAAAATAKBggq
hkjOPQQDAgNJADBGAiEAomaPEFqfV9vJbfPhhyjZuSxvGoVYKcGMSNmnS4UrKc0C
IQCnJ2IIYdsiHK7eNmbdbr+qMBshMr+gEL0x9N8Ie3v5dg==
-----END CERTIFICATE-----`;

interface Options {
  readonly hostname?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly now?: number;
}

async function check(options: Options = {}) {
  const findings = checkCertificate({
    hostname: "mx.test",
    certificate: await Deno.readTextFile(CERTIFICATE),
    key: await Deno.readTextFile(KEY),
    now: START + DAY,
    ...options,
  });
  return findings.map(({ state, is }) => `${state}: ${is}`);
}

Deno.test("a certificate that fits and lasts is good", async () => {
  assert.deepEqual(await check({ now: END - 20 * DAY }), [
    "good: for mx.test, good for 20 more days",
  ]);
  assert.match((await check({ hostname: "MX.Test" }))[0] ?? "", /^good/);
});

Deno.test("a certificate that ends in less than 14 days is a finding, of 14 days not", async () => {
  assert.deepEqual(await check({ now: END - 14 * DAY + 1 }), [
    "wrong: TLS_CERT expires on 2126-10-29, in 13 days",
  ]);
  assert.match((await check({ now: END - 14 * DAY }))[0] ?? "", /^good/);
});

Deno.test("a certificate that has expired, or is not valid yet, is a finding", async () => {
  assert.deepEqual(await check({ now: END }), ["wrong: TLS_CERT has expired on 2126-10-29"]);
  assert.deepEqual(await check({ now: START - 1 }), [
    "wrong: TLS_CERT is not valid before 2026-11-22",
  ]);
});

Deno.test("a certificate for another name or address is a finding", async () => {
  assert.deepEqual(await check({ hostname: "mail.example.com" }), [
    "wrong: TLS_CERT is for DNS:mx.test",
  ]);
  assert.deepEqual(await check({ hostname: "[192.0.2.1]" }), [
    "wrong: TLS_CERT is for DNS:mx.test",
  ]);
});

const HOSTS: readonly (readonly [hostname: string, fits: boolean])[] = [
  ["mail.example.com", true],
  ["MAIL.example.COM", true],
  ["mail.example.org", true],
  ["example.com", false],
  ["a.mail.example.com", false],
  ["other.example", false],
  ["[192.0.2.1]", true],
  ["[192.0.2.2]", false],
  ["[IPv6:2001:db8::1]", true],
];

for (const [hostname, fits] of HOSTS) {
  Deno.test(`a certificate for *.example.com and others is ${fits ? "" : "not "}${hostname}'s`, async () => {
    const findings = await check({ hostname, certificate: NAMES });
    assert.equal(!findings.some((text) => text.includes("TLS_CERT is for")), fits);
  });
}

const ANOTHERS = generateKeyPairSync("ec", {
  namedCurve: "prime256v1",
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
}).privateKey;

Deno.test("another certificate's key is a finding", async () => {
  assert.deepEqual(await check({ key: ANOTHERS }), [
    "wrong: TLS_KEY is not the key of the first certificate in the chain",
  ]);
});

Deno.test("everything that is wrong is told, that the pair cannot be used first", async () => {
  const all = await check({ hostname: "a.example", key: "none", now: END });
  assert.deepEqual(all.map((text) => text.slice(0, 22)), [
    "wrong: TLS_KEY must ho",
    "wrong: TLS_CERT is for",
    "wrong: TLS_CERT has ex",
  ]);
  const soon = await check({ key: ANOTHERS, now: END - DAY });
  assert.match(soon[0] ?? "", /^wrong: TLS_KEY is not the key/);
});

Deno.test("what is no certificate is a finding", async () => {
  assert.deepEqual(await check({ certificate: "hello" }), [
    "wrong: TLS_CERT holds no PEM certificate",
  ]);
  const half = await Deno.readTextFile(CERTIFICATE) + "-----BEGIN CERTIFICATE-----\nMII";
  assert.deepEqual(await check({ certificate: half }), [
    "wrong: TLS_CERT certificate 2 in it is damaged or cut off",
  ]);
});

testWith(
  ["openssl"],
  "a certificate without alternative names is told so, for its CN does not count",
  async () => {
    const { certificate, key } = await makePair();
    const facts = { hostname: "mx.test", certificate, key, now: Date.now() };
    const [name] = checkCertificate(facts);
    assert.deepEqual([name?.state, name?.is, name?.should], [
      "wrong",
      "TLS_CERT has no subjectAltName, and its subject's CN mx.test does not count",
      "a certificate for HOSTNAME: DNS:mx.test in its subjectAltName",
    ]);
    const [address] = checkCertificate({ ...facts, hostname: "[IPv6:2001:db8::1]" });
    assert.match(address?.should ?? "", /: IP:2001:db8::1 in its subjectAltName$/);
  },
);

testWith(
  ["openssl"],
  "certbot is named for what it may have issued, and to renew alone",
  async () => {
    await using authority = await makeAuthority();
    const now = Date.now();
    const issued = await authority.issue(["mx.test"]);
    const mends = (pair: Issued, hostname: string) =>
      checkCertificate({ hostname, ...pair, now }).map(({ mend }) => mend);
    assert.deepEqual(mends(issued, "mx.test"), [["certbot renew"]]);
    assert.deepEqual(mends(issued, "other.test"), [undefined, ["certbot renew"]]);
    const own = await makePair("-newkey", "rsa:2048", "-addext", "subjectAltName=DNS:mx.test");
    assert.deepEqual(mends(own, "mx.test"), [undefined]);
  },
);

Deno.test("the files of a configuration are read, and none where there are none", async () => {
  const HOSTNAME = "mx.test";
  const none = { HOSTNAME, TLS_CERT: undefined, TLS_KEY: undefined };
  assert.deepEqual(await checkCertificateFiles(none, START), []);
  await using folder = await makeFolder();
  const TLS_KEY = `${folder.path}/tls.key`;
  await Deno.copyFile(KEY, TLS_KEY);
  await Deno.chmod(TLS_KEY, 0o640);
  const both = { HOSTNAME, TLS_CERT: CERTIFICATE, TLS_KEY };
  assert.deepEqual((await checkCertificateFiles(both, START)).map(({ state }) => state), ["good"]);
  const [gone] = await checkCertificateFiles({ ...both, TLS_KEY: `${TLS_KEY}.gone` }, START);
  assert.equal(gone?.state, "wrong");
  assert.match(gone?.is ?? "", /^TLS_KEY .*\.gone: there is no such file$/);
  await Deno.chmod(TLS_KEY, 0o644);
  const [, open] = await checkCertificateFiles(both, START);
  assert.deepEqual([open?.state, open?.is, open?.mend], [
    "wrong",
    `every user of the system can read TLS_KEY ${TLS_KEY}`,
    [`chmod o-r ${TLS_KEY}`],
  ]);
});
