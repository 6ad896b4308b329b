/** Command lines: what is one, where it ends in a stream, and what is read in it. */

import assert from "node:assert/strict";
import {
  type Command,
  LONGEST_LINE,
  LONGEST_LINE_WITH_AUTH,
  parseCommand,
} from "../../src/smtp/command.ts";
import { LineReader } from "../../src/smtp/line.ts";
import { encodeReply } from "../../src/smtp/reply.ts";
import type { Random } from "../support/random.ts";
import { checkMailbox } from "./address.ts";
import * as grammar from "./grammar.ts";
import { characters, cut, octets } from "./octets.ts";
import type { Target } from "./target.ts";

const VERBS = ["NOOP", "RSET", "QUIT", "DATA", "VRFY x", "EXPN x", "HELP", "HELP mail", "STARTTLS"]
  .concat([
    "HELO",
    "MAIL",
    "RCPT",
    "AUTH",
    "XYZ",
    "SEND FROM:<a@b>",
    "SAML",
    "TURN",
    "GET / HTTP/1.1",
  ])
  .concat(["", " ", "NOOP x y", "DATA x", "HELP XYZ", "VRFY", "EHLO", "MAIL FROM:", "RCPT TO:"]);

const PARAMETERS = ["SIZE=1000", "SIZE=0", "SIZE=99999999999999999999", "SIZE=", "BODY=8BITMIME"]
  .concat([
    "BODY=7bit",
    "BODY=X",
    "AUTH=<>",
    "AUTH=a+40b",
    "AUTH=a+4",
    "X=y",
    "=",
    "SMTPUTF8",
    "X-a",
  ]);

/** One line without its end, mostly a good one. */
export function commandLine(random: Random): string {
  switch (random.between(0, 9)) {
    case 0:
    case 1:
      return `${random.pick(["EHLO", "HELO", "ehlo"])} ${grammar.domain(random)}`;
    case 2:
    case 3: {
      const parameters = several(random, PARAMETERS);
      return `MAIL FROM:${random.pick(["", " "])}${grammar.path(random)}${parameters}`;
    }
    case 4:
    case 5:
      return `RCPT TO:${grammar.path(random)}${
        random.chance(0.1) ? several(random, PARAMETERS) : ""
      }`;
    case 6: {
      const response = random.pick([
        "",
        " =",
        " AGpvbmVzAHNlY3JldA==",
        " x",
        ` ${"QUFB".repeat(3000)}`,
      ]);
      return `AUTH ${random.pick(["PLAIN", "LOGIN", "plain", "CRAM-MD5", ""])}${response}`;
    }
    default:
      return random.pick(VERBS);
  }
}

function several(random: Random, words: readonly string[]): string {
  return grammar.several(random, () => ` ${random.pick(words)}`, 0, 3);
}

export const command: Target = {
  name: "command",
  runs: 20_000,
  words: [" ", "MAIL FROM:", "RCPT TO:", "<a@b>", "SIZE=1", "BODY=8BITMIME", "AUTH=", "=", "EHLO "],
  reaches: { EHLO: 0.03, MAIL: 0.015, RCPT: 0.03, AUTH: 0.01, HELP: 0.007, "too long": 0.02 },
  generate: (random) => octets(commandLine(random)),
  run(random, input) {
    const line = characters(input);
    const extensions = { startTls: random.chance(0.5), auth: random.chance(0.5) };
    const parsed = parseCommand(line, extensions);
    if ("code" in parsed) {
      assert.ok(parsed.code >= 500 && parsed.code < 560, "what cannot be read is refused for good");
      assert.match(encodeReply(parsed), /^[ -~]+\r\n$/);
      return [
        encodeReply(parsed),
        ...parsed.status === "5.5.2" && line.length > 510 ? ["too long"] : [],
      ];
    }
    assert.match(line, /^[ -~]*[ \t]*$/, "nothing but printable ASCII is a command");
    assert.ok(line.length + 2 <= longest(parsed.verb, extensions.auth));
    const word = /^[^ \t]*/.exec(line)?.[0];
    assert.equal(word?.toUpperCase(), parsed.verb);
    checkCommand(parsed, extensions);
    return [parsed.verb];
  },
};

/** Octets with CR LF: RFC 5321 4.5.3.1.4, RFC 1870 3, RFC 6152 2, RFC 4954 3 and 4. */
function longest(verb: string, auth: boolean): number {
  if (verb === "MAIL") return auth ? 1055 : 555;
  return verb === "AUTH" ? 12_288 : 512;
}

function checkCommand(parsed: Command, extensions: { startTls: boolean; auth: boolean }): void {
  switch (parsed.verb) {
    case "HELO":
    case "EHLO":
      return assert.match(parsed.domain, /^(?:[A-Za-z0-9._-]{1,255}|\[[!-~]{1,253}\])$/);
    case "MAIL":
      if (parsed.reversePath) checkMailbox(parsed.reversePath);
      if (parsed.reversePath) assert.notEqual(parsed.reversePath.domain, "");
      return assert.ok(parsed.size === undefined || parsed.size >= 0);
    case "RCPT":
      return checkMailbox(parsed.forwardPath);
    case "STARTTLS":
      return assert.ok(extensions.startTls);
    case "AUTH":
      assert.ok(extensions.auth);
      return assert.match(parsed.initialResponse ?? "x", /^[!-~]+$/);
    case "HELP":
      for (const line of parsed.lines) assert.match(line, /^[ -~]+$/);
  }
}

export const line: Target = {
  name: "line",
  runs: 4000,
  words: ["\r\n", "\r", "\n", "NOOP\r\n", "x".repeat(511), "\r\r\n"],
  reaches: { line: 0.5, "too long": 0.1 },
  generate: (random) => {
    const one = () => commandLine(random) + grammar.oddLineEnd(random);
    return octets(grammar.several(random, one, 1, 6));
  },
  run(random, input) {
    const longest = random.pick([10, 512, LONGEST_LINE, LONGEST_LINE_WITH_AUTH]);
    // CR LF is all that ends one, so this is what a line is.
    const wanted = characters(input).split("\r\n").slice(0, -1)
      .map((line) => line.length + 2 <= longest ? line : null);
    const reader = new LineReader(longest);
    const lines: (string | null)[] = [];
    for (const piece of cut(random, input)) {
      for (let at = 0; at < piece.length;) {
        const { next, line } = reader.read(piece, at);
        assert.ok(next > at && next <= piece.length);
        at = next;
        if (line !== undefined) lines.push(line);
        if (line === null) {
          assert.ok(reader.start.length < longest, "no more is kept of a long one");
        }
      }
    }
    assert.deepEqual(lines, wanted);
    return lines.map((line) => line === null ? "too long" : "line");
  },
};
