/** Nobody who is logged in writes as somebody else, however it is spelled (RFC 6409 6.3, 8). */

import assert from "node:assert/strict";
import { type Mailbox, mailboxKey, parseMailbox } from "../../src/smtp/address.ts";
import { replyText } from "../../src/smtp/reply.ts";
import { SubmittedText } from "../../src/smtp/submitted_text.ts";
import { Random } from "../support/random.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const text = (octets: Uint8Array) => new TextDecoder("latin1").decode(octets);

const OWN = new Set([
  "me@example.com",
  "me@mail.example.com",
  "me+tag@example.com",
  '"m e"@example.com',
  "me@[192.0.2.1]",
]);
const isOwn = (mailbox: Mailbox) => OWN.has(mailboxKey(mailbox));

const ME = parseMailbox("me@example.com");
const TIME = Date.UTC(2026, 10, 22, 15, 4, 5);

const DATE = "Date: Sun, 22 Nov 2026 15:04:05 +0000\r\n";
const ID = "Message-ID: <1m828dtfh00fgn1@mail.example.com>\r\n";
const FROM = "From: me@example.com\r\n";

function submitted(reversePath: Mailbox | null): SubmittedText {
  const messageId = "1m828dtfh00fgn1@mail.example.com";
  return new SubmittedText({ reversePath, isOwn, time: TIME, messageId });
}

/** The reply that refuses a text, or what is stored. */
function submit(pieces: readonly Uint8Array[], reversePath: Mailbox | null): string {
  const submission = submitted(reversePath);
  const stored: Uint8Array[] = [];
  for (const piece of pieces) {
    // A reader's buffer is used again for the next piece; what was handed out is written by then.
    const buffer = piece.slice();
    stored.push(submission.feed(buffer).slice());
    buffer.fill(88);
    if (submission.refusal) assert.equal(stored.at(-1)!.length, 0, "nothing once it is refused");
  }
  stored.push(submission.end());
  if (!submission.refusal) return stored.map(text).join("");
  assert.equal(stored.at(-1)!.length, 0, "nothing once it is refused");
  return replyText(submission.refusal);
}

function pieces(content: Uint8Array, next: () => number): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let at = 0; at < content.length;) {
    const length = next();
    all.push(content.subarray(at, at + length));
    at += length;
  }
  return all;
}

/** Submits it whole, byte by byte and in random pieces, and wants the same each time. */
function submitAllWays(content: string, reversePath: Mailbox | null = ME): string {
  const whole = bytes(content);
  const outcome = submit([whole], reversePath);
  const isLong = content.length > 20_000;
  if (!isLong) assert.equal(submit(pieces(whole, () => 1), reversePath), outcome, "byte by byte");
  const random = new Random(content.length);
  for (let round = 0; round < 10; round++) {
    const split = pieces(whole, () => random.between(0, isLong ? 9000 : 40));
    assert.equal(submit(split, reversePath), outcome, `round ${round}`);
  }
  return outcome;
}

const GOOD = `${DATE}${ID}`;

