/** Texts: where one ends, what it is without its periods, and what becomes of it in a mailbox. */

import assert from "node:assert/strict";
import { MailboxText } from "../../src/mailbox/text.ts";
import { IncomingText } from "../../src/smtp/incoming_text.ts";
import { TextSender } from "../../src/smtp/transparency.ts";
import type { Random } from "../support/random.ts";
import * as grammar from "./grammar.ts";
import { characters, cut, joined, octets } from "./octets.ts";
import type { Target } from "./target.ts";

/**
 * What a text is, written down once more: `raw` is everything behind DATA, its end mark included.
 * `refusal` is how the reply to it begins, undefined where it is taken.
 */
export function judgeText(
  raw: string,
  maxSize: number,
): { readonly text: string; readonly refusal: string | undefined } {
  const text = raw.slice(0, -3).split("\r\n").map((line) => line.replace(/^\./, "")).join("\r\n");
  const header = /^[ \t]/.test(text) ? "" : text.split(/(?<=\r\n|^)\r\n/)[0]!;
  const hops = header.match(/^received[ \t]{0,32}:/gim)?.length ?? 0;
  const refusal = /\r(?!\n)|(?<!\r)\n/.test(text)
    ? "554 5.6.0"
    : /^\0+\.\0*\r$/m.test(text)
    ? "554 5.6.0"
    : text.length > maxSize
    ? "552 5.3.4"
    : hops > 100
    ? "554 5.4.6"
    : undefined;
  return { text, refusal };
}

interface Read {
  /** Everything that was handed out. */
  readonly text: string;
  readonly refusal: string | undefined;
  readonly size: number;
  /** Octets read, undefined where the text did not end. */
  readonly end: number | undefined;
}

function read(pieces: readonly Uint8Array[], maxSize: number): Read {
  const incoming = new IncomingText(maxSize);
  let [text, before] = ["", 0];
  let end: number | undefined;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length && end === undefined;) {
      const part = incoming.read(piece, at);
      assert.ok(part.next > at || part.end);
      at = part.next;
      text += characters(part.bytes);
      if (part.end) end = before + at;
    }
    before += piece.length;
  }
  const { refusal, size } = incoming;
  return { text, refusal: refusal && `${refusal.code} ${refusal.status}`, size, end };
}

function textOf(random: Random): string {
  const oddEnd = random.chance(0.2);
  const end = () => oddEnd ? grammar.oddLineEnd(random) : "\r\n";
  const header = random.chance(0.6) ? grammar.header(random, () => "From: a@b") + end() : "";
  const hops = random.chance(0.02) ? "Received: x\r\n".repeat(random.between(98, 103)) : "";
  const body = grammar.bodyLines(random, end).replace(
    /(?<=\r\n|^)\./g,
    () => random.chance(0.9) ? ".." : ".",
  );
  return `${hops}${header}${body}.\r\n`;
}

export const data: Target = {
  name: "data",
  runs: 7000,
  words: [
    "\r\n.\r\n",
    ".\r\n",
    "\r\n..\r\n",
    "\n.\n",
    "\r.\r\n",
    "\0.\r\n",
    "Received: x\r\n",
    "Return-Path:",
  ],
  reaches: { ended: 0.5, taken: 0.2, "554 5.6.0": 0.1, "552 5.3.4": 0.05, "554 5.4.6": 0.002 },
  generate: (random) => octets(textOf(random)),
  run(random, input) {
    const maxSize = random.pick([20, 100, 10_000, 10_000, 10_000]);
    const one = read([input.slice()], maxSize);
    const raw = `\r\n${characters(input)}`;
    const mark = raw.indexOf("\r\n.\r\n");
    assert.equal(
      one.end,
      mark < 0 ? undefined : mark + 3,
      "CR LF . CR LF ends a text, nothing else",
    );
    const other = read(cut(random, input.slice()), maxSize);
    assert.equal(other.end, one.end);
    if (mark < 0) return ["endless"];
    assert.equal(other.refusal, one.refusal, "however it is cut");
    const { text, refusal } = judgeText(raw.slice(2, mark + 5), maxSize);
    assert.equal(one.refusal, refusal);
    assert.equal(one.size, text.length);
    if (refusal) return ["ended", refusal];
    assert.equal(one.text, text);
    assert.equal(other.text, text);
    checkSent(random, text);
    checkKept(random, text);
    return ["ended", "taken"];
  },
};

/** What is sent on is read back as it was, and ends where it ends. */
function checkSent(random: Random, text: string): void {
  const sender = new TextSender();
  const sent = cut(random, octets(text)).flatMap((piece) =>
    sender.convert(piece).map((p) => p.slice())
  );
  const wire = joined([...sent, sender.end()]);
  const { text: back, end, refusal } = read(cut(random, wire), Infinity);
  assert.deepEqual([back, end], [text, wire.length]);
  assert.ok(refusal === undefined);
}

/** In a mailbox the same lines end in LF, and Return-Path fields are gone from the header. */
function checkKept(random: Random, text: string): void {
  const converter = new MailboxText();
  let kept = "";
  for (const piece of cut(random, octets(text))) {
    const out = new Uint8Array(MailboxText.room(piece.length));
    const end = converter.convert(piece, out, 0);
    assert.ok(end <= out.length);
    kept += characters(out.subarray(0, end));
  }
  const lines = text.replaceAll("\r\n", "\n");
  if (/^[ \t]/.test(lines)) return assert.equal(kept, `\n${lines}`);
  const [, header = "", rest = ""] = /^((?:[^\n]+\n)*)([^]*)$/.exec(lines) ?? [];
  assert.equal(kept, header.replace(/^return-path[ \t]{0,32}:.*\n(?:[ \t].*\n)*/gim, "") + rest);
}
