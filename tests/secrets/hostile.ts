/** What a stranger says in the hope that somebody's terminal, log reader or mail reader acts on it. */

import assert from "node:assert/strict";

/** Octets, one in each character. */
export const HOSTILE: readonly string[] = [
  // Clears the screen and renames the window; the same by a control character of one octet.
  "\x1b[2J\x1b]0;mine\x07",
  "\x9b2J",
  "\0",
  "\b\b\b\x7f",
  "\t\x0b\x0c",
  // Another line of a log, as far as that has lines and fields.
  "x\n2026-11-22T15:04:05.000Z error forged id=x",
  "x\r2026-11-22T15:04:05.000Z error forged id=x",
  '" forged=yes x="',
  '","event":"forged","x":"',
  "\\u000aforged",
  "{forged} {0} %s %0a ${forged}",
  // In UTF-8: NEL, U+2028, U+202E, U+2066, U+200B, U+FEFF, U+E0041.
  utf8("\u0085\u2028\u202e\u2066\u200b\ufeff\u{e0041}"),
  // An escape and a line feed in more octets than they need, half a surrogate pair, beyond Unicode.
  "\xc0\x9b[2J\xc0\x8a",
  "\xe0\x80\x9b\xf0\x80\x80\x8a",
  "\xed\xa0\x80",
  "\xf4\x90\x80\x80\xff",
];

function utf8(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

/** One octet for each character. */
export function octets(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Fails where a terminal would act on a text, lines apart. */
export function assertInert(text: string): void {
  for (const line of text.split("\n")) {
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, JSON.stringify(line));
  }
}

/** A line of a log in text, from its start to its end: fields hold quotes and blanks in quotes alone. */
const LINE = new RegExp(
  String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warn|error) [A-Za-z -]+` +
    String.raw`( [A-Za-z]+=([^\s"=]+|"([^"\\]|\\.)*"))*$`,
);

/** Fails where a line of a log is not one event of the daemon's own. */
export function assertSound(log: string, format: "text" | "json"): void {
  assertInert(log);
  assert.doesNotMatch(log, /\.ts:\d+|file:\/\/|^ +at /m, "a stack trace");
  for (const line of log.split("\n")) {
    if (line === "") continue;
    if (format === "text") {
      assert.match(line, LINE);
      const unquoted = line.replaceAll(/"(?:[^"\\]|\\.)*"/g, "");
      assert.doesNotMatch(unquoted, /^\S+ \w+ forged| forged=/);
    } else {
      const { time, level, event, forged } = JSON.parse(line);
      assert.equal(new Date(time).toISOString(), time);
      assert.match(level, /^(debug|info|warn|error)$/);
      assert.match(event, /^[A-Za-z -]+$/);
      assert(event !== "forged" && forged === undefined);
    }
  }
}