/** What is put on top of a text. */
const PASSED: readonly (readonly [what: string, content: string, top: string])[] = [
  ["a whole header", `${GOOD}${FROM}\r\nbody\r\n`, ""],
  ["a header alone", `${GOOD}${FROM}`, ""],
  ["a header without its last line end", `${GOOD}From: me@example.com`, ""],
  ["an empty body", `${GOOD}${FROM}\r\n`, ""],
  // What is missing.
  ["no Date", `${ID}${FROM}\r\n`, DATE],
  ["no Message-ID", `${FROM}${DATE}\r\n`, ID],
  ["no From", `${ID}Subject: x\r\n${DATE}\r\nbody\r\n`, FROM],
  ["none of them", "Subject: x\r\n\r\nbody\r\n", DATE + ID + FROM],
  ["no header lines", "\r\nbody\r\n", DATE + ID + FROM],
  ["no text at all", "", DATE + ID + FROM],
  ["an empty line alone", "\r\n", DATE + ID + FROM],
  ["fields of the body do not count", `Subject: x\r\n\r\n${GOOD}${FROM}`, DATE + ID + FROM],
  [
    "fields of other names",
    "X-Date: x\r\nMessage-IDs: <x@y>\r\nFroms: x\r\n\r\n",
    DATE + ID + FROM,
  ],
  ["Sender is no From", "Sender: me@example.com\r\n\r\n", DATE + ID + FROM],
  ["Resent-From is no From", "Resent-From: me@example.com\r\n\r\n", DATE + ID + FROM],
  ["Resent-Date is no Date", `Resent-Date: x\r\n${ID}${FROM}\r\n`, DATE],
  ["names in whatever case", "dATE: x\r\nMESSAGE-id: <x@y>\r\nfrom: me@example.com\r\n\r\n", ""],
  ["empty Date and Message-ID are theirs to answer for", `Date:\r\nMessage-ID:\r\n${FROM}\r\n`, ""],
  // No header: the first line is no field.
  ["a body alone", "Hello there\r\nFrom: boss@example.com\r\n", `${DATE}${ID}${FROM}\r\n`],
  ["one word", "Hello\r\n", `${DATE}${ID}${FROM}\r\n`],
  ["one word without line end", "Hello", `${DATE}${ID}${FROM}\r\n`],
  ["one word and a blank", "Hello ", `${DATE}${ID}${FROM}\r\n`],
  ["a blank first", " Hello: x\r\n\r\n", `${DATE}${ID}${FROM}\r\n`],
  ["From behind a blank", " From: boss@example.com\r\n\r\n", `${DATE}${ID}${FROM}\r\n`],
  ["From behind a tab", "\tFrom: boss@example.com\r\n\r\n", `${DATE}${ID}${FROM}\r\n`],
  ["a colon first", ": x\r\nFrom: boss@example.com\r\n", `${DATE}${ID}${FROM}\r\n`],
  [
    "an mbox line",
    "From boss@example.com Sun Nov 22 15:04:05 2026\r\nFrom: boss@example.com\r\n\r\n",
    `${DATE}${ID}${FROM}\r\n`,
  ],
  ["an odd blank in the name", "From\xa0: boss@example.com\r\n\r\n", `${DATE}${ID}${FROM}\r\n`],
  ["a byte order mark", "\xef\xbb\xbfFrom: boss@example.com\r\n", `${DATE}${ID}${FROM}\r\n`],
  ["a NUL in the first name", "Fro\x00m: boss@example.com\r\n", `${DATE}${ID}${FROM}\r\n`],
  ["the name and colon on two lines", "From\r\n : boss@example.com\r\n", `${DATE}${ID}${FROM}\r\n`],
  ["8-bit text", "\xc3\xa9t\xe9\r\n", `${DATE}${ID}${FROM}\r\n`],
  [
    "a long body without an empty line",
    "one line of many\r\n".repeat(20_000),
    `${DATE}${ID}${FROM}\r\n`,
  ],
  // Own addresses.
  ["a name", `${GOOD}From: Me <me@example.com>\r\n\r\n`, ""],
  ["the domain in another case", `${GOOD}From: <me@EXAMPLE.com>\r\n\r\n`, ""],
  ["another address of one's own", `${GOOD}From: me@mail.example.com\r\n\r\n`, ""],
  ["name+tag", `${GOOD}From: me+tag@example.com\r\n\r\n`, ""],
  ["a quoted local-part", `${GOOD}From: "m e"@example.com\r\n\r\n`, ""],
  ["quotes without need", `${GOOD}From: "me"@example.com\r\n\r\n`, ""],
  ["an address literal", `${GOOD}From: me@[192.0.2.1]\r\n\r\n`, ""],
  ["two of one's own", `${GOOD}From: me@example.com, Me <me+tag@example.com>\r\n\r\n`, ""],
  ["folded", `${GOOD}From:\r\n Me\r\n\t<me@example.com>\r\nSubject: x\r\n\r\n`, ""],
  ["folded over a line of blanks", `${GOOD}From: Me\r\n \r\n <me@example.com>\r\n\r\n`, ""],
  ["no blank behind the colon", `${GOOD}From:me@example.com\r\n\r\n`, ""],
  ["somebody in the name", `${GOOD}From: "boss@example.com" <me@example.com>\r\n\r\n`, ""],
  ["somebody in a comment", `${GOOD}From: me@example.com (for boss@example.com)\r\n\r\n`, ""],
  ["an encoded name", `${GOOD}From: =?utf-8?q?M=C3=AA?= <me@example.com>\r\n\r\n`, ""],
  ["an 8-bit name", `${GOOD}From: M\xc3\xaa <me@example.com>\r\n\r\n`, ""],
  ["a Sender", `${GOOD}${FROM}Sender: me@mail.example.com\r\n\r\n`, ""],
  [
    "resent twice",
    `Resent-From: me@example.com\r\nResent-Sender: me@example.com\r\n`.repeat(2) +
    `${GOOD}${FROM}\r\n`,
    "",
  ],
  // Fields that say nothing of the author, and text that is no header.
  ["Reply-To", `${GOOD}${FROM}Reply-To: boss@example.com\r\nTo: boss@example.com\r\n\r\n`, ""],
  ["names that begin alike", `${GOOD}${FROM}From-X: boss@example.com\r\nFro: x\r\n\r\n`, ""],
  ["a From inside a field", `${GOOD}${FROM}Subject: From: boss@example.com\r\n\r\n`, ""],
  ["a From in a folded line", `${GOOD}${FROM}Subject: x\r\n From: boss@example.com\r\n\r\n`, ""],
  ["a From in the body", `${GOOD}${FROM}\r\nFrom: boss@example.com\r\n`, ""],
  ["anything in the body", `${GOOD}${FROM}\r\n\x00\x07\xff no field\r\n \r\n\r\n.\r\n`, ""],
  ["a tab in the header", `${GOOD}${FROM}Subject:\tx\ty\r\n\r\n`, ""],
  ["every octet of a name", `${GOOD}${FROM}!#$%&'*+-./;<=>?@[\\]^_\`{|}~"(),: x\r\n\r\n`, ""],
  ["a long body", `${GOOD}${FROM}\r\n${"x".repeat(70)}\r\n`.repeat(2_000), ""],
  ["the longest header", header(256 * 1024), ""],
];

