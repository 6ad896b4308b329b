/** Only a pair that a server can use is taken, and what is wrong with others is told. */

import assert from "node:assert/strict";
import { CertificateError, readCertificate } from "../../src/tls/certificate.ts";
import { acceptTls } from "../../src/tls/server.ts";
import type { Issued } from "../support/authority.ts";
import { makeAuthority } from "../support/authority.ts";
import { curve, makePair } from "../support/key_pair.ts";
import { MemoryBytes } from "../support/memory_bytes.ts";
import { succeed, testWith } from "../support/programs.ts";
import { tlsClient } from "../support/tls_client.ts";

const KINDS = /RSA of 2048 bits or more, EC P-256, P-384 or P-521, or Ed25519$/;

/** What is wrong with a pair, and with which part. */
async function refusal({ certificate, key }: Issued): Promise<[part: string, message: string]> {
  try {
    await readCertificate(certificate, key);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return [error.part, error.message];
  }
  throw new Error("it was taken");
}

/** A key as `openssl` writes it by these words. */
async function rewritten(key: string, ...words: readonly string[]): Promise<string> {
  const input = new TextEncoder().encode(key);
  return new TextDecoder().decode(await succeed("openssl", words, { input }));
}

const USABLE: Readonly<Record<string, readonly string[]>> = {
  "RSA of 2048 bits": ["-newkey", "rsa:2048"],
  "P-256": curve("P-256"),
  "P-384": curve("P-384"),
  "P-521": curve("P-521"),
  "Ed25519": ["-newkey", "ed25519"],
};

testWith(["openssl"], "a pair of every kind that is offered can be used", async (t) => {
  for (const [kind, newKey] of Object.entries(USABLE)) {
    await t.step(kind, async () => {
      const { certificate, key } = await makePair(...newKey);
      const { context } = await readCertificate(certificate, key);
      const [near, far] = MemoryBytes.pair();
      const client = tlsClient(far);
      await acceptTls(near, context);
      await client.secured;
      near.close();
    });
  }
});

const UNUSABLE: Readonly<Record<string, readonly string[]>> = {
  "RSA of 512 bits": ["-newkey", "rsa:512"],
  "RSA of 1024 bits": ["-newkey", "rsa:1024"],
  "RSA-PSS": ["-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"],
  "secp256k1": curve("secp256k1"),
  "brainpoolP256r1": curve("brainpoolP256r1"),
  "Ed448": ["-newkey", "ed448"],
};

testWith(["openssl"], "a pair that no handshake succeeds with is refused", async (t) => {
  for (const [kind, newKey] of Object.entries(UNUSABLE)) {
    await t.step(kind, async () => {
      const [part, message] = await refusal(await makePair(...newKey));
      assert.equal(part, "key");
      assert.match(message, KINDS);
    });
  }
});

testWith(["openssl"], "a key in the older forms is the same key", async () => {
  const ec = await makePair();
  const sec1 = await rewritten(ec.key, "ec");
  assert.match(sec1, /BEGIN EC PRIVATE KEY/);
  await readCertificate(ec.certificate, sec1);
  const rsa = await makePair("-newkey", "rsa:2048");
  const pkcs1 = await rewritten(rsa.key, "rsa", "-traditional");
  assert.match(pkcs1, /BEGIN RSA PRIVATE KEY/);
  await readCertificate(rsa.certificate, pkcs1);
});

testWith(["openssl"], "a file that holds no certificate is refused", async () => {
  const { certificate, key } = await makePair();
  const none = ["certificate", "holds no PEM certificate"];
  for (const text of ["", "hello\n", key, certificate.replaceAll("CERTIFICATE", "X509 CRL")]) {
    assert.deepEqual(await refusal({ certificate: text, key }), none);
  }
});

