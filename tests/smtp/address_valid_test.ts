/** Every path that RFC 5321 4.1.2, 4.1.3 and RFC 788 4.1.2 allow is read, and means what it should. */

import assert from "node:assert/strict";
import {
  type Path,
  PathError,
  printMailbox,
  printPath,
  readForwardPath,
  readReversePath,
} from "../../src/smtp/address.ts";
import { Cursor } from "../../src/smtp/cursor.ts";

type Row = readonly [path: string, localPart: string, domain: string, ...route: string[]];

/** Words of atoms, dots and hosts. */
const PLAIN: readonly Row[] = [
  // 788-T2: the RFC's own example has no dot and has capitals.
  ["<Smith@Alpha>", "Smith", "Alpha"],
  ["<jones@me.example>", "jones", "me.example"],
  ["<a@b>", "a", "b"],
  ["<1@2>", "1", "2"],
  ["<a.b@c.d>", "a.b", "c.d"],
  ["<a.b.c.d.e@x.y>", "a.b.c.d.e", "x.y"],
  // Local-part case is kept, and so is the domain's, which is compared without it (788-X2, 53-21).
  ["<FrEd@ME.ExAmPlE>", "FrEd", "ME.ExAmPlE"],
  ["<fred+tag@x.y>", "fred+tag", "x.y"],
  ["<fred-bloggs@x.y>", "fred-bloggs", "x.y"],
  ["<-@x.y>", "-", "x.y"],
  ["<_@x.y>", "_", "x.y"],
  ["<a_b@x.y>", "a_b", "x.y"],
  // Every special that atext has (RFC 5322 3.2.3).
  ["<!#$%&'*+-/=?^_`{|}~@x.y>", "!#$%&'*+-/=?^_`{|}~", "x.y"],
  // BUG-27: a slash is legal, and never becomes a part of a file name.
  ["<user/folder@x.y>", "user/folder", "x.y"],
  ["<*@x.y>", "*", "x.y"],
  ["<#123@x.y>", "#123", "x.y"],
  ["<x@xn--bcher-kva.example>", "x", "xn--bcher-kva.example"],
  ["<x@a-b.c-d>", "x", "a-b.c-d"],
  ["<x@a--b>", "x", "a--b"],
  ["<x@3com.example>", "x", "3com.example"],
  ["<x@1.2.3.4>", "x", "1.2.3.4"],
  ["<x@a.b.c.d.e.f.g.h>", "x", "a.b.c.d.e.f.g.h"],
];

/** Quoted strings (RFC 5321 4.1.2) and backslashes outside of them (RFC 788 4.1.2). */
const QUOTED: readonly Row[] = [
  // 53-19: the same mailbox as without quotes.
  ['<"jones"@me.example>', "jones", "me.example"],
  ['<"a b"@x.y>', "a b", "x.y"],
  ['<" "@x.y>', " ", "x.y"],
  ['<""@x.y>', "", "x.y"],
  ['<"a..b"@x.y>', "a..b", "x.y"],
  ['<".a"@x.y>', ".a", "x.y"],
  ['<"a."@x.y>', "a.", "x.y"],
  // BUG-14: what looks like the end of the local-part or of the path is neither.
  ['<"a@b"@x.y>', "a@b", "x.y"],
  ['<"a>b@c"@me.example>', "a>b@c", "me.example"],
  ['<"foo@a.example> ORCPT=x"@x.y>', "foo@a.example> ORCPT=x", "x.y"],
  ['<"@a,@b:c@d"@x.y>', "@a,@b:c@d", "x.y"],
  ['<"<>"@x.y>', "<>", "x.y"],
  ['<"a\\"b"@x.y>', 'a"b', "x.y"],
  ['<"a\\\\b"@x.y>', "a\\b", "x.y"],
  // A backslash that need not be there says the same (RFC 5321 4.1.2).
  ['<"\\j\\ones"@x.y>', "jones", "x.y"],
  ['<"a\\ b"@x.y>', "a b", "x.y"],
  ['<"\\@\\>"@x.y>', "@>", "x.y"],
  ['<"../../x"@me.example>', "../../x", "me.example"],
  ['<"()<>[]:;@,. "@x.y>', "()<>[]:;@,. ", "x.y"],
  ['<"postmaster"@x.y>', "postmaster", "x.y"],
  // 788-X11: a user of nine characters.
  ["<Joe\\,Smith@me>", "Joe,Smith", "me"],
  ["<\\a@x.y>", "a", "x.y"],
  ["<a\\ b@x.y>", "a b", "x.y"],
  ["<a\\@b@x.y>", "a@b", "x.y"],
  ['<\\"a\\"@x.y>', '"a"', "x.y"],
  ["<a\\\\b@x.y>", "a\\b", "x.y"],
  ["<a\\.\\.b@x.y>", "a..b", "x.y"],
  ["<\\.a@x.y>", ".a", "x.y"],
  ["<a\\>b@x.y>", "a>b", "x.y"],
  ["<a\\ .\\ b@x.y>", "a . b", "x.y"],
];

