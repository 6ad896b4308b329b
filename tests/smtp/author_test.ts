/** Who a From field names is read as every reader reads it, or not at all (RFC 5322 3.4). */

import assert from "node:assert/strict";
import { printMailbox } from "../../src/smtp/address.ts";
import { AuthorError, parseAuthors } from "../../src/smtp/author.ts";
import { Random } from "../support/random.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const read = (body: string) => parseAuthors(bytes(body)).map(printMailbox);

const READABLE: readonly (readonly [body: string, ...authors: string[]])[] = [
  // One address, RFC 5322 3.4 and A.1.
  ["me@example.com", "me@example.com"],
  [" me@example.com", "me@example.com"],
  ["\t me@example.com \t", "me@example.com"],
  ["<me@example.com>", "me@example.com"],
  [" <me@example.com> ", "me@example.com"],
  ["Me <me@example.com>", "me@example.com"],
  ["Me<me@example.com>", "me@example.com"],
  ["My Own Name <me@example.com>", "me@example.com"],
  ['"My Own, Name" <me@example.com>', "me@example.com"],
  ['"My"Own"Name"<me@example.com>', "me@example.com"],
  ['"" <me@example.com>', "me@example.com"],
  ["J. R. Hacker <me@example.com>", "me@example.com"],
  ["J.R. <me@example.com>", "me@example.com"],
  ["Dr . Who <me@example.com>", "me@example.com"],
  ["O'Brien <me@example.com>", "me@example.com"],
  ["Me <me.and.you+tag@mail.example.com>", "me.and.you+tag@mail.example.com"],
  ["ME@EXAMPLE.Com", "ME@EXAMPLE.Com"],
  ["me@example", "me@example"],
  ["!#$%&'*+-/?=^_`{|}~@example.com", "!#$%&'*+-/?=^_`{|}~@example.com"],
  ["boss%example.net@example.com", "boss%example.net@example.com"],
  ["example.net!boss@example.com", "example.net!boss@example.com"],
  // A name is nobody's address, whatever it says in quotes.
  ['"boss@example.com" <me@example.com>', "me@example.com"],
  ['"Boss <boss@example.com>" <me@example.com>', "me@example.com"],
  ['"Boss\\" <boss@example.com>, \\"" <me@example.com>', "me@example.com"],
  ['"a\\\\" <me@example.com>', "me@example.com"],
  ['"\\<" <me@example.com>', "me@example.com"],
  // Encoded-words are atoms (RFC 2047 5), and stay undecoded.
  ["=?utf-8?q?Boss?= <me@example.com>", "me@example.com"],
  ["=?utf-8?q?J=C3=B6rg=2C_the_boss?= =?utf-8?b?Qm9zcw==?= <me@example.com>", "me@example.com"],
  ["=?iso-2022-jp?B?GyRCOzNFRBsoQg==?= <me@example.com>", "me@example.com"],
  ["=?utf-8?q?half <me@example.com>", "me@example.com"],
  // Octets above 127 in names, in whatever character set.
  ["J\xc3\xb6rg M\xfcller <me@example.com>", "me@example.com"],
  ['"J\xc3\xb6rg" <me@example.com>', "me@example.com"],
  ['"\\\xff\x80\x9f" <me@example.com>', "me@example.com"],
  ["me@example.com (J\xf6rg)", "me@example.com"],
  ["\x80\xff <me@example.com>", "me@example.com"],
  // U+FF20, a wide @.
  ["boss\xef\xbc\xa0example.com <me@example.com>", "me@example.com"],
  // Comments.
  ["me@example.com (Me)", "me@example.com"],
  ["(Me) me@example.com", "me@example.com"],
  ["(Me)<me@example.com>(Me)", "me@example.com"],
  ["(a)(b) (c) My (d) Name(e)<me@example.com> (f) (g)", "me@example.com"],
  ["me@example.com(boss@example.com)", "me@example.com"],
  ["me@example.com (a (b (c) (d)) e)", "me@example.com"],
  ["me@example.com (\\) , boss@example.com \\()", "me@example.com"],
  ['me@example.com (")', "me@example.com"],
  ['"(" <me@example.com> (")', "me@example.com"],
  ["()me@example.com()", "me@example.com"],
  [`me@example.com ${"(".repeat(16)}${")".repeat(16)}`, "me@example.com"],
  // Folding, anywhere between words and within quotes.
  ["\r\n me@example.com", "me@example.com"],
  ["\r\n\tMe\r\n <me@example.com>\r\n (x\r\n y)", "me@example.com"],
  ['"My\r\n Name" <me@example.com>', "me@example.com"],
  ["Me <\r\n me@example.com\r\n >", "me@example.com"],
  ["Me < me@example.com >", "me@example.com"],
  [" \r\n \r\n\t\r\n me@example.com", "me@example.com"],
  // Quoted local-parts are what is in them.
  ['"me"@example.com', "me@example.com"],
  ['"m\\e"@example.com', "me@example.com"],
  ['Me <"me"@example.com>', "me@example.com"],
  ['"m e"@example.com', '"m e"@example.com'],
  ['"boss@example.com"@example.net', '"boss@example.com"@example.net'],
  ['"me@example.com>, <boss"@example.com', '"me@example.com>, <boss"@example.com'],
  ['"m(x)e"@example.com', '"m(x)e"@example.com'],
  ['"\\"me\\""@example.com', '"\\"me\\""@example.com'],
  ['""@example.com', '""@example.com'],
  // Address literals in one form.
  ["me@[192.0.2.1]", "me@[192.0.2.1]"],
  ["<me@[IPv6:2001:DB8:0::1]>", "me@[IPv6:2001:db8::1]"],
  // All of several.
  ["a@b.example, c@d.example", "a@b.example", "c@d.example"],
  ["A <a@b.example>,C<c@d.example>", "a@b.example", "c@d.example"],
  ["a@b.example (x, y@z.example),\r\n <c@d.example>", "a@b.example", "c@d.example"],
  ['a@b.example , "x, y" <c@d.example> , e@f.example', "a@b.example", "c@d.example", "e@f.example"],
  ["<me@example.com>, boss@example.com", "me@example.com", "boss@example.com"],
  ["me@example.com, me@example.com", "me@example.com", "me@example.com"],
];