/** A good header of this many octets, its empty line included. */
function header(length: number): string {
  const start = `${GOOD}${FROM}Subject: `;
  return `${start}${"x".repeat(length - start.length - 4)}\r\n\r\n`;
}

for (const [what, content, top] of PASSED) {
  Deno.test(`submitted: ${what}`, () => {
    const outcome = submitAllWays(content);
    // Short of a diff of megabytes.
    if (outcome !== top + content) {
      assert.equal(outcome.slice(0, 2000), top + content.slice(0, 2000));
    }
    assert.ok(outcome === top + content, "and the rest as it came");
  });
}

const NOT_YOURS = (field: string) =>
  `550 5.7.1 The ${field} field may hold addresses of your own only`;
const UNREADABLE = (field: string) => `550 5.7.1 The ${field} field cannot be read, `;
const REPEATED = (field: string) => `550 5.7.1 There may be one ${field} field only`;
const NO_FIELD = "554 5.6.0 Bad header, a line in it is no field";
const CONTROL = "554 5.6.0 Bad header, a control character";
const TOO_LARGE = "554 5.6.0 Header too large";

/** Fields with which somebody else might be the author, each in a header that is good otherwise. */
const REFUSED: readonly (readonly [what: string, fields: string, reply: string])[] = [
  // Somebody else.
  ["another user", "From: boss@example.com\r\n", NOT_YOURS("From")],
  ["in brackets", "From: Me <boss@example.com>\r\n", NOT_YOURS("From")],
  ["another domain", "From: me@example.net\r\n", NOT_YOURS("From")],
  ["a domain above", "From: me@com\r\n", NOT_YOURS("From")],
  ["a domain below", "From: me@x.example.com\r\n", NOT_YOURS("From")],
  ["a domain that goes on", "From: me@example.com.example.net\r\n", NOT_YOURS("From")],
  ["another tag", "From: me+other@example.com\r\n", NOT_YOURS("From")],
  ["the percent hack", "From: boss%example.net@example.com\r\n", NOT_YOURS("From")],
  ["a bang path", "From: example.net!boss@example.com\r\n", NOT_YOURS("From")],
  ["an address literal", "From: me@[192.0.2.2]\r\n", NOT_YOURS("From")],
  ["the literal's address as a name", "From: me@192.0.2.1\r\n", NOT_YOURS("From")],
  ["a quoted local-part", 'From: "boss"@example.com\r\n', NOT_YOURS("From")],
  ["quoted pairs", 'From: "b\\o\\s\\s"@example.com\r\n', NOT_YOURS("From")],
  ["an address within a local-part", 'From: "me@example.com"@example.net\r\n', NOT_YOURS("From")],
  ["brackets within one", 'From: "me@example.com> <boss"@example.com\r\n', NOT_YOURS("From")],
  ["own name, other address", 'From: "me@example.com" <boss@example.com>\r\n', NOT_YOURS("From")],
  ["own comment", "From: boss@example.com (me@example.com)\r\n", NOT_YOURS("From")],
  ["own comment first", "From: (me@example.com) boss@example.com\r\n", NOT_YOURS("From")],
  ["quotes that end early", 'From: "\\\\" <boss@example.com>\r\n', NOT_YOURS("From")],
  ["a comment that ends early", "From: (\\\\) <boss@example.com>\r\n", NOT_YOURS("From")],
  // Spellings of the name.
  ["in capitals", "FROM: boss@example.com\r\n", NOT_YOURS("From")],
  ["in small letters", "from: boss@example.com\r\n", NOT_YOURS("From")],
  ["in any case", "fRoM: boss@example.com\r\n", NOT_YOURS("From")],
  ["a blank before the colon", "From : boss@example.com\r\n", NO_FIELD],
  ["a tab before the colon", "From\t: boss@example.com\r\n", NO_FIELD],
  ["many blanks there", `From${" ".repeat(2000)}: boss@example.com\r\n`, NO_FIELD],
  ["no blank at all", "From:boss@example.com\r\n", NOT_YOURS("From")],
  ["folded at once", "From:\r\n boss@example.com\r\n", NOT_YOURS("From")],
  ["folded twice", "From:\r\n \r\n\tboss@example.com\r\n", NOT_YOURS("From")],
  ["far down", `${"X: y\r\n".repeat(5000)}From: boss@example.com\r\n`, NOT_YOURS("From")],
  // Several.
  ["two addresses", "From: me@example.com, boss@example.com\r\n", NOT_YOURS("From")],
  ["the other one first", "From: boss@example.com, me@example.com\r\n", NOT_YOURS("From")],
  ["on two lines", "From: me@example.com,\r\n boss@example.com\r\n", NOT_YOURS("From")],
  [
    "over a line of blanks",
    "From: me@example.com,\r\n \r\n boss@example.com\r\n",
    NOT_YOURS("From"),
  ],
  ["the last of many", `From: ${"me@example.com, ".repeat(500)}a@b\r\n`, NOT_YOURS("From")],
  ["two fields", `${FROM}From: boss@example.com\r\n`, REPEATED("From")],
  ["two that are the same", FROM + FROM, REPEATED("From")],
  ["two apart", `${FROM}Subject: x\r\nfrom: me@example.com\r\n`, REPEATED("From")],
  // Bodies that some read one way and some another.
  ["an empty field", "From:\r\n", UNREADABLE("From")],
  ["blanks alone", "From: \r\n \r\n", UNREADABLE("From")],
  ["no domain", "From: me\r\n", UNREADABLE("From")],
  ["an empty address", "From: Me <>\r\n", UNREADABLE("From")],
  ["a group", "From: Us: me@example.com;\r\n", UNREADABLE("From")],
  ["an empty group", "From: Us:;\r\n", UNREADABLE("From")],
  ["a group of others", "From: Us: me@example.com, boss@example.com;\r\n", UNREADABLE("From")],
  ["a source route", "From: <@example.net:me@example.com>\r\n", UNREADABLE("From")],
  ["a long route", "From: <@boss.example,@b:me@example.com>\r\n", UNREADABLE("From")],
  ["two in brackets", "From: <me@example.com><boss@example.com>\r\n", UNREADABLE("From")],
  ["one in brackets, one not", "From: boss@example.com <me@example.com>\r\n", UNREADABLE("From")],
  ["one not, one in brackets", "From: <me@example.com> boss@example.com\r\n", UNREADABLE("From")],
  ["two with a blank", "From: me@example.com boss@example.com\r\n", UNREADABLE("From")],
  ["a semicolon between", "From: me@example.com; boss@example.com\r\n", UNREADABLE("From")],
  ["an escaped comma", "From: me@example.com\\, boss@example.com\r\n", UNREADABLE("From")],
  ["an empty place", "From: ,me@example.com\r\n", UNREADABLE("From")],
  ["two at signs", "From: boss@example.com@example.com\r\n", UNREADABLE("From")],
  ["a bare @ in the name", "From: Boss boss@example.com <me@example.com>\r\n", UNREADABLE("From")],
  ["one encoded", "From: =?utf-8?q?boss@x.example?= <me@example.com>\r\n", UNREADABLE("From")],
  ["an encoded local-part", "From: =?utf-8?q?me?=@example.com\r\n", UNREADABLE("From")],
  ["all encoded", "From: =?utf-8?b?bWVAZXhhbXBsZS5jb20=?=\r\n", UNREADABLE("From")],
  ["brackets that stay open", "From: Me <me@example.com\r\n", UNREADABLE("From")],
  ["brackets that were never opened", "From: me@example.com>\r\n", UNREADABLE("From")],
  ["brackets in brackets", "From: <boss@example.com <me@example.com>>\r\n", UNREADABLE("From")],
  ["quotes that stay open", 'From: "Me <me@example.com>\r\n', UNREADABLE("From")],
  ["a comment that stays open", "From: me@example.com (\r\n", UNREADABLE("From")],
  ["a comment in the address", "From: boss(@)me@example.com\r\n", UNREADABLE("From")],
  ["a comment in the brackets", "From: <(boss@x.example)me@example.com>\r\n", UNREADABLE("From")],
  ["a comment behind the @", "From: me@(boss.example)example.com\r\n", UNREADABLE("From")],
  ["blanks beside the @", "From: me @ example.com\r\n", UNREADABLE("From")],
  ["an address on two lines", "From: boss.\r\n me@example.com\r\n", UNREADABLE("From")],
  ["a domain on two lines", "From: me@example.com\r\n .example.net\r\n", UNREADABLE("From")],
  ["words for a local-part", 'From: boss."me"@example.com\r\n', UNREADABLE("From")],
  ["a quoted pair in a dot-atom", "From: m\\e@example.com\r\n", UNREADABLE("From")],
  ["a period behind the domain", "From: me@example.com.\r\n", UNREADABLE("From")],
  ["a local-part above 127", "From: m\xc3\xaa@example.com\r\n", UNREADABLE("From")],
  ["a quoted one", 'From: "m\xc3\xaa"@example.com\r\n', UNREADABLE("From")],
  ["a domain above 127", "From: me@ex\xc3\xa4mple.com\r\n", UNREADABLE("From")],
  ["a wide @", "From: me\xef\xbc\xa0example.com\r\n", UNREADABLE("From")],
  ["a very long local-part", `From: ${"m".repeat(100_000)}@example.com\r\n`, UNREADABLE("From")],
  ["very many brackets", `From: ${"<".repeat(100_000)}\r\n`, UNREADABLE("From")],
  ["very many comments", `From: ${"(".repeat(100_000)}\r\n`, UNREADABLE("From")],
  // The other fields that tell who it was.
  ["Sender", `${FROM}Sender: boss@example.com\r\n`, NOT_YOURS("Sender")],
  ["Sender without From", "Sender: boss@example.com\r\n", NOT_YOURS("Sender")],
  ["Sender before From", `SENDER: boss@example.com\r\n${FROM}`, NOT_YOURS("Sender")],
  ["one of two in Sender", `${FROM}Sender: me@example.com, a@b\r\n`, NOT_YOURS("Sender")],
  ["two Senders", FROM + "Sender: me@example.com\r\n".repeat(2), REPEATED("Sender")],
  ["an unreadable Sender", `${FROM}Sender: me\r\n`, UNREADABLE("Sender")],
  ["Resent-From", `Resent-From: boss@example.com\r\n${FROM}`, NOT_YOURS("Resent-From")],
  [
    "the second Resent-From",
    `Resent-From: me@example.com\r\nresent-from:boss@example.com\r\n${FROM}`,
    NOT_YOURS("Resent-From"),
  ],
  ["an unreadable one", `Resent-From: Us:;\r\n${FROM}`, UNREADABLE("Resent-From")],
  ["Resent-Sender", `${FROM}Resent-Sender: boss@example.com\r\n`, NOT_YOURS("Resent-Sender")],
  ["a folded one", `${FROM}Resent-Sender:\r\n\tboss@example.com\r\n`, NOT_YOURS("Resent-Sender")],
  ["an unreadable one of those", `${FROM}Resent-Sender:\r\n`, UNREADABLE("Resent-Sender")],
  // Lines at which some readers end the header.
  ["a line without colon", `${FROM}x\r\nFrom: boss@example.com\r\n`, NO_FIELD],
  ["a line of several words", `${FROM}no field: x\r\n`, NO_FIELD],
  ["a colon first", `${FROM}: x\r\n`, NO_FIELD],
  ["an mbox line", `${FROM}From boss@example.com Sun Nov 22 15:04:05 2026\r\n`, NO_FIELD],
  ["a name over two lines", `${FROM}From\r\n : boss@example.com\r\n`, NO_FIELD],
  ["a blank before another field's colon", `X-A : y\r\n${FROM}`, NO_FIELD],
  ["a blank before the colon of the first field", `Date : x\r\n${FROM}`, NO_FIELD],
  ["an odd blank before the colon", `${FROM}From\xa0: boss@example.com\r\n`, NO_FIELD],
  ["the same in UTF-8", `${FROM}From\xc2\xa0: boss@example.com\r\n`, NO_FIELD],
  ["a byte order mark", `${FROM}\xef\xbb\xbfFrom: boss@example.com\r\n`, NO_FIELD],
  ["an odd letter", `${FROM}Fr\xd0\xbem: boss@example.com\r\n`, NO_FIELD],
  ["no colon at the end", `${FROM}Subject`, NO_FIELD],
  ["a period alone", `${FROM}.\r\n`, NO_FIELD],
  ["before a bad From", "x\r\nFrom: boss@example.com\r\n", NO_FIELD],
  // Control characters, at which some readers end a line or a string.
  ["a NUL", "From: me@example.com\x00, boss@example.com\r\n", CONTROL],
  ["a NUL in the name", `${FROM}From\x00: boss@example.com\r\n`, CONTROL],
  ["a NUL elsewhere", `${FROM}Subject: x\x00y\r\n`, CONTROL],
  ["a vertical tab", `${FROM}Subject: x\x0bFrom: boss@example.com\r\n`, CONTROL],
  ["a form feed", `${FROM}Subject: x\x0cFrom: boss@example.com\r\n`, CONTROL],
  ["a file separator", `${FROM}Subject: x\x1cFrom: boss@example.com\r\n`, CONTROL],
  ["an escape", `${FROM}Subject: \x1b[2J\r\n`, CONTROL],
  ["a backspace", 'From: "Me" <me@example.com>\x08\r\n', CONTROL],
  ["a delete", `${FROM}Subject: \x7f\r\n`, CONTROL],
  ["a form feed before the colon", `${FROM}From\x0c: boss@example.com\r\n`, CONTROL],
  ["one in a folded line", `${FROM}Subject: x\r\n \x01\r\n`, CONTROL],
  // A session lets none of these two through, and here they hide nothing either.
  ["a bare CR", `${FROM}Subject: x\rFrom: boss@example.com\r\n`, CONTROL],
  ["a bare LF", `${FROM}Subject: x\nFrom: boss@example.com\r\n`, CONTROL],
  // Too much.
  ["a long line", `${FROM}Subject: ${"x".repeat(256 * 1024)}\r\n`, TOO_LARGE],
  ["many lines", `${FROM}${"X: y\r\n".repeat(50_000)}`, TOO_LARGE],
  ["a From behind it", `${"X: y\r\n".repeat(50_000)}From: boss@example.com\r\n`, TOO_LARGE],
  ["a long name", `${FROM}${"x".repeat(300_000)}: y\r\n`, TOO_LARGE],
];

