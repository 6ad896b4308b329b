/** What of a text a mailbox holds: LF line ends, and no Return-Path but our own. */

import assert from "node:assert/strict";
import { MailboxText } from "../../src/mailbox/text.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

/** The text converted in pieces of the given size. */
function convert(text: string, pieceSize = text.length || 1): string {
  const bytes = encoder.encode(text);
  const form = new MailboxText();
  let result = "";
  for (let at = 0; at < bytes.length; at += pieceSize) {
    const piece = bytes.subarray(at, at + pieceSize);
    const out = new Uint8Array(MailboxText.room(piece.length));
    result += decoder.decode(out.subarray(0, form.convert(piece, out, 0)));
  }
  return result;
}

const CASES: readonly (readonly [what: string, text: string, stored: string])[] = [
  ["nothing", "", ""],
  ["an empty line", "\r\n", "\n"],
  ["a header and a body", "A: b\r\n\r\nc\r\n", "A: b\n\nc\n"],
  ["a Return-Path first", "Return-Path: <x@y>\r\nA: b\r\n\r\nc\r\n", "A: b\n\nc\n"],
  ["a Return-Path in any case", "A: b\r\nrETURN-pATH:\r\nC: d\r\n\r\n", "A: b\nC: d\n\n"],
  ["a folded Return-Path", "Return-Path: <x\r\n @y>\r\n\t(z)\r\nA: b\r\n\r\n", "A: b\n\n"],
  ["two of them", "Return-Path: <x>\r\nReturn-Path: <y>\r\n\r\nbody\r\n", "\nbody\n"],
  ["a name that only begins like it", "Return-Pa: x\r\nReturn\r\n\r\n", "Return-Pa: x\nReturn\n\n"],
  ["a longer name", "Return-Path-Old: x\r\n\r\n", "Return-Path-Old: x\n\n"],
  ["one with blanks before its colon", "Return-Path \t: <x>\r\nA: b\r\n\r\n", "A: b\n\n"],
  [
    "a name with many blanks and no colon",
    `Return-Path${" ".repeat(99)}x\r\n\r\n`,
    `Return-Path${" ".repeat(99)}x\n\n`,
  ],
  [
    "a text that would continue our field",
    "\tfor <x>\r\nReturn-Path: y\r\n",
    "\n\tfor <x>\nReturn-Path: y\n",
  ],
  ["one in the body", "A: b\r\n\r\nReturn-Path: <x>\r\n", "A: b\n\nReturn-Path: <x>\n"],
  ["one in a folded line", "A: b\r\n Return-Path: <x>\r\n\r\n", "A: b\n Return-Path: <x>\n\n"],
];

for (const [what, text, stored] of CASES) {
  Deno.test(`a mailbox holds ${what} (RFC 5321 4.4)`, () => {
    for (let size = 1; size <= text.length + 1; size++) assert.equal(convert(text, size), stored);
  });
}
