/** Replies where they make no sense, and connections that break: what was decided stays so. */

import assert from "node:assert/strict";
import type { Mailbox } from "../../src/smtp/address.ts";
import { ClientSession } from "../../src/smtp/client.ts";
import { ReplyError } from "../../src/smtp/reply_reader.ts";
import {
  bytes,
  ENVELOPE,
  GREEN,
  heard,
  JONES,
  OFFERS_PIPELINING,
  OK,
  SMITH,
} from "./client_script.ts";

const BEGUN = ["220 a\r\n", "250 a\r\n", "(begin)"];

Deno.test("a refusal before the text has ended is the answer to it, and nothing can follow", () => {
  const session = heard([...BEGUN, OK, OK, "550 unknown\r\n", OK, "354 go\r\n"]);
  assert.equal(session.step, "text");
  session.feed(bytes("552 too big\r\n"));
  const event = session.next();
  assert.ok(event?.kind === "results");
  assert.deepEqual(
    event.results.map(({ forwardPath, reply }) => [forwardPath, reply.code]),
    [[GREEN, 550], [JONES, 552], [SMITH, 552]],
  );
  assert.equal(session.takeOutput(), "");
  assert.ok(session.over);
  assert.throws(() => session.quit());
  assert.throws(() => session.begin(ENVELOPE));
});

/** Replies before the one that makes no sense there. */
const NONSENSE: readonly (readonly [what: string, replies: readonly string[], last: string])[] = [
  ["a greeting of 354", [], "354 go"],
  ["EHLO answered by 354", ["220 a\r\n"], "354 go"],
  ["HELO answered by 354", ["220 a\r\n", "500 a\r\n"], "354 go"],
  ["MAIL answered by 354", BEGUN, "354 go"],
  ["RCPT answered by 354", [...BEGUN, OK], "354 go"],
  ["DATA answered by 250", [...BEGUN, OK, OK, OK, OK], "250 OK"],
  ["DATA answered by 355", [...BEGUN, OK, OK, OK, OK], "355 hm"],
  ["250 before the text has ended", [...BEGUN, OK, OK, OK, OK, "354 a\r\n"], "250 OK"],
  ["the text answered by 354", [...BEGUN, OK, OK, OK, OK, "354 a\r\n", "(text)"], "354 go"],
  ["RSET refused", [...BEGUN, OK, ...Array(3).fill("550 a\r\n"), "(begin)"], "550 no"],
  ["an answer to nothing", ["220 a\r\n", "250 a\r\n"], "250 a"],
  ["an answer before the command is out", [], "220 a\r\n250 a"],
];

for (const [what, replies, last] of NONSENSE) {
  Deno.test(`${what} makes no sense, and nothing counts as delivered (RFC 5321 4.2.1)`, () => {
    const session = heard(replies);
    session.feed(bytes(`${last}\r\n`));
    assert.throws(() => session.next(), ReplyError);
  });
}

Deno.test("what is no reply ends it (CL-15)", () => {
  for (const wire of ["650 x\r\n", "150 x\r\n", "hello\r\n", "220-a\r\n250 b\r\n"]) {
    const session = new ClientSession({ host: "me.example", wantsTls: false });
    session.feed(bytes(wire));
    assert.throws(() => session.next(), ReplyError, wire);
  }
});

Deno.test("a server that adds to its last answer gets no further transaction", () => {
  for (const more of [OK, "421 bye\r\n", "25"]) {
    const session = heard([...BEGUN, OK, "550 a\r\n", "550 a\r\n"]);
    session.feed(bytes(`550 a\r\n${more}`));
    assert.equal(session.next()?.kind, "results");
    assert.ok(!session.usable, more);
    assert.ok(!session.over, more);
  }
});

/** Where the connection breaks, and who is decided by then. */
const BREAKS:
  readonly (readonly [string[], decided: Mailbox[], rest: Mailbox[], open: Mailbox[]])[] = [
    [["220 a\r\n"], [], [], []],
    [BEGUN, [], [], [JONES, GREEN, SMITH]],
    [[...BEGUN, OK, OK], [], [], [JONES, GREEN, SMITH]],
    [[...BEGUN, OK, OK, "550 a\r\n"], [GREEN], [], [JONES, SMITH]],
    [[...BEGUN, OK, OK, "452 a\r\n"], [], [GREEN], [JONES, SMITH]],
    [[...BEGUN, OK, OK, "550 a\r\n", OK, "354 a\r\n", "(text)"], [GREEN], [], [JONES, SMITH]],
    [
      ["220 a\r\n", OFFERS_PIPELINING, "(begin)", "550 a\r\n", "503 a\r\n"],
      [JONES, GREEN, SMITH],
      [],
      [],
    ],
    [[...BEGUN, "550 a\r\n"], [], [], []],
  ];

for (const [replies, decided, rest, open] of BREAKS) {
  Deno.test(`a connection that breaks after ${JSON.stringify(replies)} undoes nothing`, () => {
    const session = heard(replies);
    const { results, remaining, undecided } = session.abandon();
    assert.deepEqual(results.map(({ forwardPath }) => forwardPath), decided);
    assert.deepEqual(remaining, rest);
    assert.deepEqual(undecided, open);
    assert.ok(session.over);
  });
}