for (const [what, fields, reply] of REFUSED) {
  Deno.test(`refused: ${what}: ${JSON.stringify(fields.slice(0, 70))}`, () => {
    const cut = (outcome: string) => outcome.slice(0, reply.length);
    assert.equal(cut(submitAllWays(`${GOOD}${fields}\r\nbody\r\n`)), reply);
    // At the end of the text, where no empty line was.
    assert.equal(cut(submitAllWays(`${GOOD}${fields}`)), reply);
  });
}

Deno.test("somebody else is refused in the first line, too", () => {
  assert.equal(submitAllWays("From: boss@example.com\r\n\r\n"), NOT_YOURS("From"));
  assert.equal(submitAllWays("from:boss@example.com"), NOT_YOURS("From"));
  assert.equal(submitAllWays("Sender:\r\n boss@example.com\r\n"), NOT_YOURS("Sender"));
});

Deno.test("one octet more than the longest header is refused", () => {
  assert.equal(submitAllWays(header(256 * 1024 + 1)), TOO_LARGE);
  // Nothing may count that lies behind the bound, not even the end of the header.
  const open = header(256 * 1024 + 2).slice(0, -2);
  assert.equal(submitAllWays(open), open);
  assert.equal(submitAllWays(`${open}\r\n`), TOO_LARGE);
});

