/** Only CR LF ends a command line, and of a line too long no more is kept than fits. */

import assert from "node:assert/strict";
import { LineReader } from "../../src/smtp/line.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** All the lines of what comes in these pieces. */
function lines(pieces: readonly string[], longest = 16): (string | null)[] {
  const reader = new LineReader(longest);
  const result: (string | null)[] = [];
  for (const piece of pieces) {
    const input = bytes(piece);
    for (let at = 0; at < input.length;) {
      const { next, line } = reader.read(input, at);
      assert.ok(next > at, "the reader moves on");
      at = next;
      if (line !== undefined) result.push(line);
      else assert.equal(next, input.length, "without a line all of the input is read");
    }
  }
  return result;
}

const ROWS: readonly (readonly [what: string, input: string, lines: (string | null)[]])[] = [
  ["nothing happens before CR LF (788-X5)", "NOOP", []],
  ["nor after CR alone", "NOOP\r", []],
  ["one line", "NOOP\r\n", ["NOOP"]],
  ["an empty line", "\r\n", [""]],
  ["lines in one packet (BUG-10)", "MAIL\r\nRCPT\r\nDATA\r\n", ["MAIL", "RCPT", "DATA"]],
  ["LF alone ends nothing (53-30)", "NOOP\nNOOP\r\n", ["NOOP\nNOOP"]],
  ["LF first ends nothing", "\nNOOP\r\n", ["\nNOOP"]],
  ["CR alone ends nothing", "NOOP\rNOOP\r\n", ["NOOP\rNOOP"]],
  ["CR CR LF is CR, then the line end (BUG-4)", "NOOP\r\r\n", ["NOOP\r"]],
  ["LF CR ends nothing", "NOOP\n\rX\r\n", ["NOOP\n\rX"]],
  ["LF CR LF ends", "NOOP\n\r\n", ["NOOP\n"]],
  ["octets stay what they are (BUG-28)", "\xc0\xff\x00\r\n", ["\xc0\xff\x00"]],
  ["14 octets and CR LF are 16", "12345678901234\r\n", ["12345678901234"]],
  ["17 are too many (788-Z4)", "123456789012345\r\n", [null]],
  ["a long line is answered once", `${"x".repeat(100)}\r\n`, [null]],
  ["and the next one is whole", `${"x".repeat(100)}\r\nNOOP\r\n`, [null, "NOOP"]],
  ["a short one, a long one, a short one", `A\r\n${"x".repeat(15)}\r\nB\r\n`, ["A", null, "B"]],
  ["a long line does not end by LF", `${"x".repeat(20)}\nNOOP\r\n`, [null]],
  ["a long line of CR", `${"\r".repeat(20)}\n`, [null]],
  ["a long line, then an empty one", `${"x".repeat(20)}\r\n\r\n`, [null, ""]],
];

for (const [what, input, expected] of ROWS) {
  Deno.test(`line: ${what}`, () => {
    assert.deepEqual(lines([input]), expected, "all at once");
    assert.deepEqual(lines([...input]), expected, "byte by byte");
    for (let at = 1; at < input.length; at++) {
      assert.deepEqual(lines([input.slice(0, at), input.slice(at)]), expected, `split at ${at}`);
    }
  });
}

Deno.test("ten million octets without a line end are one line too long (BUG-15)", () => {
  const reader = new LineReader(512);
  const block = new Uint8Array(100_000).fill(65);
  for (let i = 0; i < 100; i++) {
    assert.deepEqual(reader.read(block, 0), { next: block.length });
  }
  assert.deepEqual(reader.read(bytes("\r\nNOOP\r\n"), 0), { next: 2, line: null });
  assert.deepEqual(reader.read(bytes("\r\nNOOP\r\n"), 2), { next: 8, line: "NOOP" });
});

Deno.test("a line is read from where it is asked for", () => {
  assert.deepEqual(new LineReader(512).read(bytes("xxNOOP\r\nyy"), 2), { next: 8, line: "NOOP" });
});
