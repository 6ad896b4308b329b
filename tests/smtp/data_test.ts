/** The text after DATA ends by CR LF . CR LF alone, and comes out without its added periods. */

import assert from "node:assert/strict";
import { type TextFlaw, TextReader } from "../../src/smtp/data.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const text = (octets: Uint8Array) => Array.from(octets, (b) => String.fromCharCode(b)).join("");

interface Outcome {
  /** How many octets of the input were read when the text ended; undefined when it did not. */
  readonly end: number | undefined;
  readonly flaw: TextFlaw | undefined;
  /** What a text without a flaw holds; of others nothing counts. */
  readonly content?: string;
}

function read(pieces: readonly string[], maxSize = 1_000_000): Outcome {
  const reader = new TextReader(maxSize);
  let content = "";
  let before = 0;
  for (const piece of pieces) {
    const input = bytes(piece);
    for (let at = 0; at < input.length;) {
      const part = reader.read(input, at);
      assert.ok(part.next > at, "the reader moves on");
      if (reader.flaw) assert.equal(part.bytes.length, 0, "nothing more of a text with a flaw");
      content += text(part.bytes);
      at = part.next;
      if (!part.end) continue;
      if (reader.flaw) return { end: before + at, flaw: reader.flaw };
      assert.equal(reader.size, content.length, "the size is that of the content");
      return { end: before + at, flaw: undefined, content };
    }
    before += input.length;
  }
  return { end: undefined, flaw: reader.flaw };
}

/** Reads the input in one piece, byte by byte and in every two pieces, and wants the same each time. */
function readAllWays(input: string, maxSize?: number): Outcome {
  const outcome = read([input], maxSize);
  assert.deepEqual(read([...input], maxSize), outcome, "byte by byte");
  for (let at = 1; at < input.length; at++) {
    assert.deepEqual(
      read([input.slice(0, at), input.slice(at)], maxSize),
      outcome,
      `split at ${at}`,
    );
  }
  return outcome;
}

const WHOLE: readonly (readonly [what: string, wire: string, content: string])[] = [
  ["one line", "a\r\n.\r\n", "a\r\n"],
  ["no line at all (788-D3)", ".\r\n", ""],
  ["an empty line", "\r\n.\r\n", "\r\n"],
  ["two empty lines", "\r\n\r\n.\r\n", "\r\n\r\n"],
  // 788-D1.
  ["a doubled period", "..a\r\n.\r\n", ".a\r\n"],
  ["a period that should have been doubled", ".a\r\n.\r\n", "a\r\n"],
  ["two periods", "..\r\n.\r\n", ".\r\n"],
  ["three periods", "...\r\n.\r\n", "..\r\n"],
  ["a period and a blank", ". \r\n.\r\n", " \r\n"],
  ["periods on several lines", "..\r\n..x\r\n.\r\n", ".\r\n.x\r\n"],
  ["periods elsewhere", "a.\r\nb..c\r\n ..\r\n.\r\n", "a.\r\nb..c\r\n ..\r\n"],
  // 788-D5: every octet there is.
  ["control characters and blanks", " \ta\x00\x07\x7f \t\r\n.\r\n", " \ta\x00\x07\x7f \t\r\n"],
  ["octets above 127 (53-31)", "\x80\xe9\xff\r\n.\r\n", "\x80\xe9\xff\r\n"],
  ["a line of a period and a NUL", ".\x00\r\n.\r\n", "\x00\r\n"],
  // 788-Z6, BUG-16: lines may be longer than 1000.
  ["a line of 1000 octets", `${"x".repeat(998)}\r\n.\r\n`, `${"x".repeat(998)}\r\n`],
  ["a longer one", `.${".".repeat(1500)}\r\n.\r\n`, `${".".repeat(1500)}\r\n`],
];

for (const [what, wire, content] of WHOLE) {
  Deno.test(`text: ${what}`, () => {
    assert.deepEqual(readAllWays(wire), { end: wire.length, flaw: undefined, content });
  });
}

/** What is no end mark (P-1), wherever it stands. */
const NO_END = [
  "\n.\n",
  "\n.\r\n",
  "\r\n.\n",
  "\r.\r",
  "\r.\r\n",
  "\r\n.\r",
  "\n.\r",
  "\r\n.\r\r\n",
  "\r\r\n.\r",
  "\r\n.\n\r\n",
  "\n\r.\r\n",
  "\r\n..\n.\r\n",
];

for (const mark of NO_END) {
  Deno.test(`${JSON.stringify(mark)} does not end a text, it spoils it (53-30, BUG-1, BUG-4)`, () => {
    assert.deepEqual(readAllWays(`a${mark}b`), { end: undefined, flaw: "bare line end" });
    // BUG-2: the rest is read to the true end, and no further.
    const smuggled = `a${mark}MAIL FROM:<x@y>\r\nRCPT TO:<z@me.example>\r\nDATA\r\nb\r\n.\r\n`;
    assert.deepEqual(readAllWays(`${smuggled}NOOP\r\n`), {
      end: smuggled.length,
      flaw: "bare line end",
    });
  });
}

/** An end mark for those who leave NULs out before they look, in what is handed out. */
const HIDDEN_END = [
  "\r\n\x00.\r\n",
  "\r\n\x00\x00.\r\n",
  "\r\n\x00.\x00\r\n",
  "\r\n.\x00.\r\n",
];

