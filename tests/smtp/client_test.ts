/** The sending side against servers that follow a script (RFC 5321 3.3, 4.2, 4.3.2). */

import assert from "node:assert/strict";
import type { Mailbox } from "../../src/smtp/address.ts";
import { ClientSession, MAX_RECIPIENTS } from "../../src/smtp/client.ts";
import {
  BYE,
  EHLO,
  ENVELOPE,
  GREEN,
  heard,
  JONES,
  MAIL,
  OK,
  play,
  QUIT,
  type Script,
  SUCCESS,
  THREE,
} from "./client_script.ts";

Deno.test("one message to one recipient, a command at a time, and QUIT at the end (CL-27)", () => {
  assert.deepEqual(play(SUCCESS), ["jones 250 2.0.0 taken as 42"]);
});

Deno.test("replies may come byte by byte", () => {
  assert.deepEqual(play(SUCCESS, { cut: (reply) => [...reply] }), ["jones 250 2.0.0 taken as 42"]);
});

Deno.test("nothing is said before the greeting (CL-12)", () => {
  const session = new ClientSession({ host: "me.example", wantsTls: false });
  assert.equal(session.next(), undefined);
  assert.equal(session.takeOutput(), "");
  assert.equal(session.step, "greeting");
  assert.equal(session.usable, false);
});

Deno.test("replies of several lines and unknown codes are replies to any command (CL-15)", () => {
  const script: Script = [
    ["220-x.y\r\n220-no spam\r\n220 please\r\n", "EHLO me.example"],
    MAIL,
    ["250-x\r\n250 y\r\n", "RCPT TO:<jones@x.y>"],
    ["299-a\r\n299\r\n", "DATA"],
    ["354-a\r\n354 b\r\n", "(text)"],
    ["288-a\r\n288 b\r\n", "QUIT"],
    ["221-bye\r\n221 bye\r\n", ""],
  ];
  assert.deepEqual(play(script), ["jones 288  a/b"]);
});

for (const code of [500, 502, 504, 550]) {
  Deno.test(`a server that answers ${code} to EHLO is asked by HELO (CL-12, CL-30)`, () => {
    const script: Script = [
      EHLO,
      // What such an answer lists is not offered, and neither is what follows the name in HELO's.
      [`${code}-what\r\n${code} SIZE 5000\r\n`, "HELO me.example"],
      ["250-x.y\r\n250-PIPELINING\r\n250 SIZE 5000\r\n", "MAIL FROM:<fred@me.example>"],
      [OK, "RCPT TO:<jones@x.y>"],
      [OK, "DATA"],
      ["354 go\r\n", "(text)"],
      QUIT,
      BYE,
    ];
    assert.deepEqual(play(script), ["jones 250  OK"]);
  });
}

Deno.test("each recipient has its own fate (CL-17, BUG-24)", () => {
  const script: Script = [
    EHLO,
    MAIL,
    [OK, "RCPT TO:<jones@x.y>"],
    [OK, "RCPT TO:<green@x.y>"],
    ["550 5.1.1 unknown\r\n", "RCPT TO:<smith@x.y>"],
    ["450 4.2.1 busy\r\n", "DATA"],
    ["354 go\r\n", "(text)"],
    ["250 2.0.0 taken\r\n", "QUIT"],
    BYE,
  ];
  assert.deepEqual(play(script, { envelopes: [THREE] }), [
    "green 550 5.1.1 unknown",
    "smith 450 4.2.1 busy",
    "jones 250 2.0.0 taken",
  ]);
});

Deno.test("251 is a recipient accepted", () => {
  const script: Script = [
    EHLO,
    MAIL,
    [OK, "RCPT TO:<jones@x.y>"],
    ["251 will forward\r\n", "DATA"],
    ["354 go\r\n", "(text)"],
    QUIT,
    BYE,
  ];
  assert.deepEqual(play(script), ["jones 250  OK"]);
});

Deno.test("without a recipient there is no DATA, and RSET before what is next (CL-16, BUG-12)", () => {
  const script: Script = [
    EHLO,
    MAIL,
    [OK, "RCPT TO:<jones@x.y>"],
    ["550 a\r\n", "RCPT TO:<green@x.y>"],
    ["452 b\r\n", "RCPT TO:<smith@x.y>"],
    ["553 c\r\n", "RSET"],
    [OK, "MAIL FROM:<fred@me.example> SIZE=1234"],
    [OK, "RCPT TO:<jones@x.y>"],
    ["550 a\r\n", "QUIT"],
    BYE,
  ];
  assert.deepEqual(play(script, { envelopes: [THREE, {}] }), [
    "jones 550  a",
    "green 452  b",
    "smith 553  c",
    "jones 550  a",
  ]);
});

