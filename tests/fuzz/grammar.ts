/** Pieces that several grammars are made of; one octet in each character. */

import type { Random } from "../support/random.ts";
import { utf8 } from "./octets.ts";

/** `least` to `most` items, by default none to three, as one text. */
export function several(
  random: Random,
  make: () => string,
  least = 0,
  most = 3,
  separator = "",
): string {
  return Array.from({ length: random.between(least, most) }, make).join(separator);
}

const ATOMS = [
  "jones",
  "a",
  "smith+tag",
  "postmaster",
  "x_y",
  "=?utf-8?q?a?=",
  "a-b",
  "0",
  "-",
  "'",
];

export function localPart(random: Random): string {
  switch (random.between(0, 9)) {
    case 0:
      return `"${
        several(random, () => random.pick(["a", " ", '\\"', "\\\\", "@", ".", ">", "<", ","]))
      }"`;
    case 1:
      return `a\\${random.pick([" ", "@", '"', "\\", "b"])}b`;
    case 2:
      return "l".repeat(random.pick([62, 63, 64, 65]));
    case 3:
      return random.pick(["", ".", "a.", ".a", "a..b", "a b", '""', '"a"b', utf8("jörg")]);
    default:
      return several(random, () => random.pick(ATOMS), 1, 3, ".");
  }
}

const LITERALS = [
  "192.0.2.1",
  "IPv6:2001:db8::1",
  "IPv6:::1",
  "::1",
  "IPv6:::ffff:192.0.2.1",
  "ipv6:1::",
]
  .concat([
    "x-tag:a.b",
    "127.000.000.001",
    "IPv6:1:2:3:4:5:6:7:8",
    "256.0.0.1",
    "",
    "IPv6:",
    ":x",
    "x:",
  ]);

export function domain(random: Random): string {
  switch (random.between(0, 9)) {
    case 0:
    case 1:
      return `[${random.chance(0.3) ? ip(random) : random.pick(LITERALS)}]`;
    case 2:
      return `${"d.".repeat(random.pick([94, 95, 120, 127]))}${random.pick(["d", "dd", "d."])}`;
    case 3:
      return "d".repeat(random.pick([62, 63, 64]));
    case 4:
      return random.pick([
        "",
        ".",
        "a.",
        "-a",
        "a-",
        "a_b",
        "xn--a",
        "a..b",
        utf8("bücher.example"),
      ]);
    default:
      return random.pick([
        "x.y",
        "me.example",
        "ME.Example",
        "a.b.c.d",
        "localhost",
        "1.2",
        "a-b.c",
      ]);
  }
}

export function mailbox(random: Random): string {
  return random.chance(0.05) ? localPart(random) : `${localPart(random)}@${domain(random)}`;
}

/** With its angle brackets. */
export function path(random: Random): string {
  if (random.chance(0.05)) {
    return random.pick(["<>", "<Postmaster>", "<postmaster>", "< >", "<@>", ""]);
  }
  const host = () => `@${domain(random)}`;
  const route = random.chance(0.1)
    ? several(random, host, 1, 3, ",") + random.pick([":", ":", ",", ""])
    : "";
  return `<${route}${mailbox(random)}>`;
}

/** A path that most of the rules are kept in. */
export function easyPath(random: Random): string {
  return random.chance(0.8)
    ? `<${random.pick(["jones", "smith", "a.b+c", '"a b"'])}@${random.pick(["x.y", "me.example"])}>`
    : path(random);
}

export function ip(random: Random): string {
  const number = () => random.pick(["0", "1", "10", "192", "255", "256", "00", "010", "1000", ""]);
  const group = () =>
    random.pick(["0", "1", "db8", "2001", "ffff", "FFFF", "0000", "00001", "g", ""]);
  const ipv4 = () => several(random, number, random.pick([3, 4, 4, 4, 4]), 4, ".");
  if (random.chance(0.3)) return ipv4();
  const head = several(random, group, 0, 8, ":");
  const tail = several(random, group, 0, 5, ":");
  const end = random.chance(0.2) ? `:${ipv4()}` : "";
  return `${head}${random.pick(["::", ":", "", "::"])}${tail}${end}`;
}

const LINE_ENDS = [
  "\r\n",
  "\r\n",
  "\r\n",
  "\r\n",
  "\r\n",
  "\r\n",
  "\r\n",
  "\n",
  "\r",
  "\r\r\n",
  "\0\r\n",
];

/** CR LF, and what has been taken for it. */
export function oddLineEnd(random: Random): string {
  return random.pick(LINE_ENDS);
}

const LINES = [
  "",
  ".",
  "..",
  ".a",
  "a",
  "Hello there",
  "\0.",
  ".\0",
  "\xe9t\xe9",
  " folded",
  "RSET",
  "DATA",
]
  .concat(["x".repeat(998), "MAIL FROM:<a@b>", "Received: x", "Return-Path: <a@b>", "\t"]);

/** Lines as they stand behind DATA, `end` behind each; a period is not doubled. */
export function bodyLines(random: Random, end: () => string): string {
  return several(random, () => random.pick(LINES) + end(), 0, 6);
}

const FIELDS = ["Subject: dinner", "Date: Sun, 22 Nov 2026 15:04:05 +0000", "Message-ID: <1@x.y>"]
  .concat(["Received: from a by b", "received :x", "Return-Path: <a@b>", "RETURN-PATH \t: <>"])
  .concat(["X: y\r\n folded\r\n\tagain", "Resent-From: jones@me.example", "To: a@b, c@d", "X:"])
  .concat(["Sender: jones@me.example", "no field", " blank first", ": no name", `X: ${utf8("é")}`]);

/** A header in CR LF lines, with From mostly, without the empty line. */
export function header(random: Random, from: () => string): string {
  const field = () => random.chance(0.4) ? from() : random.pick(FIELDS);
  return several(random, field, 0, 5, "\r\n") + "\r\n";
}
