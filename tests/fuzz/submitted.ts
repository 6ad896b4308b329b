/** Texts that users hand over: whose they say they are, and whether every reader says the same. */

import assert from "node:assert/strict";
import { type Mailbox, mailboxKey, parseMailbox } from "../../src/smtp/address.ts";
import { AuthorError, parseAuthors } from "../../src/smtp/author.ts";
import { encodeReply } from "../../src/smtp/reply.ts";
import { SubmittedText } from "../../src/smtp/submitted_text.ts";
import { dateTime } from "../../src/smtp/trace.ts";
import type { Random } from "../support/random.ts";
import * as grammar from "./grammar.ts";
import { characters, cut, octets, utf8 } from "./octets.ts";
import type { Target } from "./target.ts";

const OWN = new Set(["jones@me.example", "jones+tag@me.example"]);
const isOwn = (mailbox: Mailbox) => OWN.has(mailboxKey(mailbox));

const TOP = [`Date: ${dateTime(0)}`, "Message-ID: <i@me.example>", "From: jones@me.example", ""];

const WORDS = [
  "From: ",
  "Sender: ",
  "Resent-From: ",
  "<jones@me.example>",
  "boss@x.y",
  "\r\n",
  "\r\n ",
  ",",
]
  .concat([
    "=?utf-8?q?=40?=",
    "=?utf-8?b?QA==?=",
    "=?gbk?q?\x80=40?=",
    "=?",
    "?=",
    "(",
    ")",
    '"',
    ":;",
  ]);

const CHARSETS = [
  "utf-8",
  "iso-8859-1",
  "gbk",
  "gb18030",
  "big5",
  "shift_jis",
  "euc-kr",
  "iso-2022-jp",
]
  .concat([
    "utf-16be",
    "utf-16le",
    "us-ascii",
    "koi8-r",
    "utf-7",
    "x",
    "UTF8*en",
    "windows-1252",
    "",
  ]);

/** `=?charset?encoding?text?=`, or nearly. */
function encodedWord(random: Random): string {
  const piece = () =>
    random.pick(["a", "Boss", "_", "=40", "@", "\x80", "\xac", "=80", "=81", "\x1b$B", "<"]);
  const text = grammar.several(random, piece, 0, 4);
  return random.chance(0.5)
    ? `=?${random.pick(CHARSETS)}?${random.pick(["q", "Q"])}?${text}?=`
    : `=?${random.pick(CHARSETS)}?b?${btoa(text)}?=`;
}

const NAMES = [
  "Jones",
  "J. R. Jones",
  '"Jones, J."',
  "(a comment)",
  '"boss@x.y"',
  "J\xc3\xb6rg",
  '"\\""',
  "",
];
const ADDRESSES = ["jones@me.example", "<jones@me.example>", "<jones+tag@me.example>", "boss@x.y"]
  .concat([
    "<boss@x.y>",
    '"jones"@me.example',
    "jones @me.example",
    "<@a:jones@me.example>",
    "a: b@c;",
  ]);

/** The body of a field that names authors. */
function authors(random: Random): string {
  const name = () => random.chance(0.3) ? encodedWord(random) : random.pick(NAMES);
  const fold = () => random.pick([" ", " ", "", "\r\n ", "\t"]);
  const own = () => random.pick(ADDRESSES.slice(0, random.chance(0.85) ? 3 : ADDRESSES.length));
  const author = () => `${grammar.several(random, name, 0, 2, " ")}${fold()}${own()}${fold()}`;
  return grammar.several(random, author, 1, random.pick([1, 1, 1, 3]), ",");
}

function text(random: Random): string {
  const field = () =>
    `${random.pick(["From", "From", "from", "Sender", "Resent-From", "Resent-Sender", "FROM "])}: ${
      authors(random)
    }`;
  if (random.chance(0.1)) return grammar.bodyLines(random, () => "\r\n");
  return `${grammar.header(random, field)}\r\n${grammar.bodyLines(random, () => "\r\n")}`;
}

/** What a text comes to: what is stored of it, or the reply that refuses it. */
function submit(pieces: readonly Uint8Array[], reversePath: Mailbox | null): string {
  const submitted = new SubmittedText({ reversePath, isOwn, time: 0, messageId: "i@me.example" });
  let stored = "";
  for (const piece of pieces) {
    const room = piece.length + 256 * 1024 + 200;
    const kept = submitted.feed(piece);
    assert.ok(kept.length <= room, "no more than a header is held back");
    stored += characters(kept);
    piece.fill(88);
  }
  stored += characters(submitted.end());
  const { refusal } = submitted;
  return refusal ? encodeReply(refusal) : `stored ${stored}`;
}