Deno.test("a first line without end is no header for ever", () => {
  assert.equal(submitAllWays("x".repeat(300_000)), TOO_LARGE);
  const short = "x".repeat(100_000);
  assert.equal(submitAllWays(short), `${DATE}${ID}${FROM}\r\n${short}`);
});

Deno.test("receipts have a null reverse-path and an author (RFC 6409 6.3, RFC 3834)", () => {
  const receipt = `${FROM}Subject: read\r\n\r\nx\r\n`;
  assert.equal(submitAllWays(receipt, null), DATE + ID + receipt);
  assert.equal(submitAllWays("From: boss@example.com\r\n\r\n", null), NOT_YOURS("From"));
});

Deno.test("without a From the null reverse-path cannot make one", () => {
  const reply = "554 5.6.0 No From field, and no sender to make one of";
  for (const content of ["", "\r\n", "Subject: x\r\n\r\n", "Hello there\r\n", " x\r\n", "x"]) {
    assert.equal(submitAllWays(content, null), reply, JSON.stringify(content));
  }
});

Deno.test("a reverse-path of somebody else makes no From", () => {
  const boss = parseMailbox("boss@example.com");
  assert.equal(submitAllWays("Subject: x\r\n\r\n", boss), NOT_YOURS("From"));
  assert.equal(submitAllWays("Hello there\r\n", boss), NOT_YOURS("From"));
  assert.equal(submitAllWays(`${GOOD}${FROM}\r\n`, boss), `${GOOD}${FROM}\r\n`);
});