testWith(["openssl"], "a certificate that is damaged or half written is refused", async () => {
  const { certificate, key } = await makePair();
  const damaged = ["certificate", "is damaged or cut off"];
  for (let length = 40; length < certificate.length - 2; length += 41) {
    assert.deepEqual(await refusal({ certificate: certificate.slice(0, length), key }), damaged);
  }
  const [first = "", ...rest] = certificate.split("\n");
  const changed = [first, `AAAA${rest.join("\n").slice(4)}`].join("\n");
  assert.deepEqual(await refusal({ certificate: changed, key }), damaged);
});

testWith(["openssl"], "a chain that is damaged or half written is refused", async () => {
  const { certificate, key } = await makePair();
  const second = await makePair();
  const garbage = "-----BEGIN CERTIFICATE-----\nZ2FyYmFnZQ==\n-----END CERTIFICATE-----\n";
  for (const rest of [garbage, second.certificate.slice(0, 300), "-----BEGIN CERTIFICATE-----"]) {
    assert.deepEqual(await refusal({ certificate: `${certificate}${rest}`, key }), [
      "certificate",
      "certificate 2 in it is damaged or cut off",
    ]);
  }
  const [part] = await refusal({
    certificate: certificate.slice(0, 300) + second.certificate,
    key,
  });
  assert.equal(part, "certificate");
});

testWith(["openssl"], "a key that cannot be read is refused", async () => {
  const { certificate, key } = await makePair();
  const other = await makePair();
  const half = key.slice(0, key.length / 2);
  const open = await rewritten(key, "pkey", "-pubout");
  for (const text of ["", "hello\n", half, open, certificate, key + other.key, certificate + key]) {
    const [part, message] = await refusal({ certificate, key: text });
    assert.equal(part, "key");
    assert.match(message, /^must hold one PEM key and nothing else: /);
    assert.match(message, KINDS);
  }
});

testWith(["openssl"], "a key with a password is refused, in either form", async () => {
  const { certificate, key } = await makePair("-newkey", "rsa:2048");
  const password = ["-aes128", "-passout", "pass:secret"];
  for (
    const words of [["pkcs8", "-topk8", "-passout", "pass:secret"], [
      "rsa",
      "-traditional",
      ...password,
    ]]
  ) {
    const [part, message] = await refusal({ certificate, key: await rewritten(key, ...words) });
    assert.equal(part, "key");
    assert.match(message, /^has a password, .*without one$/);
  }
});

testWith(["openssl"], "the key must be the first certificate's", async () => {
  const [one, other] = [await makePair(), await makePair()];
  const anothers = ["key", "is not the key of the first certificate in the chain"];
  assert.deepEqual(await refusal({ ...one, key: other.key }), anothers);
  const backwards = other.certificate + one.certificate;
  assert.deepEqual(await refusal({ certificate: backwards, key: one.key }), anothers);
});

testWith(["openssl"], "line ends, a byte order mark and words around it do no harm", async () => {
  const { certificate, key } = await makePair();
  for (
    const text of [
      certificate.replaceAll("\n", "\r\n"),
      `\ufeff${certificate}`,
      `Bag Attributes\n  friendlyName: mx\n${certificate}\nthe end\n`,
      certificate + key,
    ]
  ) await readCertificate(text, key);
  await readCertificate(certificate, key.replaceAll("\n", "\r\n"));
});

testWith(
  ["openssl"],
  "what has expired can still be used, and tells until when it held",
  async () => {
    await using authority = await makeAuthority();
    const notBefore = new Date(Date.UTC(2020, 0, 1));
    const { certificate, key } = await authority.issue(["mx.test"], { notBefore, days: 1 });
    const { validTo } = await readCertificate(certificate, key);
    assert.equal(validTo, Date.UTC(2020, 0, 2));
  },
);

testWith(["openssl"], "a client gets the whole chain", async () => {
  await using authority = await makeAuthority();
  const { certificate, key } = await authority.issue(["mx.test"]);
  const { context } = await readCertificate(certificate + authority.certificate, key);
  const [near, far] = MemoryBytes.pair();
  const client = tlsClient(far);
  await acceptTls(near, context);
  const { issuerCertificate } = (await client.secured).getPeerCertificate(true);
  assert.equal(issuerCertificate?.subject.CN, "Authority of a test");
  near.close();
});
