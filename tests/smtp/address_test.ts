/** Mailboxes without brackets, domains and their comparison (RFC 5321 2.4, 4.1.2, 4.1.3, 4.5.1). */

import assert from "node:assert/strict";
import {
  isDomainName,
  isPostmaster,
  parseDomain,
  parseMailbox,
  PathError,
  printMailbox,
  sameDomain,
} from "../../src/smtp/address.ts";

Deno.test("a mailbox is read without angle brackets", () => {
  assert.deepEqual(parseMailbox("jack@example.com"), { localPart: "jack", domain: "example.com" });
  assert.deepEqual(parseMailbox('"a b"@[192.0.2.1]'), { localPart: "a b", domain: "[192.0.2.1]" });
  assert.deepEqual(parseMailbox("a\\@b@c"), { localPart: "a@b", domain: "c" });
});

Deno.test("a mailbox is the whole text or none", () => {
  const rows: [string, RegExp][] = [
    ["jack@example.com>", /unexpected ">"/],
    ["jack@example.com x", /unexpected " "/],
    ["jack@example.com\x1b[2J", /^unexpected character in/],
    ["jack@b\xfccher.example", /^unexpected character in/],
    ["<jack@example.com>", /bad local-part/],
    ["jack", /lacks its domain/],
    ["postmaster", /lacks its domain/],
    ["@a:jack@b", /bad local-part/],
    ["", /bad local-part/],
  ];
  for (const [text, why] of rows) {
    assert.throws(() => parseMailbox(text), (error) => {
      return error instanceof PathError && why.test(error.message);
    }, text);
  }
});

const LABEL = "d".repeat(63);
const SHORT_LABELS_255 = `${"a.".repeat(127)}a`;
const DOMAIN_255 = `${LABEL}.${LABEL}.${LABEL}.${LABEL}`;

Deno.test("a domain name has up to 255 octets in labels of up to 63 (RFC 5321 4.5.3.1.2)", () => {
  assert.equal(DOMAIN_255.length, 255);
  const names = [
    "a",
    "A",
    "1",
    "a.b",
    "a-b",
    "a--b",
    "x.1",
    "1.2.3.4",
    LABEL,
    DOMAIN_255,
    SHORT_LABELS_255,
  ];
  for (const name of names) assert.equal(isDomainName(name), true, name);
  const others = [
    "",
    ".",
    "a.",
    ".a",
    "a..b",
    "-a",
    "a-",
    "a-.b",
    "a_b",
    "a b",
    "a\n",
    "\na",
    "*",
    "é",
    "[1.2.3.4]",
    `${LABEL}d`,
    `${DOMAIN_255}d`,
    `${SHORT_LABELS_255}a`,
  ];
  for (const name of others) assert.equal(isDomainName(name), false, name);
});

Deno.test("a domain is a name as it stands or an address literal in its one form (53-20)", () => {
  const rows: [string, string | undefined][] = [
    ["Me.Example", "Me.Example"],
    ["[192.0.2.1]", "[192.0.2.1]"],
    ["[010.0.0.4]", "[10.0.0.4]"],
    ["[IPV6:FE80::0:1]", "[IPv6:fe80::1]"],
    ["[::1]", "[IPv6:::1]"],
    ["[tag:x]", "[tag:x]"],
    [`[t:${"z".repeat(251)}]`, `[t:${"z".repeat(251)}]`],
    [`[t:${"z".repeat(252)}]`, undefined],
    ["", undefined],
    ["[", undefined],
    ["[]", undefined],
    ["[192.0.2.1", undefined],
    ["192.0.2.1]", undefined],
    ["[192.0.2.1]x", undefined],
    ["[192.0.2.1]\n", undefined],
    ["[192.0.2.1][192.0.2.1]", undefined],
    ["[ 192.0.2.1]", undefined],
    ["[IPv6:1.2.3.4]", undefined],
    ["a_b", undefined],
    ["a b", undefined],
  ];
  for (const [text, expected] of rows) assert.equal(parseDomain(text), expected, text);
});

Deno.test("domains are the same in whatever case (RFC 5321 2.4)", () => {
  assert.equal(sameDomain("ME.example", "me.EXAMPLE"), true);
  assert.equal(sameDomain("[IPv6:::1]", "[ipv6:::1]"), true);
  assert.equal(sameDomain("me.example", "me.example.org"), false);
  assert.equal(sameDomain("", "me.example"), false);
});

Deno.test("the postmaster is one in whatever case (RFC 5321 4.5.1)", () => {
  for (const name of ["postmaster", "Postmaster", "POSTMASTER"]) {
    assert.equal(isPostmaster(name), true);
  }
  for (const name of ["", "post", "postmaster ", "postmasters"]) {
    assert.equal(isPostmaster(name), false);
  }
});

Deno.test("any local-part of printable ASCII comes back as it was, whatever is in it", () => {
  for (let code = 32; code < 127; code++) {
    const character = String.fromCharCode(code);
    for (
      const localPart of [character, `a${character}b`, `.${character}`, `${character}${character}`]
    ) {
      const mailbox = { localPart, domain: "x.y" };
      assert.deepEqual(parseMailbox(printMailbox(mailbox)), mailbox);
    }
  }
});
