/** Text on its way to a terminal, by itself and in the lines of a log. */

import assert from "node:assert/strict";
import { type Format, startLog } from "../../src/log.ts";
import { escapeControls, printable as print } from "../../src/printable.ts";
import type { Random } from "../support/random.ts";
import { octets, utf8 } from "./octets.ts";
import type { Target } from "./target.ts";

const PIECES = [
  "text",
  " ",
  '"',
  "\\",
  "\\u0041",
  "é",
  "日本",
  "\u{1f600}",
  "\x1b[2J",
  "\n",
  "\r",
  "\0",
  "\x7f",
]
  .concat([
    "\x85",
    "\x9b",
    "\u061c",
    "\u200e",
    "\u200f",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\u2069",
  ])
  .concat(["\u3164", "\u034f", "\ufe0f", "\u{e0100}", "x".repeat(200)])
  .concat(["\ufeff", "\t", "=", "{", "}", "{{x}}", "{x}"]);

/** What moves the cursor, turns the direction, or is not seen and does something else. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** Characters of a value in the log. */
const MOST = 500;

export const printable: Target = {
  name: "printable",
  runs: 6000,
  words: PIECES.map(utf8),
  reaches: { plain: 0.15, escaped: 0.35, "in quotes": 0.4 },
  generate(random) {
    return octets(
      utf8(Array.from({ length: random.between(0, 8) }, () => random.pick(PIECES)).join("")),
    );
  },
  run(random, input) {
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(input);
    const shown = print(text);
    assert.doesNotMatch(shown, CONTROL);
    assert.equal(print(shown), shown);
    assert.equal(JSON.parse(escapeControls(JSON.stringify(text))), text);
    const quoted = checkLogged(random, text);
    return [shown === text ? "plain" : "escaped", ...quoted ? ["in quotes"] : []];
  },
};

/** An event stays one line, and as JSON reads back; whether the text stands in quotes. */
function checkLogged(random: Random, text: string): boolean {
  const format = random.pick<Format>(["text", "json"]);
  const lines: string[] = [];
  const log = startLog("info", format, (line) => lines.push(line));
  log.info("something happened", { text, more: ["a", text], none: undefined });
  const [line = "", ...more] = lines;
  assert.deepEqual(more, []);
  assert.ok(line.endsWith("\n"));
  assert.doesNotMatch(line.slice(0, -1), CONTROL);
  assert.ok(line.length < 8192, "no journal cuts it");
  const rest = text.length - MOST;
  const told = rest > 0 ? `${text.slice(0, MOST)}... and ${rest} more` : text;
  if (format === "json") {
    const { event, text: back, more } = JSON.parse(line);
    const isCut = "a,".length + text.length + 1 > MOST;
    assert.equal(more[1], isCut ? "and 1 more" : text);
    assert.deepEqual([event, back, more], ["something happened", told, ["a", more[1]]]);
    return true;
  }
  const [, value = ""] =
    /^\S+ info something happened text=(\S+|".*") more=.+$/.exec(line.trimEnd()) ?? [];
  assert.notEqual(value, "", line);
  if (!value.startsWith('"')) {
    assert.equal(value, told);
    return false;
  }
  assert.ok(line.includes(` text=${escapeControls(JSON.stringify(told))} more=`));
  return true;
}
