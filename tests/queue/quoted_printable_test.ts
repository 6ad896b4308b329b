/** Quoted-printable (RFC 2045 6.7). */

import assert from "node:assert/strict";
import { quotedPrintable } from "../../src/queue/quoted_printable.ts";
import { fromQuotedPrintable } from "./written_report.ts";

const CASES: readonly (readonly [what: string, text: string, encoded: string])[] = [
  ["nothing", "", ""],
  ["plain text", "Subject: dinner\r\n", "Subject: dinner\r\n"],
  ["an equals sign", "a=b", "a=3Db"],
  ["octets above 127", "\x80\xff", "=80=FF"],
  ["control characters", "\0\x01\x7f", "=00=01=7F"],
  ["blanks within a line", "a b\tc", "a b\tc"],
  ["blanks before a line end", "a \r\nb\t\r\n", "a=20\r\nb=09\r\n"],
  ["several of them", "a  ", "a =20"],
  ["a line of one blank", "\r\n \r\n", "\r\n=20\r\n"],
  ["a lone CR", "a\rb", "a=0Db"],
  ["a lone LF", "a\nb", "a=0Ab"],
  ["a line of 76", "a".repeat(76), "a".repeat(76)],
  ["a line of 77", "a".repeat(77), `${"a".repeat(75)}=\r\naa`],
  ["an octet at 76", `${"a".repeat(73)}\xe4`, `${"a".repeat(73)}=E4`],
  ["an octet beyond 76", `${"a".repeat(74)}\xe4`, `${"a".repeat(74)}=\r\n=E4`],
  ["a blank at a soft line break", `${"a".repeat(74)} bcd`, `${"a".repeat(74)} =\r\nbcd`],
];

for (const [what, text, encoded] of CASES) {
  Deno.test(`quoted-printable of ${what}`, () => {
    assert.equal(quotedPrintable(text), encoded);
  });
}

Deno.test("every octet, anywhere in a line, reads back as it was", () => {
  for (let octet = 0; octet < 256; octet++) {
    const character = String.fromCharCode(octet);
    for (const before of [0, 1, 72, 73, 74, 75, 76, 150]) {
      const text = `${"a".repeat(before)}${character}\r\n${character}b`;
      assert.equal(fromQuotedPrintable(quotedPrintable(text)), text, `${octet}, ${before}`);
    }
    const long = character.repeat(500);
    assert.equal(fromQuotedPrintable(quotedPrintable(long)), long, `${octet}`);
  }
});
