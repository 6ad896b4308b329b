/** Password hashes: made, verified, and refused where they are damaged. */

import assert from "node:assert/strict";
import {
  dummyHash,
  hashPassword,
  parseHash,
  passwordFlaw,
  verifyPassword,
} from "../../src/config/password.ts";
import { ValueError } from "../../src/config/problem.ts";

const octets = (text: string) => new TextEncoder().encode(text);
const base64 = (bytes: Uint8Array) => bytes.toBase64({ omitPadding: true });

/** Of 16 and 32 octets. */
const SALT = "AAECAwQFBgcICQoLDA0ODw";
const KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/** RFC 7914 12, the vectors that are within the bounds here. */
Deno.test("scrypt is that of RFC 7914", async () => {
  const key = Uint8Array.fromHex(
    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2" +
      "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
  );
  const hash = `$scrypt$ln=14,r=8,p=1$${base64(octets("SodiumChloride"))}$${base64(key)}`;
  assert.equal(await verifyPassword(hash, octets("pleaseletmein")), true);
  assert.equal(await verifyPassword(hash, octets("pleaseletmeim")), false);
});

Deno.test("a hash fits its password and no other", async () => {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const hash = await hashPassword(octets("secret"), salt);
  assert.match(hash, /^\$scrypt\$ln=14,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.deepEqual(parseHash(hash).salt, salt);
  assert.equal(await verifyPassword(hash, octets("secret")), true);
  for (const other of ["Secret", "secret ", "secre", "secretsecret"]) {
    assert.equal(await verifyPassword(hash, octets(other)), false, other);
  }
});

Deno.test("a password is octets, in whatever encoding, up to 255", async () => {
  for (const password of [Uint8Array.of(0xff, 0xfe), new Uint8Array(255).fill(0x80)]) {
    const hash = await hashPassword(password, new Uint8Array(16));
    assert.equal(passwordFlaw(password), undefined);
    assert.equal(await verifyPassword(hash, password), true);
  }
});

Deno.test("what no login can carry is no password (RFC 4616 2)", async () => {
  const cases: readonly (readonly [password: Uint8Array, flaw: RegExp])[] = [
    [new Uint8Array(0), /is empty/],
    [octets("se\0cret"), /holds NUL/],
    [new Uint8Array(256).fill(0x41), /more than 255 octets/],
  ];
  for (const [password, flaw] of cases) {
    assert.match(passwordFlaw(password) ?? "", flaw);
    const hash = await hashPassword(password, new Uint8Array(16));
    assert.equal(await verifyPassword(hash, password), false);
  }
});

Deno.test("a hash of the largest cost is verified", async () => {
  const hash = `$scrypt$ln=17,r=8,p=1$${SALT}$${KEY}`;
  assert.equal(await verifyPassword(hash, octets("secret")), false);
});

const GOOD = [
  `$scrypt$ln=10,r=1,p=1$${SALT}$${KEY}`,
  `$scrypt$ln=16,r=16,p=8$${SALT}$${KEY}`,
  `$scrypt$ln=14,r=8,p=1$${base64(new Uint8Array(8))}$${base64(new Uint8Array(16))}`,
  `$scrypt$ln=14,r=8,p=1$${base64(new Uint8Array(64))}$${base64(new Uint8Array(64))}`,
];

for (const hash of GOOD) {
  Deno.test(`a hash: ${hash.slice(0, 40)}`, () => {
    const { ln, r, p, salt, key } = parseHash(hash);
    assert.equal(`$scrypt$ln=${ln},r=${r},p=${p}$${base64(salt)}$${base64(key)}`, hash);
  });
}

const FORM = /^it is not of the form \$scrypt\$ln=14,r=8,p=1\$SALT\$HASH$/;

const BAD: readonly (readonly [hash: string, message: RegExp])[] = [
  ["", FORM],
  ["$scrypt$", FORM],
  [`$scrypt$ln=14,r=8,p=1$${SALT}`, FORM],
  [`$scrypt$ln=14,r=8,p=1$${SALT}$${KEY}$`, FORM],
  [`$scrypt$r=8,ln=14,p=1$${SALT}$${KEY}`, FORM],
  [`$scrypt$ln=14,r=8$${SALT}$${KEY}`, FORM],
  [`$scrypt$ln=-1,r=8,p=1$${SALT}$${KEY}`, FORM],
  [`$argon2id$ln=14,r=8,p=1$${SALT}$${KEY}`, FORM],
  [`$scrypt$ln=9,r=8,p=1$${SALT}$${KEY}`, /^ln is 9, not 10 to 17$/],
  [`$scrypt$ln=18,r=1,p=1$${SALT}$${KEY}`, /^ln is 18, not 10 to 17$/],
  [`$scrypt$ln=14,r=0,p=1$${SALT}$${KEY}`, /^r is 0, not 1 to 16$/],
  [`$scrypt$ln=14,r=17,p=1$${SALT}$${KEY}`, /^r is 17, not 1 to 16$/],
  [`$scrypt$ln=14,r=8,p=0$${SALT}$${KEY}`, /^p is 0, not 1 to 8$/],
  [`$scrypt$ln=14,r=8,p=9$${SALT}$${KEY}`, /^p is 9, not 1 to 8$/],
  [`$scrypt$ln=17,r=9,p=1$${SALT}$${KEY}`, /^it needs 144 MiB, at most 128 are had$/],
  [`$scrypt$ln=14,r=8,p=1$c2FsdA$${KEY}`, /^octets of its salt: 4, not 8 to 64$/],
  [
    `$scrypt$ln=14,r=8,p=1$${base64(new Uint8Array(65))}$${KEY}`,
    /^octets of its salt: 65, not 8 to 64$/,
  ],
  [`$scrypt$ln=14,r=8,p=1$${SALT}$aGFzaA`, /^octets of its hash: 4, not 16 to 64$/],
  [`$scrypt$ln=14,r=8,p=1$${SALT}$${base64(new Uint8Array(65))}`, /^octets of its hash: 65/],
  // One letter lost, one too many, one that is none, padding, bits that nobody sets.
  [`$scrypt$ln=14,r=8,p=1$${SALT}$${KEY.slice(0, -2)}`, /^its hash is no base64$/],
  [`$scrypt$ln=14,r=8,p=1$${SALT}B$${KEY}`, /^its salt is no base64$/],
  [`$scrypt$ln=14,r=8,p=1$${SALT.replace("A", "-")}$${KEY}`, /^its salt is no base64$/],
  [`$scrypt$ln=14,r=8,p=1$${SALT.slice(0, 8)} ${SALT.slice(8)}$${KEY}`, /^its salt is no base64$/],
  [`$scrypt$ln=14,r=8,p=1$${SALT}==$${KEY}`, /^its salt is no base64$/],
  [`$scrypt$ln=14,r=8,p=1$${SALT}$${KEY.slice(0, -1)}9`, /^its hash is no base64$/],
];

for (const [hash, message] of BAD) {
  Deno.test(`no hash: ${hash.slice(0, 60)} (${message})`, () => {
    assert.throws(() => parseHash(hash), (error) => {
      assert.ok(error instanceof ValueError);
      assert.match(error.message, message);
      return true;
    });
  });
}

const costOf = (hash: string) => /ln=\d+,r=\d+,p=\d+/.exec(hash)?.[0];

Deno.test("what an unknown name is verified against costs as much as the costliest user", () => {
  const hashes = ["ln=10,r=8,p=1", "ln=12,r=8,p=4", "ln=13,r=8,p=1"]
    .map((cost) => `$scrypt$${cost}$${SALT}$${KEY}`);
  assert.equal(costOf(dummyHash(hashes)), "ln=12,r=8,p=4");
  assert.equal(costOf(dummyHash([hashes[0]!])), "ln=10,r=8,p=1");
});

Deno.test("without any user it costs what a new hash does, and no password fits", async () => {
  const hash = dummyHash([]);
  assert.equal(costOf(hash), costOf(await hashPassword(octets("secret"), new Uint8Array(16))));
  for (const password of ["", "secret", "\0"]) {
    assert.equal(await verifyPassword(hash, octets(password)), false);
  }
});
