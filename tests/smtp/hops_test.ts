/** Received lines are counted in the header alone, in whatever pieces it comes (RFC 5321 6.3). */

import assert from "node:assert/strict";
import { HopCounter } from "../../src/smtp/hops.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

function count(pieces: readonly string[]): number {
  const counter = new HopCounter();
  for (const piece of pieces) counter.feed(bytes(piece));
  return counter.count;
}

const ROWS: readonly (readonly [what: string, text: string, count: number])[] = [
  ["nothing", "", 0],
  ["none", "Subject: x\r\n\r\nbody\r\n", 0],
  ["one", "Received: from a by b; date\r\nSubject: x\r\n\r\n", 1],
  [
    "two, one of them folded",
    "Received: from a\r\n\tby b;\r\n date\r\nReceived: by c; d\r\n\r\n",
    2,
  ],
  ["in whatever case", "RECEIVED: x\r\nreceived: y\r\nReCeIvEd:z\r\n\r\n", 3],
  ["between other fields", "To: a\r\nReceived: x\r\nFrom: b\r\nReceived: y\r\n\r\n", 2],
  ["not in the body (BUG-22)", "Subject: x\r\n\r\nReceived: x\r\nReceived: y\r\n", 0],
  ["not in a text that begins with an empty line", "\r\nReceived: x\r\n", 0],
  ["not inside a line", "Subject: Received: x\r\n\r\n", 0],
  ["not in a folded line", "Subject: x\r\n Received: y\r\n\tReceived: z\r\n\r\n", 0],
  ["not fields of a longer name", "X-Received: x\r\nReceived-SPF: pass\r\nReceiveds: x\r\n\r\n", 0],
  ["not without a colon", "Received\r\nReceived x\r\n\r\n", 0],
  ["a blank line is no empty one", "Received: x\r\n \r\nReceived: y\r\n\r\nReceived: z\r\n", 2],
  ["a header without end", "Received: x\r\nReceived: y\r\n", 2],
  ["a line that has not ended", "Received: x\r\nReceived:", 2],
  ["half a name", "Received: x\r\nReceive", 1],
  ["a hundred and one", "Received: x\r\n".repeat(101), 101],
];

for (const [what, text, expected] of ROWS) {
  Deno.test(`hops: ${what}`, () => {
    assert.equal(count([text]), expected, "all at once");
    assert.equal(count([...text]), expected, "byte by byte");
    for (let at = 1; at < Math.min(text.length, 200); at++) {
      assert.equal(count([text.slice(0, at), text.slice(at)]), expected, `split at ${at}`);
    }
  });
}

Deno.test("the counter tells when the header is over", () => {
  const counter = new HopCounter();
  counter.feed(bytes("Received: x\r\n\r"));
  assert.equal(counter.inHeader, true);
  counter.feed(bytes("\n"));
  assert.equal(counter.inHeader, false);
  counter.feed(bytes("Received: y\r\n"));
  assert.equal(counter.count, 1);
});

Deno.test("blanks before the colon do not hide a Received field (RFC 5322 4.5)", () => {
  const counter = new HopCounter();
  counter.feed(new TextEncoder().encode("Received : a\r\nReceived\t: b\r\nReceived x: c\r\n\r\n"));
  assert.equal(counter.count, 2);
});

Deno.test("a text that begins with a blank has no header to count in", () => {
  const counter = new HopCounter();
  counter.feed(new TextEncoder().encode(" x\r\nReceived: a\r\n"));
  assert.equal(counter.count, 0);
  assert.equal(counter.inHeader, false);
});
