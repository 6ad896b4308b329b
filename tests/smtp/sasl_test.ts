/** PLAIN (RFC 4616) and LOGIN: what a client's words come to, octet by octet. */

import assert from "node:assert/strict";
import { type Mechanism, SaslExchange, type SaslStep } from "../../src/smtp/sasl.ts";

const octets = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** What comes of a step in words: `jones:secret`, `334 …`, or its kind. */
function shown(step: SaslStep): string {
  switch (step.kind) {
    case "challenge":
      return `334 ${atob(step.challenge)}`;
    case "credentials": {
      const { name, password } = step.credentials;
      return `${name}:${String.fromCharCode(...password)}`;
    }
    default:
      return step.kind;
  }
}

/** What comes of these answers, the first of which may be the initial response. */
function answers(mechanism: Mechanism, ...texts: string[]): string {
  const exchange = new SaslExchange(mechanism);
  return texts.map((text) => shown(exchange.answer(text))).at(-1)!;
}

const PLAIN: readonly (readonly [message: string, outcome: string])[] = [
  ["\0jones\0secret", "jones:secret"],
  ["jones\0jones\0secret", "jones:secret"],
  ["\0a\0b", "a:b"],
  ["\0a b\0 c ", "a b: c "],
  // The password is octets, and what it means is nobody's business here.
  ["\0jones\0\xff\xfe\r\n\x07", "jones:\xff\xfe\r\n\x07"],
  // A name is UTF-8 (RFC 4616 2), and as no user's is anything else than found.
  ["\0j\xc3\xb6nes\0x", "jönes:x"],
  ["\0j\xf6nes\0x", "j\ufffdnes:x"],
  ["smith\0jones\0secret", "denied"],
  ["Jones\0jones\0secret", "denied"],
  ["jones@me.example\0jones\0secret", "denied"],
  ["", "malformed"],
  ["jones", "malformed"],
  ["jones\0secret", "malformed"],
  ["\0", "malformed"],
  ["\0\0", "malformed"],
  ["\0\0\0", "malformed"],
  ["\0jones", "malformed"],
  ["\0jones\0", "malformed"],
  ["\0\0secret", "malformed"],
  ["jones\0\0secret", "malformed"],
  ["jones\0jones\0", "malformed"],
  ["\0jones\0secret\0", "malformed"],
  ["\0jones\0sec\0ret", "malformed"],
  ["\0jones\0\0secret", "malformed"],
  ["\0jo\0nes\0secret", "malformed"],
  ["\0\0jones\0secret", "malformed"],
  ["a\0b\0c\0d", "malformed"],
];

for (const [message, outcome] of PLAIN) {
  Deno.test(`PLAIN ${JSON.stringify(message)}: ${outcome}`, () => {
    assert.equal(answers("PLAIN", octets(message).toBase64()), outcome);
  });
}

const LOGIN: readonly (readonly [name: string, password: string, outcome: string])[] = [
  ["jones", "secret", "jones:secret"],
  ["jones@me.example", "secret", "jones@me.example:secret"],
  [" ", " ", " : "],
  ["jones", "\xff\x01", "jones:\xff\x01"],
  ["jones", "", "malformed"],
  ["jones", "sec\0ret", "malformed"],
  ["jones", "\0", "malformed"],
];

for (const [name, password, outcome] of LOGIN) {
  Deno.test(`LOGIN ${JSON.stringify([name, password])}: ${outcome}`, () => {
    assert.equal(answers("LOGIN", btoa(name), btoa(password)), outcome);
  });
}

for (const name of ["", "\0", "jones\0", "\0jones", "jo\0nes", "\0jones\0secret"]) {
  Deno.test(`LOGIN asks no ${JSON.stringify(name)} for a password`, () => {
    assert.equal(answers("LOGIN", btoa(name)), "malformed");
  });
}

Deno.test("each mechanism asks for what it wants, PLAIN by nothing (RFC 4954 4)", () => {
  assert.deepEqual(new SaslExchange("PLAIN").begin(), { kind: "challenge", challenge: "" });
  const login = new SaslExchange("LOGIN");
  assert.deepEqual(login.begin(), { kind: "challenge", challenge: "VXNlcm5hbWU6" });
  assert.deepEqual(login.answer(btoa("jones")), { kind: "challenge", challenge: "UGFzc3dvcmQ6" });
});

/** None of them is base64 to the letter (RFC 4648 3.2, 3.3, 3.5). */
const NOT_BASE64 = [
  "A",
  "AA",
  "AAA",
  "AAAAA",
  "====",
  "==",
  "A===",
  "AA=A",
  "AA==AA==",
  "AAAA====",
  "AAAA=",
  // Bits behind the last octet.
  "AGpvbmVzAHNlY3JldB==",
  "AGpvbmVzAHNlY3JlZXR=",
  // The other alphabet, and characters of none.
  "AGpvbmVzAHNlY3Jld-_=",
  "AGpv.mVzAHNlY3JldA==",
  "AGpv*mVzAHNlY3JldA==",
  // Blanks and what else a decoder may pass over.
  " AGpvbmVzAHNlY3JldA==",
  "AGpvbmVzAHNlY3JldA== ",
  "AGpvbmVz AHNlY3JldA==",
  "AGpvbmVz\tAHNlY3JldA==",
  "AGpvbmVz\nAHNlY3JldA==",
  "AGpvbmVzAHNlY3JldA==\n",
  "AGpvbmVzAHNlY3JldA==\r",
  "AGpvbmVz\0\0\0\0AHNlY3JldA==",
  "\xffGpvbmVzAHNlY3JldA==",
  "*",
];

for (const text of NOT_BASE64) {
  Deno.test(`no base64: ${JSON.stringify(text)}`, () => {
    assert.equal(answers("PLAIN", text), "malformed");
    assert.equal(answers("LOGIN", text), "malformed");
    assert.equal(answers("LOGIN", btoa("jones"), text), "malformed");
  });
}

Deno.test("= alone, and nothing, are no octets", () => {
  for (const text of ["=", ""]) {
    assert.equal(answers("PLAIN", text), "malformed");
    assert.equal(answers("LOGIN", text), "malformed");
    assert.equal(answers("LOGIN", btoa("jones"), text), "malformed");
  }
});

Deno.test("every octet but NUL can be in a password, wherever it stands", () => {
  for (let octet = 1; octet < 256; octet++) {
    const password = String.fromCharCode(octet, 65, octet);
    assert.equal(answers("PLAIN", btoa(`\0jones\0${password}`)), `jones:${password}`);
    assert.equal(answers("LOGIN", btoa("jones"), btoa(password)), `jones:${password}`);
  }
});