/** Address literals (RFC 5321 4.1.3): one spelling comes out for each address. */
const LITERALS: readonly Row[] = [
  ["<john@[109.43.197.25]>", "john", "[109.43.197.25]"],
  ["<a@[0.0.0.0]>", "a", "[0.0.0.0]"],
  ["<a@[255.255.255.255]>", "a", "[255.255.255.255]"],
  // 788-X10: leading zeros are decimal, never octal.
  ["<a@[010.0.0.4]>", "a", "[10.0.0.4]"],
  ["<a@[123.255.037.002]>", "a", "[123.255.37.2]"],
  ["<a@[000.000.000.000]>", "a", "[0.0.0.0]"],
  ["<a@[IPv6:2001:db8::1]>", "a", "[IPv6:2001:db8::1]"],
  // BUG-13: the tag in whatever case, and a tag that is followed by `::`.
  ["<a@[IPV6:fe80::1]>", "a", "[IPv6:fe80::1]"],
  ["<a@[ipv6:fe80::1]>", "a", "[IPv6:fe80::1]"],
  ["<a@[IPv6:::1]>", "a", "[IPv6:::1]"],
  ["<a@[IPv6:::]>", "a", "[IPv6:::]"],
  ["<a@[IPv6:1::]>", "a", "[IPv6:1::]"],
  ["<a@[IPv6:1:2:3:4:5:6:7:8]>", "a", "[IPv6:1:2:3:4:5:6:7:8]"],
  ["<a@[IPv6:0:0:0:0:0:0:0:1]>", "a", "[IPv6:::1]"],
  ["<a@[IPv6:2001:0DB8:0000:0000:0008:0800:200C:417A]>", "a", "[IPv6:2001:db8::8:800:200c:417a]"],
  ["<a@[IPv6:1::8]>", "a", "[IPv6:1::8]"],
  ["<a@[IPv6:1:2:3::6:7:8]>", "a", "[IPv6:1:2:3::6:7:8]"],
  ["<a@[IPv6:0:0:0:0:0:0:13.1.68.3]>", "a", "[IPv6:::d01:4403]"],
  ["<a@[IPv6:::13.1.68.3]>", "a", "[IPv6:::d01:4403]"],
  ["<a@[IPv6:64:ff9b::192.0.2.33]>", "a", "[IPv6:64:ff9b::c000:221]"],
  ["<a@[IPv6:::FFFF:129.144.52.38]>", "a", "[129.144.52.38]"],
  // Without the tag: what users of pySMTPD were told to write.
  ["<a@[2001:db8::1]>", "a", "[IPv6:2001:db8::1]"],
  ["<a@[::1]>", "a", "[IPv6:::1]"],
  ["<a@[::ffff:192.0.2.1]>", "a", "[192.0.2.1]"],
  // General-address-literal.
  ["<a@[x400:c=de]>", "a", "[x400:c=de]"],
  ["<a@[Tag-1:!Z^~]>", "a", "[Tag-1:!Z^~]"],
  ["<a@[t:a:b:c]>", "a", "[t:a:b:c]"],
  ["<a@[t:>]>", "a", "[t:>]"],
];

/** Source routes: with a colon (RFC 5321 4.1.2, 53-32) and with a comma (RFC 788 3.6, 788-R4). */
const ROUTES: readonly Row[] = [
  ["<@a.example,@b.example:jones@me.example>", "jones", "me.example", "a.example", "b.example"],
  ["<@a.example,@b.example,jones@me.example>", "jones", "me.example", "a.example", "b.example"],
  ["<@AAA,@BBB,john@CCC>", "john", "CCC", "AAA", "BBB"],
  ["<@A:C@D>", "C", "D", "A"],
  ["<@A,C@D>", "C", "D", "A"],
  ["<@[192.0.2.1]:c@d>", "c", "d", "[192.0.2.1]"],
  ["<@[IPv6:2001:DB8::1],@b:c@d>", "c", "d", "[IPv6:2001:db8::1]", "b"],
  ["<@[::1]:c@d>", "c", "d", "[IPv6:::1]"],
  ['<@a:"x y"@d>', "x y", "d", "a"],
  ["<@a:postmaster@d>", "postmaster", "d", "a"],
  ["<@a,@b,@c,@d,@e:f@g>", "f", "g", "a", "b", "c", "d", "e"],
];

const LONG_LOCAL = "l".repeat(64);
const LABEL = "d".repeat(63);
/** With `<a@` before and `>` behind it a path of 256. */
const DOMAIN_252 = `${LABEL}.${LABEL}.${LABEL}.${"d".repeat(60)}`;

