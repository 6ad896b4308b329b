/** Texts in which a second message is hidden behind what some reader could take for the end of the first. */

/** What a host may take for the end of a line, or what may become one on the way to it. */
const LINE_ENDS = ["\r\n", "\n", "\r", "\r\r\n", "\n\r", "\r\0\n"];
/** What a host may take for a period alone. */
const PERIODS = [".", "\0.", ".\0"];

/** Those of published scanners, and what these leave out: every period between every two line ends. */
export const MARKS: readonly string[] = LINE_ENDS.flatMap((before) =>
  PERIODS.flatMap((period) => LINE_ENDS.map((after) => before + period + after))
).filter((mark) => mark !== "\r\n.\r\n");

/** What is smuggled in: a whole transaction, up to what its text ends with. */
export const SMUGGLED = "MAIL FROM:<mallory@smuggled.example>\r\nRCPT TO:<smith@me.example>\r\n" +
  "DATA\r\nFrom: mallory@smuggled.example\r\nSubject: smuggled\r\n\r\nNobody sent this.\r\n";

/** What becomes of a text by the rules (RFC 5321 2.3.8, 4.1.1.4, 4.5.2). */
export interface Reading {
  /** How many octets of the wire it takes, its end mark included. */
  readonly length: number;
  readonly refused: boolean;
  /** Without its periods of transparency. */
  readonly content: string;
}

/** Reads a text off the wire, one character for each octet, by nothing but the five octets. */
export function readText(wire: string): Reading {
  const end = `\r\n${wire}`.indexOf("\r\n.\r\n");
  const content = `\r\n${wire.slice(0, end)}`.replaceAll("\r\n.", "\r\n").slice(2);
  const bare = /\r(?!\n)|(?<!\r)\n/.test(content);
  // A mark for those who leave NULs out.
  const hidden = content.split("\r\n").some((line) => /^\0+\.\0*$/.test(line));
  return { length: end + 3, refused: bare || hidden, content };
}

/** Content in all sorts of lines that begin with a period, or nearly do, and that a host has to take. */
export const CONTENTS: readonly (readonly [what: string, content: string])[] = [
  ["nothing", ""],
  ["a period", ".\r\n"],
  ["periods first and last", ".\r\na\r\n.\r\n"],
  ["periods in numbers", "..\r\n...\r\n....\r\n.....\r\n"],
  ["a mark, and another message", `a\r\n.\r\n${SMUGGLED}.\r\nQUIT\r\n`],
  ["a doubled mark, and another message", `a\r\n..\r\n${SMUGGLED}..\r\n`],
  ["blanks around a period", `a\r\n . \r\n. \r\n.\t\r\n ${SMUGGLED}`],
  ["a NUL behind a period", `a\r\n.\0\r\n${SMUGGLED}.\0\0\r\n`],
  ["a NUL before two periods", `a\r\n\0..\r\n${SMUGGLED}`],
  ["lines of NULs", `a\r\n\0\r\n\0\0\r\n${SMUGGLED}`],
  // Python's `splitlines` and others take each of these for the end of a line.
  ...["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\xe2\x80\xa8"].map((end) =>
    [`${JSON.stringify(end)} for a line end`, `a${end}.${end}${SMUGGLED}`] as const
  ),
  // CR LF . CR LF once the eighth bit is gone.
  ["a mark in 8-bit", `a\x8d\x8a\xae\x8d\x8a${SMUGGLED}`],
  ["a period in 8-bit", `a\r\n\xae\r\n${SMUGGLED}`],
  ["every octet but CR and LF", `${octets().replace(/[\r\n]/g, "")}\r\n.${octets().slice(14)}\r\n`],
  ["a line of 998 octets", `${"x".repeat(998)}\r\n.\r\n`],
  [
    "long lines with periods",
    `${"x".repeat(997)}.\r\n${".".repeat(2048)}\r\n.${"y".repeat(9999)}\r\n`,
  ],
  // Whatever stands before: in one of them the 64 KiB that are read at once end before, in or behind a line.
  ...[0, 1, 2].map((more) =>
    [`lines of one period (${more})`, `${"x".repeat(more)}\r\n${".\r\n".repeat(23_000)}`] as const
  ),
  ...[0, 1, 2, 3].map((more) =>
    [`lines of two periods (${more})`, `${"x".repeat(more)}\r\n${"..\r\n".repeat(17_500)}`] as const
  ),
];

/** Those that are read at once, where all of them would take long. */
export const SHORT = CONTENTS.filter(([, content]) => content.length < 32 * 1024);

function octets(): string {
  return String.fromCharCode(...Array.from({ length: 256 }, (_, octet) => octet));
}

/** With the periods that the wire wants, and the mark. */
export function onWire(content: string): string {
  return `${content.replace(/(^|\r\n)\./g, "$1..")}.\r\n`;
}

/** One octet for each character. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** One character for each octet. */
export function characters(octets: Uint8Array): string {
  let text = "";
  for (let at = 0; at < octets.length; at += 8192) {
    text += String.fromCharCode(...octets.subarray(at, at + 8192));
  }
  return text;
}