export const submitted: Target = {
  name: "submitted",
  runs: 8000,
  words: WORDS,
  reaches: { stored: 0.2, completed: 0.1, 550: 0.1, 554: 0.15, "no header": 0.07 },
  generate: (random) => octets(text(random)),
  run(random, input) {
    const reversePath = random.chance(0.8) ? parseMailbox("jones@me.example") : null;
    const outcome = submit([input.slice()], reversePath);
    assert.equal(submit(cut(random, input), reversePath), outcome, "however it is cut");
    if (!outcome.startsWith("stored ")) {
      assert.match(outcome, /^55[04] 5\.[67]\.[01] [ -~]+\r\n$/);
      return [outcome.slice(0, 3), outcome];
    }
    const content = characters(input);
    const stored = outcome.slice("stored ".length);
    assert.ok(stored.endsWith(content), "nothing is changed");
    const top = stored.slice(0, stored.length - content.length);
    for (const line of top.split("\r\n")) assert.ok(TOP.includes(line), line);
    checkStored(stored);
    if (top.endsWith("\r\n\r\n")) return ["stored", "no header"];
    return ["stored", ...top === "" ? [] : ["completed"]];
  },
};

/** There is one From field, and no reader sees in a field of authors anybody but the user. */
function checkStored(stored: string): void {
  const [header = ""] = stored.split("\r\n\r\n");
  const fields = header.replace(/\r\n(?=[ \t])/g, "").split("\r\n");
  const names = fields.map((field) => field.split(":")[0]!.trim().toLowerCase());
  for (const name of ["from", "date", "message-id"]) assert.ok(names.includes(name), name);
  assert.equal(names.filter((name) => name === "from").length, 1);
  for (const [i, name] of names.entries()) {
    if (!/^(?:resent-)?(?:from|sender)$/.test(name)) continue;
    const body = fields[i]!.slice(fields[i]!.indexOf(":") + 1);
    checkBody(body);
  }
}

/** As a plain reader takes it, and as one that decodes first. */
function checkBody(body: string): void {
  const bare = bareOf(body);
  const seen = bare.split(/[\s<>,;:]+/).filter((word) => word.includes("@"));
  assert.ok(seen.length > 0, `nobody in ${JSON.stringify(body)}`);
  for (const address of seen) {
    assert.ok(OWN.has(ownKey(address)), `${address} in ${JSON.stringify(body)}`);
  }
  for (const word of decodedWords(body)) {
    assert.ok(!word.includes("@"), `${JSON.stringify(word)} in ${JSON.stringify(body)}`);
  }
}

function ownKey(address: string): string {
  const at = address.lastIndexOf("@");
  return address.slice(0, at) + address.slice(at).toLowerCase();
}

/** Without comments, and with quoted strings by what is in them where they are a local-part. */
function bareOf(body: string): string {
  let [bare, depth] = ["", 0];
  for (const [token] of body.matchAll(/\\[^]|"(?:\\[^]|[^"\\])*"(@?)|[^]/g)) {
    if (depth > 0) {
      // A quote in a comment is no quote: what was taken for one holds parentheses of the comment's.
      for (const [one] of token.matchAll(/\\[^]|[()]/g)) {
        depth += one === "(" ? 1 : one === ")" ? -1 : 0;
      }
    } else if (token === "(") depth++;
    else if (token.endsWith('"@')) bare += `${token.slice(1, -2).replace(/\\([^])/g, "$1")}@`;
    else if (!token.startsWith('"')) bare += token;
  }
  return bare;
}

/** What encoded words say, each by itself, where a reader knows their character set. */
function* decodedWords(body: string): Generator<string> {
  for (
    const [, charset = "", encoding = "", text = ""] of body.matchAll(
      /=\?([^?]*)\?([bq])\?(.*?)\?=/gi,
    )
  ) {
    try {
      const decoded = encoding.toUpperCase() === "B"
        ? atob(text.replaceAll(" ", ""))
        : text.replaceAll("_", " ").replace(
          /=([0-9A-F]{2})/gi,
          (_, hex: string) => String.fromCharCode(parseInt(hex, 16)),
        );
      yield new TextDecoder(charset.split("*")[0]).decode(octets(decoded));
    } catch {
      // No reader can show it.
    }
  }
}

export const author: Target = {
  name: "author",
  runs: 15_000,
  words: WORDS,
  reaches: { read: 0.15, encoded: 0.02, several: 0.02 },
  generate: (random) => octets(random.chance(0.05) ? utf8("jörg@me.example") : authors(random)),
  run(_, input) {
    let authors;
    try {
      authors = parseAuthors(input);
    } catch (error) {
      if (!(error instanceof AuthorError)) throw error;
      assert.match(error.message, /^[ -~]{1,100}$/, "the words are fit for a reply");
      return [error.message];
    }
    assert.ok(authors.length > 0);
    const body = characters(input).replace(/\r\n(?=[ \t])/g, "");
    if (authors.every(isOwn)) checkBody(body);
    const words = [...decodedWords(body)];
    for (const word of words) assert.ok(!word.includes("@"), JSON.stringify(word));
    return [
      "read",
      ...authors.length > 1 ? ["several"] : [],
      ...words.length > 0 ? ["encoded"] : [],
    ];
  },
};