Deno.test("a From that was made is quoted where it must be", () => {
  const odd = parseMailbox('"m e"@example.com');
  assert.equal(submitAllWays(`${GOOD}\r\n`, odd), `From: "m e"@example.com\r\n${GOOD}\r\n`);
});

Deno.test("after the header every piece passes as it is, without a copy", () => {
  const submission = submitted(ME);
  assert.equal(submission.feed(bytes("Subject: x\r\n\r")).length, 0);
  assert.equal(
    text(submission.feed(bytes("\nbody"))),
    `${DATE}${ID}${FROM}Subject: x\r\n\r\nbody`,
  );
  for (const piece of ["", "\r\n", "From: boss@example.com\r\n"].map(bytes)) {
    assert.equal(submission.feed(piece), piece);
  }
  assert.equal(submission.end().length, 0);
  assert.equal(submission.refusal, undefined);
});

Deno.test("a whole header in one piece passes as it is", () => {
  const piece = bytes(`${GOOD}${FROM}\r\nbody\r\n`);
  assert.equal(submitted(ME).feed(piece), piece);
});

Deno.test("a refusal is there as soon as the header is, and stays", () => {
  const submission = submitted(ME);
  submission.feed(bytes("From: boss@example.com\r\n\r"));
  assert.equal(submission.refusal, undefined);
  submission.feed(bytes("\n"));
  const refusal = submission.refusal;
  assert.ok(refusal);
  assert.equal(submission.feed(bytes(`${FROM}\r\n`)).length, 0);
  assert.equal(submission.end().length, 0);
  assert.equal(submission.refusal, refusal);
});