for (const [body, ...authors] of READABLE) {
  Deno.test(`author: ${JSON.stringify(body)}`, () => assert.deepEqual(read(body), authors));
}

const MISSING = "an address is missing";
const BEHIND = "something stands behind an address";
const AT_IN_NAME = "an @ in a name must stand in quotes";
const GROUP = "a group cannot be an author";
const SPECIAL = "a special character must stand in quotes";
const ALONE = "between < and > one address must stand alone";
const BRACKET = "the address does not end in >";
const ASCII_ONLY = "an address is ASCII only";
const ENCODED = "an address is not encoded";
const QUOTES = "a quoted string does not end";
const COMMENT = "a comment does not end";
const CONTROL = "a control character";
const HIDDEN = "an encoded name holds an @";
const BESIDE = "an @ stands in a name with encoded words";
const LOCAL_PART = "bad local-part";
const DOMAIN = "bad domain";
const LITERAL = "bad address literal";
const UNENDED_LITERAL = "the address literal does not end in ]";

const UNREADABLE: readonly (readonly [body: string, why: string])[] = [
  // No address.
  ["", MISSING],
  [" \t", MISSING],
  ["\r\n ", MISSING],
  ["(me@example.com)", MISSING],
  ['"me@example.com"', MISSING],
  ["me", MISSING],
  ["Me (me@example.com)", MISSING],
  ["=?utf-8?b?bWVAZXhhbXBsZS5jb20=?=", HIDDEN],
  ["<>", ALONE],
  ["Me <>", ALONE],
  ["Me <me>", ALONE],
  ["@example.com", SPECIAL],
  ["<@example.com>", ALONE],
  ["me@", DOMAIN],
  ["<me@>", DOMAIN],
  // Empty places in a list (obs-mbox-list).
  [",", MISSING],
  [",me@example.com", MISSING],
  ["me@example.com,", MISSING],
  ["me@example.com,,boss@example.com", MISSING],
  ["me@example.com, ()", MISSING],
  // An @ or a special character in a bare name.
  ["boss@example.com <me@example.com>", BEHIND],
  ["Boss boss@example.com <me@example.com>", AT_IN_NAME],
  ["Boss boss@example.com", AT_IN_NAME],
  ['"Boss" boss@example.com', AT_IN_NAME],
  ["=?utf-8?q?boss@example.com?= <me@example.com>", HIDDEN],
  ["Boss @ Home <me@example.com>", SPECIAL],
  ["[Boss] <me@example.com>", SPECIAL],
  ["Boss \\<boss@example.com\\> <me@example.com>", SPECIAL],
  ["Boss) <me@example.com>", SPECIAL],
  ["Boss; <me@example.com>", SPECIAL],
  [". <me@example.com>", SPECIAL],
  ["> <me@example.com>", SPECIAL],
  ["Boss, Big <me@example.com>", MISSING],
  // Two addresses that look like one, and rubbish.
  ["me@example.com boss@example.com", BEHIND],
  ["me@example.com <boss@example.com>", BEHIND],
  ["<me@example.com><boss@example.com>", BEHIND],
  ["<me@example.com> boss@example.com", BEHIND],
  ["<me@example.com> Boss", BEHIND],
  ["<me@example.com>; boss@example.com", BEHIND],
  ["me@example.com; boss@example.com", BEHIND],
  ["me@example.com@example.net", BEHIND],
  ["me@example.com>", BEHIND],
  ["me@example.com\\, boss@example.com", BEHIND],
  ["me@example.com:25", BEHIND],
  ['me@example.com"x"', BEHIND],
  ["me@example.com_x", BEHIND],
  ["<me@example.com, boss@example.com>", BRACKET],
  ["<me@example.com boss@example.com>", BRACKET],
  ["<me@example.com@example.net>", BRACKET],
  ["Me <me@example.com", BRACKET],
  ["Me <me@example.com (>)", BRACKET],
  ["<<me@example.com>>", ALONE],
  ["< <me@example.com> >", ALONE],
  ["<Boss <me@example.com>>", ALONE],
  // Source routes (obs-route).
  ["<@example.com:boss@example.net>", ALONE],
  ["<@example.com,@example.org:boss@example.net>", ALONE],
  ["Me <,@example.com:boss@example.net>", ALONE],
  // Groups (RFC 6854).
  ["Us: me@example.com;", GROUP],
  ["Us: me@example.com, boss@example.com;", GROUP],
  ["Us:;", GROUP],
  ['"Us" (x) : <me@example.com>;', GROUP],
  ["me@example.com, Us:;", GROUP],
  [":me@example.com", GROUP],
  // Comments and blanks within an address (CFWS beside the @, obs-local-part, obs-domain).
  ["me @example.com", SPECIAL],
  ["me@ example.com", DOMAIN],
  ["me(x)@example.com", SPECIAL],
  ["me@(x)example.com", DOMAIN],
  ["me\r\n @example.com", SPECIAL],
  ["me . too@example.com", AT_IN_NAME],
  ["me.(x)too@example.com", AT_IN_NAME],
  ["me@example (x) .com", BEHIND],
  ["<me (x)@example.com>", ALONE],
  ["<(boss@example.com)me@example.com>", ALONE],
  ["<me@example.com(boss@example.com)>", BRACKET],
  ["<me@exam\r\n ple.com>", BRACKET],
  // Local-parts.
  [".me@example.com", SPECIAL],
  ["<.me@example.com>", LOCAL_PART],
  ["me.@example.com", LOCAL_PART],
  ["m..e@example.com", LOCAL_PART],
  ['"m"."e"@example.com', AT_IN_NAME],
  ['m."e"@example.com', AT_IN_NAME],
  ['"m"e@example.com', AT_IN_NAME],
  ['<"m"e@example.com>', ALONE],
  ["m\\e@example.com", SPECIAL],
  ["<m\\e@example.com>", ALONE],
  ["b\xc3\xb6ss@example.com", ASCII_ONLY],
  ["<b\xf6ss@example.com>", ASCII_ONLY],
  ['"b\xf6ss"@example.com', ASCII_ONLY],
  ['"m\te"@example.com', ASCII_ONLY],
  [`${"m".repeat(65)}@example.com`, "local-part too long"],
  // Encoded-words within an address.
  ["=?utf-8?q?me?=@example.com", ENCODED],
  ["Me <=?utf-8?q?me?=@example.com>", ENCODED],
  ["me+=?utf-8?b?Qm9zcw==?=@example.com", ENCODED],
  ["=?utf-8?q?boss=40example.net=3e?=me@example.com", HIDDEN],
  ['"=?utf-8?q?me?="@example.com', ENCODED],
  // Domains.
  ["me@b\xfccher.example", BEHIND],
  ["me@\xc3\xa9.example", DOMAIN],
  ["me@example.com.", DOMAIN],
  ["me@.example.com", DOMAIN],
  ["me@example..com", DOMAIN],
  ["me@-example.com", DOMAIN],
  ["me@[192.0.2.1", UNENDED_LITERAL],
  ["me@[192.0.2.1 ]", UNENDED_LITERAL],
  ["me@[]", LITERAL],
  ["me@[192.0.2]", LITERAL],
  ["me@[192.0.2.1]x", BEHIND],
  ["me@[[192.0.2.1]]", UNENDED_LITERAL],
  ["me@[192.0.2.\\1]", UNENDED_LITERAL],
  [`me@${"d".repeat(64)}.example`, DOMAIN],
  // What does not end.
  ['"Me <me@example.com>', QUOTES],
  ['"Me\\" <me@example.com>', QUOTES],
  ['"', QUOTES],
  ['"\\', QUOTES],
  ["me@example.com (", COMMENT],
  ["me@example.com ((x)", COMMENT],
  ["me@example.com (x\\)", COMMENT],
  ["(\\", COMMENT],
  [`me@example.com ${"(".repeat(17)}${")".repeat(17)}`, "too many comments in each other"],
  // Names in which some readers find an address once they have decoded them.
  ["=?utf-8?q?=3Cboss=40example=2Enet=3E?= <me@example.com>", HIDDEN],
  ["=?utf-8*en?Q?boss=40example=2Enet=2C?= <me@example.com>", HIDDEN],
  ["=?UTF-8?B?Ym9zc0BleGFtcGxlLm5ldA==?= <me@example.com>", HIDDEN],
  ["=?x?= =?us-ascii?q?boss@example.net?= <me@example.com>", HIDDEN],
  ['"=?utf-8?q?boss=40example.net?=" <me@example.com>', HIDDEN],
  ["me@example.com (=?utf-8?q?boss=40example.net?=)", HIDDEN],
  ["=?utf-16be?b?AGIAQABj?= <me@example.com>", HIDDEN],
  // A bare octet before the @, with which it would be one character if it were taken for another.
  ["=?gbk?q?\x80=40example.net?= <me@example.com>", HIDDEN],
  [
    "=?utf-7?q?boss+AEA-example.net?= <me@example.com>",
    "an encoded word cannot be read in its character set",
  ],
  ["=?utf-8?b?A?= <me@example.com>", "an encoded word is no base64"],
  ["=?utf-8?b?YW?= =?utf-8?b?JA?= <me@example.com>", "an encoded word is no base64"],
  ["=?utf-8?b?QUJD =?utf-8?q?boss=40x.net?= <me@example.com>", "an encoded word holds another one"],
  [
    "=?utf-16be?q?=00?= =?utf-16be?q?=40?= <me@example.com>",
    "an encoded word cannot be read in its character set",
  ],
  ['"Boss =?utf-8?q?=22?= <boss@example.net>" <me@example.com>', BESIDE],
  ["(=?utf-8?q?=29?= <boss@example.net>,) me@example.com", BESIDE],
  // Control characters, and line ends that are none of folding.
  ['"\x00" <me@example.com>', CONTROL],
  ["me@example.com (\x1b)", CONTROL],
  ['"\\\x07" <me@example.com>', CONTROL],
  ['"\x7f" <me@example.com>', CONTROL],
  ['"\r\nx" <me@example.com>', CONTROL],
  ["me@example.com\r\n", BEHIND],
  ["me@example.com\x00", BEHIND],
  ["me\x00@example.com", SPECIAL],
  ["me@example.com\r boss@example.com", BEHIND],
  ["me@example.com\x0bboss@example.com", BEHIND],
];

