/** What a server says, read as replies. */

import assert from "node:assert/strict";
import { statusOf } from "../../src/queue/status.ts";
import { encodeReply, type Reply, replyText, shortened } from "../../src/smtp/reply.ts";
import { ReplyError, ReplyReader } from "../../src/smtp/reply_reader.ts";
import type { Random } from "../support/random.ts";
import { cut, octets } from "./octets.ts";
import * as grammar from "./grammar.ts";
import type { Target } from "./target.ts";

const TEXTS = [
  "OK",
  "",
  "5.1.1 No such user",
  "2.0.0",
  "5.1.1",
  "4.7.1x",
  "\xe9\x1b[2J",
  "x".repeat(600),
]
  .concat([
    "SIZE 1000",
    "PIPELINING",
    "8BITMIME",
    "STARTTLS",
    "AUTH PLAIN LOGIN",
    "size",
    "2.1.5 fine",
  ]);

/** A line of a reply with its end, mostly a good one. */
export function replyLine(random: Random, code: string | number, last: boolean): string {
  const separator = random.chance(0.03) ? random.pick(["", "\t", "--"]) : last ? " " : "-";
  const end = random.pick(["\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r\r\n"]);
  return `${code}${separator}${random.pick(TEXTS)}${end}`;
}

/** One whole reply, mostly a good one. */
export function replyOf(random: Random, code: string | number): string {
  const more = grammar.several(
    random,
    () => replyLine(random, code, false),
    0,
    random.pick([0, 0, 4]),
  );
  return more + replyLine(random, random.chance(0.99) ? code : 599, true);
}

export const CODES = [
  220,
  250,
  354,
  421,
  450,
  451,
  452,
  550,
  552,
  554,
  334,
  235,
  535,
  299,
  650,
  "25",
  "x",
];

export const reply: Target = {
  name: "reply",
  runs: 4000,
  words: ["250", "250-", "\r\n", "\n", " 5.1.1 ", "421 ", "2.0.0", "-"],
  reaches: { reply: 0.3, "no reply": 0.3, lines: 0.1, endless: 0.002 },
  generate(random) {
    return octets(grammar.several(random, () => replyOf(random, random.pick(CODES)), 1, 5));
  },
  run(random, input) {
    const heard = listen([input.slice()]);
    assert.deepEqual(listen(cut(random, input)), heard, "however it is cut");
    const outcomes = heard.replies.map(checkReply);
    // Nothing of one reply is left for the next.
    let start = 0;
    for (const [i, end] of heard.ends.entries()) {
      assert.deepEqual(listen([input.slice(start, end)]).replies, [heard.replies[i]]);
      start = end;
    }
    if (heard.error !== undefined) outcomes.push(["no reply", heard.error.slice(0, 30)]);
    if (heard.error?.includes("does not end")) outcomes.push(["endless"]);
    return outcomes.flat();
  },
};

interface Heard {
  readonly replies: readonly Reply[];
  /** Where each of them ends, in octets from the start. */
  readonly ends: readonly number[];
  /** Why the server is listened to no longer. */
  readonly error?: string;
}

function listen(pieces: readonly Uint8Array[]): Heard {
  const reader = new ReplyReader();
  const replies: Reply[] = [];
  const ends: number[] = [];
  let before = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      let read;
      try {
        read = reader.read(piece, at);
      } catch (error) {
        if (!(error instanceof ReplyError)) throw error;
        assert.match(error.message, /^[ -~]{1,150}$/);
        return { replies, ends, error: error.message };
      }
      assert.ok(read.next > at);
      at = read.next;
      if (!read.reply) continue;
      assert.ok(!reader.inReply);
      replies.push(read.reply);
      ends.push(before + at);
    }
    before += piece.length;
  }
  return { replies, ends };
}

/** It can be shown, is not long, and reads back as itself. */
function checkReply(reply: Reply): string[] {
  const text = encodeReply(reply);
  assert.match(text, /^(?:[2-5]\d\d[ -][ -~]*\r\n)+$/);
  assert.match(replyText(reply), /^[ -~]+$/);
  assert.match(statusOf(reply), /^[245]\.\d{1,3}\.\d{1,3}$/);
  assert.ok(replyText(reply).length <= 64 * 1024 + 200);
  assert.ok(replyText(shortened(reply)).length <= 2300, "nobody fills our log");
  const [first = "", ...rest] = reply.lines;
  // A text that begins like a status is one.
  if (reply.lines.some((line) => /^[245]\.\d{1,3}\.\d{1,3}( |$)/.test(line))) return ["reply"];
  assert.deepEqual(listen([octets(text)]).replies, [reply], `${first}${rest.length}`);
  return ["reply", ...rest.length > 0 ? ["lines"] : []];
}