Deno.test("a text that is over is judged at its end", () => {
  const submission = submitted(ME);
  assert.equal(submission.feed(bytes("From: boss@example.com\r\n")).length, 0);
  assert.equal(submission.refusal, undefined);
  assert.equal(submission.end().length, 0);
  assert.ok(submission.refusal);
});

/** The addresses in brackets or bare of every author field that a plain reader would find. */
function authorsShown(stored: string): string[] {
  const head = stored.slice(0, `${stored}\r\n\r\n`.indexOf("\r\n\r\n"));
  return head.replace(/\r\n[ \t]/g, " ").split("\r\n")
    .filter((line) => /^(resent-)?(from|sender)[ \t]*:/i.test(line))
    .flatMap((line) =>
      line.replace(/"[^"]*"|\([^)]*\)/g, "").match(/[^\s<>,:;]+@[^\s<>,:;]+/g) ?? []
    );
}

Deno.test("whatever the text, it is stored as it came under own names, or it is refused", () => {
  const parts = ["From", "from", "Sender", "Resent-From", "Date", "Message-ID", "Subject"]
    .concat([":", ": ", " : ", "\r\n", "\r\n", "\r\n ", "\r\n\r\n", " ", "\t", ", ", "x", "\x00"])
    .concat(["me@example.com", "<me@example.com>", "boss@example.com", '"', "(", ")", "\xa0", "@"])
    .concat([": me@example.com\r\n", "From: me@example.com\r\n", "Subject: x\r\n"])
    .concat(['"boss@example.com"', "<boss@example.com>", "(boss@example.com)"]);
  const tally = { stored: 0, refused: 0 };
  for (let seed = 1; seed <= 20_000; seed++) {
    const random = new Random(seed);
    const content = Array.from({ length: random.between(0, 14) }, () => random.pick(parts)).join(
      "",
    );
    const whole = bytes(content);
    const outcome = submit([whole], ME);
    const split = pieces(whole, () => random.between(0, 9));
    assert.equal(submit(split, ME), outcome, `seed ${seed}`);
    if (/^55[04] 5/.test(outcome)) {
      tally.refused++;
      continue;
    }
    tally.stored++;
    assert.ok(outcome.endsWith(content), `seed ${seed}: nothing else is changed`);
    const top = outcome.slice(0, outcome.length - content.length);
    assert.ok([DATE, ID, FROM, "\r\n"].reduce((rest, part) => rest.replace(part, ""), top) === "");
    const shown = authorsShown(outcome);
    assert.ok(shown.length > 0, `seed ${seed}`);
    assert.deepEqual(shown.filter((author) => author !== "me@example.com"), [], `seed ${seed}`);
  }
  assert.ok(tally.stored > 1000 && tally.refused > 1000, JSON.stringify(tally));
});