for (const [body, why] of UNREADABLE) {
  Deno.test(`no author: ${JSON.stringify(body)}`, () => {
    assert.throws(() => read(body), new AuthorError(why));
  });
}

Deno.test("every reason is fit for a reply", () => {
  for (const [, why] of UNREADABLE) assert.match(why, /^[ -~]{1,60}$/);
});

Deno.test("any body is read or refused, and no @ outside of quotes and comments is passed over", () => {
  const parts = ["me@example.com", "boss@example.net", "<", ">", '"', "\\", "(", ")", ",", ":", ";"]
    .concat([" ", "\r\n ", "@", ".", "[", "]", "Me", "\xf6", '"x@y"', "(x@y)", "<me@example.com>"]);
  const random = new Random(1);
  let accepted = 0;
  for (let round = 0; round < 30_000; round++) {
    const body = Array.from({ length: random.between(1, 7) }, () => random.pick(parts)).join("");
    const authors = authorsOf(body);
    if (!authors) continue;
    accepted++;
    const bare = withoutQuotesAndComments(body);
    assert.equal(bare.split("@").length - 1, authors.length, JSON.stringify(body));
    for (const author of authors) assert.ok(body.includes(author), JSON.stringify(body));
  }
  assert.ok(accepted > 500, `${accepted} accepted`);
});

