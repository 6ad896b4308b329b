/** What servers say becomes replies, in whatever pieces it comes (RFC 5321 4.2). */

import assert from "node:assert/strict";
import type { Reply } from "../../src/smtp/reply.ts";
import { ReplyError, ReplyReader } from "../../src/smtp/reply_reader.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

function read(pieces: readonly string[]): Reply[] {
  const reader = new ReplyReader();
  const result: Reply[] = [];
  for (const piece of pieces) {
    const input = bytes(piece);
    for (let at = 0; at < input.length;) {
      const { next, reply } = reader.read(input, at);
      assert.ok(next > at, "the reader moves on");
      at = next;
      if (reply) result.push(reply);
    }
  }
  return result;
}

function reply(code: number, status: string, ...lines: string[]): Reply {
  return { code, status, lines };
}

const GOOD: readonly (readonly [what: string, wire: string, ...replies: Reply[]])[] = [
  ["one line", "250 OK\r\n", reply(250, "", "OK")],
  ["nothing yet", "250 OK\r"],
  ["no line end yet", "250-a\r\n250"],
  // CL-15: missing text, several lines to any command, codes unheard of.
  ["no text", "250\r\n", reply(250, "", "")],
  ["no text after the blank", "250 \r\n", reply(250, "", "")],
  ["several lines", "250-a\r\n250-b\r\n250 c\r\n", reply(250, "", "a", "b", "c")],
  ["lines without text", "250-\r\n250-a\r\n250\r\n", reply(250, "", "", "a", "")],
  ["a code unheard of", "299 fine\r\n", reply(299, "", "fine")],
  ["two replies", "220 a\r\n250 b\r\n", reply(220, "", "a"), reply(250, "", "b")],
  [
    "several lines twice",
    "250-a\r\n250 b\r\n354-c\r\n354 d\r\n",
    reply(250, "", "a", "b"),
    reply(354, "", "c", "d"),
  ],
  // RFC 2034 4: the enhanced code is on every line.
  ["an enhanced code", "550 5.1.1 No such user\r\n", reply(550, "5.1.1", "No such user")],
  ["an enhanced code alone", "250 2.0.0\r\n", reply(250, "2.0.0", "")],
  [
    "an enhanced code on every line",
    "550-5.7.1 Go\r\n550 5.7.1 away\r\n",
    reply(550, "5.7.1", "Go", "away"),
  ],
  ["none after one", "550 5.1.1 a\r\n550 b\r\n", reply(550, "5.1.1", "a"), reply(550, "", "b")],
  ["numbers that are no enhanced code", "250 2.0 x\r\n", reply(250, "", "2.0 x")],
  ["an address at the start", "250 4.3.2.1 hello\r\n", reply(250, "", "4.3.2.1 hello")],
  ["blanks are text", "250   a  b \r\n", reply(250, "", "  a  b ")],
  // Whoever ends lines by LF alone can be understood all the same.
  ["LF alone", "250-a\n250 b\n", reply(250, "", "a", "b")],
  // 53-41: what goes to logs and reports is printable ASCII.
  ["octets that are not printable", "550 a\x07\x1b[2J\xe9\x00\r\n", reply(550, "", "a??[2J??")],
];

for (const [what, wire, ...expected] of GOOD) {
  Deno.test(`reply: ${what}`, () => {
    assert.deepEqual(read([wire]), expected, "all at once");
    assert.deepEqual(read([...wire]), expected, "byte by byte");
    for (let at = 1; at < wire.length; at++) {
      assert.deepEqual(read([wire.slice(0, at), wire.slice(at)]), expected, `split at ${at}`);
    }
  });
}

const BAD = [
  "\r\n",
  "OK\r\n",
  "25 x\r\n",
  "2500 x\r\n",
  "250x\r\n",
  "250_x\r\n",
  "250\tx\r\n",
  " 250 x\r\n",
  // CL-15: a first digit that is not known.
  "150 x\r\n",
  "650 x\r\n",
  "000 x\r\n",
  "SSH-2.0-OpenSSH_9.2\r\n",
  "HTTP/1.1 400 Bad Request\r\n",
  "+OK POP3\r\n",
  "* OK IMAP4\r\n",
  "250-a\r\n\r\n",
  "250-a\r\nb\r\n",
  "250-a\r\n550 b\r\n",
];

for (const wire of BAD) {
  Deno.test(`no reply: ${JSON.stringify(wire)}`, () => {
    assert.throws(() => read([wire]), ReplyError);
    assert.throws(() => read([...wire]), ReplyError);
  });
}

Deno.test("the error shows what the server said, printable and not at length", () => {
  assert.throws(() => read([`\x1b[2J${"x".repeat(5000)}\r\n`]), (error) => {
    assert.ok(error instanceof ReplyError);
    assert.match(error.message, /^[ -~]+$/);
    assert.ok(error.message.length < 200);
    assert.ok(error.message.includes("?[2Jxxx"));
    return true;
  });
});

Deno.test("a reply that does not end is given up at 64 KiB, in one line or in many", () => {
  assert.throws(() => read(["250 ", "x".repeat(70_000)]), ReplyError);
  assert.throws(() => read(Array<string>(10_000).fill("250-x\r\n")), ReplyError);
  assert.equal(read([`250 ${"x".repeat(60_000)}\r\n`, "250 OK\r\n"]).length, 2);
  assert.equal(read(Array<string>(20_000).fill("250 x\r\n")).length, 20_000, "each for itself");
});

Deno.test("the reader knows whether it is within a reply", () => {
  const reader = new ReplyReader();
  for (const [piece, inReply] of [["250-a\r\n", true], ["250 b\r", true], ["\n", false]] as const) {
    reader.read(bytes(piece), 0);
    assert.equal(reader.inReply, inReply, piece);
  }
});