/** Exactly at the limits of RFC 5321 4.5.3.1 (788-Z1, 788-Z2, 788-Z3). */
const LIMITS: readonly Row[] = [
  [`<${LONG_LOCAL}@x.y>`, LONG_LOCAL, "x.y"],
  [`<"${"q".repeat(62)}"@x.y>`, "q".repeat(62), "x.y"],
  [`<"${"\\q".repeat(31)}"@x.y>`, "q".repeat(31), "x.y"],
  [`<a@${LABEL}>`, "a", LABEL],
  [`<a@${"h".repeat(40)}>`, "a", "h".repeat(40)],
  [`<a@${DOMAIN_252}>`, "a", DOMAIN_252],
  [
    `<@${LABEL}:a@${LABEL}.${LABEL}.${"d".repeat(59)}>`,
    "a",
    `${LABEL}.${LABEL}.${"d".repeat(59)}`,
    LABEL,
  ],
  [`<a@[t:${"z".repeat(248)}]>`, "a", `[t:${"z".repeat(248)}]`],
];

const ROWS = [...PLAIN, ...QUOTED, ...LITERALS, ...ROUTES, ...LIMITS];

function whole<T>(read: (cursor: Cursor) => T, text: string): T {
  const cursor = new Cursor(text);
  const result = read(cursor);
  assert.equal(cursor.rest, "", "the path was not read to its end");
  return result;
}

for (const [text, localPart, domain, ...route] of ROWS) {
  const name = text.length > 60 ? `${text.slice(0, 50)}… (${text.length} octets)` : text;
  Deno.test(`valid path: ${name}`, () => {
    const expected: Path = { mailbox: { localPart, domain }, route };
    assert.deepEqual(whole(readForwardPath, text), expected);
    assert.deepEqual(whole(readReversePath, text), expected);
  });
  Deno.test(`valid path printed and read again: ${name}`, () => {
    const printed = printPath({ localPart, domain });
    assert.deepEqual(whole(readForwardPath, printed), {
      mailbox: { localPart, domain },
      route: [],
    });
    assert.match(printed, /^[ -~]+$/);
  });
}

Deno.test("the tables hold at least 80 valid paths, each once", () => {
  assert.ok(ROWS.length >= 80, `${ROWS.length}`);
  assert.equal(new Set(ROWS.map(([text]) => text)).size, ROWS.length);
});

Deno.test("a path of 256 octets is the longest (RFC 5321 4.5.3.1.3)", () => {
  const longest = Math.max(...ROWS.map(([text]) => text.length));
  assert.equal(longest, 256);
});

Deno.test("<> is the null reverse-path (RFC 5321 4.5.5, 788-X8)", () => {
  assert.equal(whole(readReversePath, "<>"), null);
  assert.equal(printPath(null), "<>");
});

for (const text of ["<Postmaster>", "<postmaster>", "<POSTMASTER>", "<PostMaster>"]) {
  Deno.test(`${text} needs no domain as a forward-path (RFC 5321 4.1.1.3, 53-23)`, () => {
    const { mailbox, route } = whole(readForwardPath, text);
    assert.deepEqual({ mailbox, route }, {
      mailbox: { localPart: text.slice(1, -1), domain: "" },
      route: [],
    });
    assert.equal(printPath(mailbox), text);
  });
}

Deno.test("a path is read up to its > and no further", () => {
  const cursor = new Cursor("<a@b> SIZE=1");
  readReversePath(cursor);
  assert.equal(cursor.rest, " SIZE=1");
});

Deno.test("what needs no quotes is written without (RFC 5321 4.1.2)", () => {
  const printed = [
    ["jones", "jones@x.y"],
    ["a.b", "a.b@x.y"],
    ["a b", '"a b"@x.y'],
    ["a..b", '"a..b"@x.y'],
    [".a", '".a"@x.y'],
    ["a.", '"a."@x.y'],
    ["", '""@x.y'],
    ['a"b', '"a\\"b"@x.y'],
    ["a\\b", '"a\\\\b"@x.y'],
    ["a@b", '"a@b"@x.y'],
    ["a>b", '"a>b"@x.y'],
    ["Joe,Smith", '"Joe,Smith"@x.y'],
  ];
  for (const [localPart, expected] of printed) {
    assert.equal(printMailbox({ localPart: localPart!, domain: "x.y" }), expected);
  }
});

Deno.test("a local-part is measured as it will be written too (788-Z1)", () => {
  // A backslash outside of quotes is one octet, the quotes that replace it are two.
  const fits = `<${"l".repeat(61)}\\ @x.y>`;
  const { mailbox } = whole(readForwardPath, fits);
  assert.equal(printPath(mailbox), `<"${"l".repeat(61)} "@x.y>`);
  assert.deepEqual(whole(readForwardPath, printPath(mailbox)).mailbox, mailbox);
  for (const text of [`<${"l".repeat(62)}\\ @x.y>`, `<${'\\"'.repeat(32)}@x.y>`]) {
    assert.throws(() => whole(readForwardPath, text), new PathError("local-part too long"));
  }
});