function authorsOf(body: string): string[] | undefined {
  try {
    const authors = read(body);
    // Quoted local-parts have an @ of their own.
    return authors.some((author) => author.startsWith('"')) ? undefined : authors;
  } catch (error) {
    assert.ok(error instanceof AuthorError, `${error}`);
    return undefined;
  }
}

/** What is left of a body when its quoted strings and comments are taken out, innermost first. */
function withoutQuotesAndComments(body: string): string {
  let left = body.replace(/\\[^]/g, "_");
  for (;;) {
    // A quote within a comment and a parenthesis within quotes count for nothing.
    const next = /["(]/.exec(left);
    if (!next) return left;
    const start = next.index;
    let end = left.indexOf('"', start + 1) + 1;
    if (next[0] === "(") {
      end = start;
      let depth = 0;
      do depth += { "(": 1, ")": -1 }[left[end++]!] ?? 0; while (depth > 0);
    }
    left = left.slice(0, start) + left.slice(end);
  }
}

Deno.test("the longest body is read or refused in one go", () => {
  const longest = 256 * 1024;
  const fill = (part: string) => part.repeat(longest / part.length);
  const refused = [
    "(",
    ")",
    "<",
    ",",
    "@",
    ":",
    "\\",
    ".",
    " ",
    "\r\n ",
    "a",
    "a@",
    "[",
    "()",
    "a ",
  ]
    .concat([
      '"',
      '"a"',
      '"a" ',
      "(\\",
      "(a)",
      "a.",
      "=?utf-8?q?a?= ",
      "\xff",
      "a@[",
      "a@b (",
      "\r\n",
    ]);
  for (const part of refused) assert.throws(() => read(fill(part)), AuthorError, part);
  assert.throws(() => read(`${fill("a")}@example.com`), AuthorError);
  assert.throws(() => read(`"${fill("\\a")}"@example.com`), AuthorError);
  assert.throws(() => read(`me@${fill("a.")}`), AuthorError);
  for (const part of ["a", "a ", "a.", '"a"', "(a)", "((a))", "\r\n ", "=?utf-8?q?a?= ", "\xff"]) {
    assert.deepEqual(read(`a${fill(part)} <me@example.com>`), ["me@example.com"], part);
  }
  assert.equal(read(`${fill("me@example.com,")}me@example.com`).length, 17_477);
});