for (const code of [452, 552]) {
  Deno.test(`${code} after an accepted recipient: the rest is for another transaction (CL-18)`, () => {
    const script: Script = [
      EHLO,
      MAIL,
      [OK, "RCPT TO:<jones@x.y>"],
      [OK, "RCPT TO:<green@x.y>"],
      [`${code} too many\r\n`, "RCPT TO:<smith@x.y>"],
      ["550 unknown\r\n", "DATA"],
      ["354 go\r\n", "(text)"],
      [OK, "MAIL FROM:<fred@me.example> SIZE=1234"],
      [OK, "RCPT TO:<green@x.y>"],
      // Here it is about this one.
      [`${code} full\r\n`, "QUIT"],
      BYE,
    ];
    assert.deepEqual(play(script, { envelopes: [THREE, { forwardPaths: [GREEN] }] }), [
      "smith 550  unknown",
      "jones 250  OK",
      "green remains",
      `green ${code}  full`,
    ]);
  });
}

Deno.test("a hundred recipients go in one transaction, and no more (CL-18, CL-23)", () => {
  const forwardPaths = Array<Mailbox>(100).fill(JONES);
  const session = heard(["220 x.y\r\n", "250-x.y\r\n250 PIPELINING\r\n"]);
  session.begin({ ...ENVELOPE, forwardPaths });
  assert.equal(session.takeOutput().match(/^RCPT /gm)?.length, 100);
  assert.equal(MAX_RECIPIENTS, 100);
  for (const wrong of [[], [...forwardPaths, JONES]]) {
    const session = heard(["220 x.y\r\n", "250 x.y\r\n"]);
    assert.throws(() => session.begin({ ...ENVELOPE, forwardPaths: wrong }), RangeError);
  }
});

Deno.test("5yz to MAIL is about this transaction alone, and needs no RSET (CL-21)", () => {
  const script: Script = [
    EHLO,
    MAIL,
    ["550 5.7.1 not you\r\n", "MAIL FROM:<fred@me.example> SIZE=1234"],
    [OK, "RCPT TO:<jones@x.y>"],
    [OK, "DATA"],
    ["354 go\r\n", "(text)"],
    QUIT,
    BYE,
  ];
  assert.deepEqual(play(script, { envelopes: [{}, {}] }), [
    "jones 550 5.7.1 not you",
    "jones 250  OK",
  ]);
});

for (const code of [451, 503, 554]) {
  Deno.test(`DATA or the text is refused with ${code}: so it is for whom was accepted (CL-19)`, () => {
    const before: Script = [
      EHLO,
      MAIL,
      [OK, "RCPT TO:<jones@x.y>"],
      [OK, "RCPT TO:<green@x.y>"],
      ["550 unknown\r\n", "RCPT TO:<smith@x.y>"],
      [OK, "DATA"],
    ];
    const expected = ["green 550  unknown", `jones ${code}  no`, `smith ${code}  no`];
    const atData: Script = [...before, [`${code} no\r\n`, "QUIT"], BYE];
    assert.deepEqual(play(atData, { envelopes: [THREE] }), expected);
    const atEnd: Script = [...before, ["354 go\r\n", "(text)"], [`${code} no\r\n`, "QUIT"], BYE];
    assert.deepEqual(play(atEnd, { envelopes: [THREE] }), expected);
  });
}

/** Where a server refuses to talk at all (CL-13). */
const REFUSALS: readonly (readonly [what: string, before: Script, code: number])[] = [
  ["the greeting", [], 554],
  ["the greeting", [], 521],
  ["the greeting", [], 450],
  ["EHLO", [EHLO], 451],
  ["HELO", [EHLO, ["500 what\r\n", "HELO me.example"]], 550],
  ["HELO", [EHLO, ["500 what\r\n", "HELO me.example"]], 450],
];

for (const [what, before, code] of REFUSALS) {
  Deno.test(`${what} is refused with ${code}: no transaction, and a polite end (CL-13, CL-27)`, () => {
    const script: Script = [...before, [`${code} no\r\n`, "QUIT"], BYE];
    assert.deepEqual(play(script, { envelopes: [] }), [`refused ${code}`]);
  });
}

/** Wherever a server says 421 it says nothing more (RFC 5321 3.8, CL-13). */
const LEAVINGS: readonly (readonly [what: string, before: Script, told: readonly string[]])[] = [
  ["the greeting", [], ["refused 421"]],
  ["EHLO", [EHLO], ["refused 421"]],
  ["HELO", [EHLO, ["500 what\r\n", "HELO me.example"]], ["refused 421"]],
  ["MAIL", SUCCESS.slice(0, 2), ["jones 421 4.3.2 bye"]],
  ["RCPT", SUCCESS.slice(0, 3), ["jones 421 4.3.2 bye"]],
  ["DATA", SUCCESS.slice(0, 4), ["jones 421 4.3.2 bye"]],
  ["the text", SUCCESS.slice(0, 5), ["jones 421 4.3.2 bye"]],
  ["QUIT", SUCCESS.slice(0, 6), ["jones 250 2.0.0 taken as 42"]],
];

for (const [what, before, told] of LEAVINGS) {
  Deno.test(`421 to ${what} is the end, and the result of the undecided`, () => {
    const envelopes = told[0] === "refused 421" ? [] : [{}];
    assert.deepEqual(play([...before, ["421 4.3.2 bye\r\n", ""]], { envelopes }), told);
  });
}
