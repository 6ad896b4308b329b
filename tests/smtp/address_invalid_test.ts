/** Every path that is none is refused, in words that say why (RFC 5321 4.1.2, 4.1.3; RFC 788 4.1.2). */

import assert from "node:assert/strict";
import { PathError, readForwardPath, readReversePath } from "../../src/smtp/address.ts";
import { Cursor } from "../../src/smtp/cursor.ts";

const BRACKETS = "the path must stand in < and >";
const UNENDED = "the path does not end in >";
const TOO_LONG = "path too long";
const ROUTE = "the source route lacks its mailbox";
const LOCAL_PART = "bad local-part";
const LOCAL_PART_TOO_LONG = "local-part too long";
const UNENDED_QUOTES = "the quoted local-part does not end";
const BACKSLASH = "nothing follows the backslash";
const NO_DOMAIN = "the address lacks its domain";
const DOMAIN = "bad domain";
const LITERAL = "bad address literal";
const UNENDED_LITERAL = "the address literal does not end in ]";

const LABEL = "d".repeat(63);

const ROWS: readonly (readonly [path: string, why: string])[] = [
  // Brackets (788-X7, BUG-19).
  ["", BRACKETS],
  ["a@b", BRACKETS],
  ["postmaster", BRACKETS],
  ["a@b>", BRACKETS],
  [" <a@b>", BRACKETS],
  ["[a@b]", BRACKETS],
  ['"<a@b>"', BRACKETS],
  ["<a@b", UNENDED],
  ["<a@b.c", UNENDED],
  ["<a@[1.2.3.4]", UNENDED],
  ["<a@b >", UNENDED],
  ["<a@b\t>", UNENDED],
  ["<a@b<c>", UNENDED],
  ["<a@b@c>", UNENDED],
  ["<a@b,c@d>", UNENDED],
  ["<a@b;c>", UNENDED],
  ["<a@b:25>", UNENDED],
  ["<a@b(comment)>", UNENDED],
  ["<", LOCAL_PART],
  ["<<a@b>>", LOCAL_PART],
  // Local-parts (53-19, 788-X13).
  ["<@>", DOMAIN],
  ["< a@b>", LOCAL_PART],
  ["< >", LOCAL_PART],
  ["<.@b>", LOCAL_PART],
  ["<.a@b>", LOCAL_PART],
  ["<a.@b>", LOCAL_PART],
  ["<a..b@b>", LOCAL_PART],
  ["<../x@b>", LOCAL_PART],
  ["<[a]@b>", LOCAL_PART],
  ["<(a)@b>", LOCAL_PART],
  ["<,@b>", LOCAL_PART],
  [":a@b", BRACKETS],
  ["<:a@b>", LOCAL_PART],
  ["<\xe9@b>", LOCAL_PART],
  ["<\x00@b>", LOCAL_PART],
  ["<a.\xffb@c>", LOCAL_PART],
  ["<a b@c>", NO_DOMAIN],
  ["<a,b@c>", NO_DOMAIN],
  ["<a\x00b@c>", NO_DOMAIN],
  ["<a\tb@c>", NO_DOMAIN],
  ["<a\r\nb@c>", NO_DOMAIN],
  ["<a\x7f@c>", NO_DOMAIN],
  ['<a"b"@c>', NO_DOMAIN],
  ['<"a"b@c>', NO_DOMAIN],
  ['<"a"."b"@c>', NO_DOMAIN],
  ["<a[b]@c>", NO_DOMAIN],
  // Quotes and backslashes (BUG-14).
  ['<"a@b>', UNENDED_QUOTES],
  ['<"@b>', UNENDED_QUOTES],
  ['<"', UNENDED_QUOTES],
  ['<"a\\"@b>', UNENDED_QUOTES],
  ['<"a\tb"@c>', UNENDED_QUOTES],
  ['<"a\x00b"@c>', UNENDED_QUOTES],
  ['<"a\xe9"@c>', UNENDED_QUOTES],
  ['<"a\r\nb"@c>', UNENDED_QUOTES],
  ["<a\\", BACKSLASH],
  ['<"a\\', BACKSLASH],
  ["<a\\\tb@c>", BACKSLASH],
  ["<\\\x07@c>", BACKSLASH],
  ['<"\\\xe9"@c>', BACKSLASH],
  ["<a\\>", NO_DOMAIN],
  // No domain (788-X7).
  ["<jones>", NO_DOMAIN],
  ['<"a b">', NO_DOMAIN],
  ["<postmaste>", NO_DOMAIN],
  ["<postmaster2>", NO_DOMAIN],
  ["<a", NO_DOMAIN],
  ["<@a:postmaster>", NO_DOMAIN],
  // Domains (53-18, 53-33).
  ["<a@>", DOMAIN],
  ["<a@", DOMAIN],
  ["<a@ b>", DOMAIN],
  ["<a@.>", DOMAIN],
  ["<a@.b>", DOMAIN],
  ["<a@b.>", DOMAIN],
  ["<a@b..c>", DOMAIN],
  ["<a@-b>", DOMAIN],
  ["<a@b->", DOMAIN],
  ["<a@b-.c>", DOMAIN],
  ["<a@b.-c>", DOMAIN],
  ["<a@_b>", DOMAIN],
  ["<a@b_c>", UNENDED],
  ["<a@#123>", DOMAIN],
  ["<a@\xfcber.example>", DOMAIN],
  ["<a@b\x00.c>", UNENDED],
  ['<a@"b">', DOMAIN],
  ["<a@@b>", DOMAIN],
  ["<a@*.b>", DOMAIN],
  [`<a@${LABEL}d>`, DOMAIN],
  [`<a@${LABEL}.${LABEL}.${LABEL}.${LABEL}d>`, DOMAIN],
  // Address literals (788-X9, 53-20, BUG-13).
  ["<a@[256.0.0.1]>", LITERAL],
  ["<a@[1.2.3]>", LITERAL],
  ["<a@[1.2.3.4.5]>", LITERAL],
  ["<a@[1.2.3.]>", LITERAL],
  ["<a@[1..3.4]>", LITERAL],
  ["<a@[0001.2.3.4]>", LITERAL],
  ["<a@[0x7f.0.0.1]>", LITERAL],
  ["<a@[-1.2.3.4]>", LITERAL],
  ["<a@[1.2.3.4:25]>", LITERAL],
  ["<a@[1.2.3.4/8]>", LITERAL],
  ["<a@[2130706433]>", LITERAL],
  ["<a@[]>", LITERAL],
  ["<a@[b.c]>", LITERAL],
  ["<a@[IPv6:zz]>", LITERAL],
  ["<a@[IPv6:]>", LITERAL],
  ["<a@[IPv6]>", LITERAL],
  ["<a@[IPv6::]>", LITERAL],
  ["<a@[IPv6:1.2.3.4]>", LITERAL],
  ["<a@[IPv6:1:2:3:4:5:6:7]>", LITERAL],
  ["<a@[IPv6:1:2:3:4:5:6:7:8:9]>", LITERAL],
  ["<a@[IPv6:1:2:3:4::5:6:7:8]>", LITERAL],
  ["<a@[IPv6:1::2::3]>", LITERAL],
  ["<a@[IPv6::::]>", LITERAL],
  ["<a@[IPv6:12345::]>", LITERAL],
  ["<a@[IPv6:g::]>", LITERAL],
  ["<a@[IPv6:::1.2.3]>", LITERAL],
  ["<a@[IPv6:::1.2.3.256]>", LITERAL],
  ["<a@[IPv6:1.2.3.4::]>", LITERAL],
  ["<a@[IPv6:fe80::1%eth0]>", LITERAL],
  ["<a@[IPv6:IPv6:::1]>", LITERAL],
  ["<a@[tag:]>", LITERAL],
  ["<a@[tag-:x]>", LITERAL],
  ["<a@[t_g:x]>", LITERAL],
  ["<a@[:x]>", LITERAL],
  ["<a@[1.2.3.4>", UNENDED_LITERAL],
  ["<a@[", UNENDED_LITERAL],
  ["<a@[1.2.3.4 ]>", UNENDED_LITERAL],
  ["<a@[t:[]>", UNENDED_LITERAL],
  ["<a@[t:\\]]>", UNENDED_LITERAL],
  ["<a@[t:\xe9]>", UNENDED_LITERAL],
  ["<a@[1.2.3.4].b>", UNENDED],
  ["<a@b.[1.2.3.4]>", DOMAIN],
  // Source routes (RFC 5321 appendix C).
  ["<@a>", ROUTE],
  ["<@a,@b>", ROUTE],
  ["<@a@b>", ROUTE],
  ["<@a c@d>", ROUTE],
  ["<@a;b@c>", ROUTE],
  ["<@a:>", LOCAL_PART],
  ["<@a,>", LOCAL_PART],
  ["<@a,,b@c>", LOCAL_PART],
  ["<@a::b@c>", LOCAL_PART],
  ["<@a:@b:c@d>", LOCAL_PART],
  ["<@a, @b:c@d>", LOCAL_PART],
  ["<@:b@c>", DOMAIN],
  ["<@_:b@c>", DOMAIN],
  ["<@[1.2.3]:b@c>", LITERAL],
  ["<@a,b:c@d>", NO_DOMAIN],
  // One over the limits (788-Z1, 788-Z3; 788-Z2 is a label's and a path's affair before its own).
  [`<${"l".repeat(65)}@x.y>`, LOCAL_PART_TOO_LONG],
  [`<"${"q".repeat(63)}"@x.y>`, LOCAL_PART_TOO_LONG],
  [`<${"\\q".repeat(33)}@x.y>`, LOCAL_PART_TOO_LONG],
  [`<${"l".repeat(100_000)}@x.y>`, LOCAL_PART_TOO_LONG],
  [`<a@${LABEL}.${LABEL}.${LABEL}.${"d".repeat(61)}>`, TOO_LONG],
  [`<a@${LABEL}.${LABEL}.${LABEL}.${LABEL}>`, TOO_LONG],
  [`<@${LABEL}:a@${LABEL}.${LABEL}.${"d".repeat(60)}>`, TOO_LONG],
  [`<a@[t:${"z".repeat(249)}]>`, TOO_LONG],
];

for (const [text, why] of ROWS) {
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 50)}…` : text);
  Deno.test(`no path: ${shown}, ${text.length} octets: ${why}`, () => {
    for (const read of [readForwardPath, readReversePath]) {
      assert.throws(() => read(new Cursor(text)), (error) => {
        assert.ok(error instanceof PathError);
        assert.equal(error.message, why);
        return true;
      });
    }
  });
}

Deno.test("the table holds at least 80 paths that are none, each once", () => {
  assert.ok(ROWS.length >= 80, `${ROWS.length}`);
  assert.equal(new Set(ROWS.map(([text]) => text)).size, ROWS.length);
});

Deno.test("<> is no forward-path (788-X8)", () => {
  assert.throws(() => readForwardPath(new Cursor("<>")), new PathError(LOCAL_PART));
});

Deno.test("<Postmaster> is no reverse-path (RFC 5321 4.1.1.2)", () => {
  assert.throws(() => readReversePath(new Cursor("<Postmaster>")), new PathError(NO_DOMAIN));
});
