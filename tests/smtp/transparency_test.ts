/** A text goes over the wire with its periods doubled and comes back the same (RFC 5321 4.5.2). */

import assert from "node:assert/strict";
import { TextReader } from "../../src/smtp/data.ts";
import { TextSender } from "../../src/smtp/transparency.ts";
import { Random } from "../support/random.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const text = (octets: Uint8Array) => Array.from(octets, (b) => String.fromCharCode(b)).join("");

/** What goes over the wire for a text in these pieces. */
function send(pieces: readonly string[]): string {
  const sender = new TextSender();
  const wire = pieces.flatMap((piece) => sender.convert(bytes(piece)));
  return [...wire, sender.end()].map(text).join("");
}

/** What a receiver makes of it; undefined where it sees a flaw or no end. */
function receive(wire: string): string | undefined {
  const reader = new TextReader(1_000_000);
  const input = bytes(wire);
  let content = "";
  for (let at = 0; at < input.length;) {
    const part = reader.read(input, at);
    content += text(part.bytes);
    at = part.next;
    if (part.end) return at === input.length && !reader.flaw ? content : undefined;
  }
  return undefined;
}

const ROWS: readonly (readonly [what: string, content: string, wire: string])[] = [
  ["an empty text", "", ".\r\n"],
  ["one line", "a\r\n", "a\r\n.\r\n"],
  ["an empty line", "\r\n", "\r\n.\r\n"],
  // CL-24, BUG-5: also at the very start.
  ["a period at the start", ".\r\n", "..\r\n.\r\n"],
  ["what looks like the end", "a\r\n.\r\nQUIT\r\n", "a\r\n..\r\nQUIT\r\n.\r\n"],
  ["two periods", "..a\r\n", "...a\r\n.\r\n"],
  ["periods on every line", ".a\r\n.b\r\n.\r\n", "..a\r\n..b\r\n..\r\n.\r\n"],
  ["periods elsewhere", "a.\r\n .\r\n", "a.\r\n .\r\n.\r\n"],
  // CL-25: CR LF at the end where it is missing, and only there.
  ["no line end at the end", "a", "a\r\n.\r\n"],
  ["a period alone", ".", "..\r\n.\r\n"],
  ["no line end after the last line", "a\r\n.b", "a\r\n..b\r\n.\r\n"],
  ["octets above 127", "\xe9\r\n.\xff\r\n", "\xe9\r\n..\xff\r\n.\r\n"],
];

for (const [what, content, wire] of ROWS) {
  Deno.test(`sent: ${what}`, () => {
    assert.equal(send([content]), wire, "all at once");
    assert.equal(send([...content]), wire, "byte by byte");
    for (let at = 0; at <= content.length; at++) {
      assert.equal(send([content.slice(0, at), content.slice(at)]), wire, `split at ${at}`);
    }
    assert.equal(receive(wire), content.replace(/(?<=[^\n])$/, "\r\n"));
  });
}

Deno.test("pieces without octets are not handed out", () => {
  const sender = new TextSender();
  assert.deepEqual(sender.convert(new Uint8Array(0)), []);
  assert.deepEqual(sender.convert(bytes(".a")).map(text), [".", ".a"]);
});

Deno.test("the pieces are views: a text is not copied", () => {
  const input = bytes("a\r\n.b\r\n");
  const pieces = new TextSender().convert(input).filter((piece) => piece.length > 1);
  assert.equal(pieces.length, 2);
  for (const piece of pieces) assert.equal(piece.buffer, input.buffer);
});

Deno.test("any text arrives as it was sent, in whatever pieces", () => {
  const parts = ["\r\n", ".", "..", "a", "\r\n.\r\n", "\r\n..", "\xe9", "\x00", "QUIT\r\n", " "];
  for (let seed = 1; seed <= 2000; seed++) {
    const random = new Random(seed);
    let content = "";
    for (let count = random.between(0, 29); count > 0; count--) content += random.pick(parts);
    content = content.replace(/(?<=[^\n])$/, "\r\n");
    const pieces: string[] = [];
    for (let at = 0; at < content.length;) {
      const length = random.between(1, 8);
      pieces.push(content.slice(at, at + length));
      at += length;
    }
    const wire = send(pieces);
    // Where a line is a period but for NULs our own side refuses the text.
    const refused = /(?:^|\r\n)\0+\.\0*\r\n/.test(content);
    assert.equal(receive(wire), refused ? undefined : content, `seed ${seed}`);
    assert.equal(`\r\n${wire}`.indexOf("\r\n.\r\n"), wire.length - 3, `one end mark, seed ${seed}`);
  }
});