for (const mark of HIDDEN_END) {
  Deno.test(`${JSON.stringify(mark)} does not end a text, it spoils it (53-30)`, () => {
    const smuggled = `a${mark}DATA\r\nb\r\n.\r\n`;
    const flaw = "hidden end";
    assert.deepEqual(readAllWays(`${smuggled}NOOP\r\n`), { end: smuggled.length, flaw });
    const both = `a${mark}b\nc\r\n.\r\n`;
    assert.deepEqual(readAllWays(both), { end: both.length, flaw: "bare line end" });
  });
}

for (
  const mark of [
    "\r\n .\r\n",
    "\r\n. \r\n",
    "\r\n.\x00\r\n",
    "\r\n..\r\n",
    "\r\n..\x00\r\n",
    "\r\n\x00..\r\n",
    "\r\n\x00.x\r\n",
    "\r\nx\x00.\r\n",
    "\r\n\x00\r\n",
  ]
) {
  Deno.test(`${JSON.stringify(mark)} is content (53-30)`, () => {
    const wire = `a${mark}b\r\n.\r\n`;
    const content = `a${mark.replace("\r\n.", "\r\n")}b\r\n`;
    assert.deepEqual(readAllWays(wire), { end: wire.length, flaw: undefined, content });
  });
}

/** The same at the very start, where the CR LF of the DATA line has gone before. */
for (
  const start of ["\n.\r\n", ".\n", ".\r", "\r.\r\n", ".\r\r\n", ".\n.\r", "\n", "\r", "\n.\n"]
) {
  Deno.test(`${JSON.stringify(start)} at the start does not end a text (53-30)`, () => {
    const wire = `${start}x\r\n.\r\n`;
    assert.deepEqual(readAllWays(wire), { end: wire.length, flaw: "bare line end" });
  });
}

for (const stray of ["a\rb", "a\nb", "\r\r\n", "a\n", "\n\n", ".\r.", "a\r\n\rb", "a\r\n\nb"]) {
  Deno.test(`${JSON.stringify(stray)} has a bare line end (BUG-5, BUG-6)`, () => {
    const wire = `${stray}\r\n.\r\n`;
    assert.deepEqual(readAllWays(wire), { end: wire.length, flaw: "bare line end" });
  });
}

Deno.test("reading stops at the end of the text: what follows is a command (BUG-10)", () => {
  const wire = "a\r\n.\r\nQUIT\r\n";
  assert.deepEqual(readAllWays(wire), { end: 6, flaw: undefined, content: "a\r\n" });
  assert.deepEqual(readAllWays(".\r\n.\r\n"), { end: 3, flaw: undefined, content: "" });
});

Deno.test("a text is too big from one octet above the limit on (53-38)", () => {
  // Five octets of content: periods that are added on the way do not count (RFC 1870 3).
  const wire = "..a\r\n\r\n.\r\n";
  const fits = { end: wire.length, flaw: undefined, content: ".a\r\n\r\n" };
  assert.deepEqual(readAllWays(wire, 6), fits);
  assert.deepEqual(readAllWays(wire, 7), fits);
  assert.deepEqual(readAllWays(wire, 5), { end: wire.length, flaw: "too big" });
  assert.deepEqual(readAllWays(wire, 0), { end: wire.length, flaw: "too big" });
});

Deno.test("a text too big is read to its end", () => {
  const wire = `${"x".repeat(300)}\r\nDATA\r\n.\r\n`;
  assert.deepEqual(readAllWays(wire, 100), { end: wire.length, flaw: "too big" });
});

Deno.test("a text too big with a bare line end is refused for the bare line end", () => {
  const before = "a\nb\r\nxxxxxxxx\r\n.\r\n";
  assert.deepEqual(readAllWays(before, 5), { end: before.length, flaw: "bare line end" });
  const after = "xxxxxxxx\r\na\nb\r\n.\r\n";
  assert.deepEqual(readAllWays(after, 5), { end: after.length, flaw: "bare line end" });
});

Deno.test("the flaw shows as soon as it is there", () => {
  const reader = new TextReader(3);
  reader.read(bytes("abc"), 0);
  assert.equal(reader.flaw, undefined);
  reader.read(bytes("d"), 0);
  assert.equal(reader.flaw, "too big");
});

Deno.test("every text of up to six octets of CR, LF, period and letter reads the same in all pieces", () => {
  const letters = ["\r", "\n", ".", "x"];
  for (let length = 1; length <= 6; length++) {
    for (let number = 0; number < 4 ** length; number++) {
      let wire = "";
      for (let i = 0; i < length; i++) wire += letters[number >> 2 * i & 3];
      const outcome = read([wire]);
      assert.deepEqual(read([...wire]), outcome, JSON.stringify(wire));
      const mark = `\r\n${wire}`.indexOf("\r\n.\r\n");
      assert.equal(outcome.end, mark < 0 ? undefined : mark + 3, JSON.stringify(wire));
      if (outcome.content === undefined) continue;
      assert.doesNotMatch(outcome.content, /\r(?!\n)|(?<!\r)\n/, JSON.stringify(wire));
    }
  }
});

Deno.test("what is read at once is handed out at once, however many periods go", () => {
  const reader = new TextReader(1_000_000);
  const input = new TextEncoder().encode(`${"..\r\n.a\r\n".repeat(5000)}.\r\nQUIT\r\n`);
  const { next, bytes, end } = reader.read(input, 0);
  assert.equal(end, true);
  assert.equal(new TextDecoder().decode(bytes), ".\r\na\r\n".repeat(5000));
  assert.equal(new TextDecoder().decode(input.subarray(next)), "QUIT\r\n");
  assert.equal(reader.size, bytes.length);
});
