/** The sending side against servers that follow a script (RFC 5321 3.3, 4.2, 4.3.2). */

import assert from "node:assert/strict";
import type { Mailbox } from "../../src/smtp/address.ts";
import { type ClientEvent, ClientSession, type Envelope } from "../../src/smtp/client.ts";
import { ReplyError } from "../../src/smtp/reply_reader.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const JONES = { localPart: "jones", domain: "x.y" };
const SMITH = { localPart: "smith", domain: "x.y" };
const GREEN = { localPart: "green", domain: "x.y" };

const ENVELOPE: Envelope = {
  host: "me.example",
  reversePath: { localPart: "fred", domain: "me.example" },
  forwardPaths: [JONES],
  size: 1234,
  eightBit: false,
};

/** What the server says, and what the client must say to it; `(text)` stands for the text. */
type Script = readonly (readonly [reply: string, answer: string])[];

/** Plays a script and returns each recipient with the first words of its result. */
function play(envelope: Partial<Envelope>, script: Script, pieces = (reply: string) => [reply]) {
  const session = new ClientSession({ ...ENVELOPE, ...envelope });
  let done: ClientEvent | undefined;
  for (const [reply, answer] of script) {
    assert.equal(done, undefined, "the client is done too early");
    let said = "";
    for (const piece of pieces(reply)) {
      session.feed(bytes(piece));
      for (let event = session.next(); event; event = session.next()) {
        if (event.kind === "done") done = event;
        else {
          said += session.takeOutput() + "(text)";
          session.textSent();
        }
      }
      said += session.takeOutput();
    }
    assert.equal(said.replace(/\r\n$/, ""), answer, `after ${JSON.stringify(reply)}`);
  }
  assert.ok(done?.kind === "done", "the client is not done");
  return done.results.map(({ forwardPath, reply }) =>
    `${forwardPath.localPart} ${reply.code} ${reply.status} ${reply.lines.join("/")}`
  );
}

const EHLO = ["220 x.y ESMTP\r\n", "EHLO me.example"] as const;
const GREETED = "250-x.y\r\n250-SIZE 5000\r\n250 8BITMIME\r\n";
const MAIL = [GREETED, "MAIL FROM:<fred@me.example> SIZE=1234"] as const;
const OK = "250 OK\r\n";
const BYE = ["221 bye\r\n", ""] as const;

const SUCCESS: Script = [
  EHLO,
  MAIL,
  ["250 2.1.0 OK\r\n", "RCPT TO:<jones@x.y>"],
  ["250 2.1.5 OK\r\n", "DATA"],
  ["354 go\r\n", "(text)"],
  ["250 2.0.0 taken as 42\r\n", "QUIT"],
  BYE,
];

Deno.test("one message to one recipient, a command at a time", () => {
  assert.deepEqual(play({}, SUCCESS), ["jones 250 2.0.0 taken as 42"]);
});

Deno.test("replies may come byte by byte", () => {
  assert.deepEqual(play({}, SUCCESS, (reply) => [...reply]), ["jones 250 2.0.0 taken as 42"]);
});

Deno.test("nothing is said before the greeting (CL-12)", () => {
  const session = new ClientSession(ENVELOPE);
  assert.equal(session.next(), undefined);
  assert.equal(session.takeOutput(), "");
});

Deno.test("replies of several lines are replies to any command (CL-15)", () => {
  const script: Script = [
    ["220-x.y\r\n220-no spam\r\n220 please\r\n", "EHLO me.example"],
    MAIL,
    ["250-a\r\n250 b\r\n", "RCPT TO:<jones@x.y>"],
    ["299-a\r\n299\r\n", "DATA"],
    ["354-a\r\n354 b\r\n", "(text)"],
    ["250-a\r\n250 b\r\n", "QUIT"],
    ["221-bye\r\n221 bye\r\n", ""],
  ];
  assert.deepEqual(play({}, script), ["jones 250  a/b"]);
});

for (const code of [500, 502, 504, 550]) {
  Deno.test(`a server that answers ${code} to EHLO is asked by HELO (CL-12, CL-30)`, () => {
    const script: Script = [
      EHLO,
      [`${code} what\r\n`, "HELO me.example"],
      // What follows the name in an answer to HELO offers nothing.
      ["250-x.y\r\n250 SIZE 5000\r\n", "MAIL FROM:<fred@me.example>"],
      [OK, "RCPT TO:<jones@x.y>"],
      [OK, "DATA"],
      ["354 go\r\n", "(text)"],
      [OK, "QUIT"],
      BYE,
    ];
    assert.deepEqual(play({}, script), ["jones 250  OK"]);
  });
}

Deno.test("the null reverse-path is <> (CL-28)", () => {
  const script: Script = [
    EHLO,
    ["250 x.y\r\n", "MAIL FROM:<>"],
    ["550 no\r\n", "QUIT"],
    BYE,
  ];
  assert.deepEqual(play({ reversePath: null }, script), ["jones 550  no"]);
});

Deno.test("keywords are read in whatever case, and only whole (53-3, CL-30)", () => {
  const mail = (keywords: string, line: string): Script => [
    EHLO,
    [`250-x.y\r\n${keywords}`, line],
    ["550 no\r\n", "QUIT"],
    BYE,
  ];
  play({}, mail("250 size\r\n", "MAIL FROM:<fred@me.example> SIZE=1234"));
  play({}, mail("250 XSIZE\r\n", "MAIL FROM:<fred@me.example>"));
  play({}, mail("250 HELP SIZE\r\n", "MAIL FROM:<fred@me.example>"));
  play({}, [EHLO, ["250 SIZE\r\n", "MAIL FROM:<fred@me.example>"], ["550 no\r\n", "QUIT"], BYE]);
  const eightBit = { eightBit: true };
  play(eightBit, mail("250 8bitmime\r\n", "MAIL FROM:<fred@me.example> BODY=8BITMIME"));
  play(
    eightBit,
    mail("250-SIZE 1\r\n250 8BITMIME\r\n", "MAIL FROM:<fred@me.example> SIZE=1234 BODY=8BITMIME"),
  );
});

Deno.test("8-bit text does not go to a server without 8BITMIME (CL-26)", () => {
  const why = "5.6.3 The text has 8-bit octets and the server does not offer 8BITMIME";
  const script: Script = [EHLO, ["250-x.y\r\n250 SIZE\r\n", "QUIT"], BYE];
  const results = play({ eightBit: true, forwardPaths: [JONES, SMITH] }, script);
  assert.deepEqual(results, [`jones 554 ${why}`, `smith 554 ${why}`]);
  const old: Script = [EHLO, ["502 what\r\n", "HELO me.example"], ["250 x.y\r\n", "QUIT"], BYE];
  assert.deepEqual(play({ eightBit: true }, old), [`jones 554 ${why}`]);
});

const THREE = { forwardPaths: [JONES, GREEN, SMITH] as readonly Mailbox[] };

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
  assert.deepEqual(play(THREE, script).sort(), [
    "green 550 5.1.1 unknown",
    "jones 250 2.0.0 taken",
    "smith 450 4.2.1 busy",
  ]);
});

Deno.test("251 is a recipient accepted", () => {
  const script: Script = [
    EHLO,
    MAIL,
    [OK, "RCPT TO:<jones@x.y>"],
    ["251 will forward\r\n", "DATA"],
    ["354 go\r\n", "(text)"],
    [OK, "QUIT"],
    BYE,
  ];
  assert.deepEqual(play({}, script), ["jones 250  OK"]);
});

Deno.test("without a recipient there is no DATA (CL-16, BUG-12)", () => {
  const script: Script = [
    EHLO,
    MAIL,
    [OK, "RCPT TO:<jones@x.y>"],
    ["550 a\r\n", "RCPT TO:<green@x.y>"],
    ["452 b\r\n", "RCPT TO:<smith@x.y>"],
    ["553 c\r\n", "QUIT"],
    BYE,
  ];
  assert.deepEqual(play(THREE, script), ["jones 550  a", "green 452  b", "smith 553  c"]);
});

/** Where a server refuses everything at once: the result is the same for all (CL-13, CL-19). */
const REFUSALS: readonly (readonly [what: string, before: Script, code: number])[] = [
  ["the greeting", [], 554],
  ["the greeting for now", [], 421],
  ["EHLO for now", [EHLO], 421],
  ["HELO", [EHLO, ["500 what\r\n", "HELO me.example"]], 550],
  ["MAIL", [EHLO, MAIL], 552],
  ["MAIL for now", [EHLO, MAIL], 451],
];

for (const [what, before, code] of REFUSALS) {
  Deno.test(`${what} is refused with ${code}`, () => {
    const script: Script = [...before, [`${code} no\r\n`, "QUIT"], BYE];
    assert.deepEqual(
      play(THREE, script),
      ["jones", "green", "smith"].map((x) => `${x} ${code}  no`),
    );
  });
}

for (const code of [421, 451, 503, 554]) {
  Deno.test(`DATA or the text is refused with ${code}: so it is for whom was accepted`, () => {
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
    assert.deepEqual(play(THREE, atData).sort(), expected);
    const atEnd: Script = [...before, ["354 go\r\n", "(text)"], [`${code} no\r\n`, "QUIT"], BYE];
    assert.deepEqual(play(THREE, atEnd).sort(), expected);
  });
}

Deno.test("a refusal before the text has ended is the answer to it", () => {
  const session = new ClientSession(ENVELOPE);
  for (const reply of ["220 a\r\n", "250 a\r\n", OK, OK, "354 go\r\n"]) {
    session.feed(bytes(reply));
    const event = session.next();
    assert.equal(event?.kind, reply.startsWith("354") ? "text" : undefined);
  }
  session.takeOutput();
  session.feed(bytes("552 too big\r\n"));
  assert.equal(session.next(), undefined);
  assert.equal(session.takeOutput(), "QUIT\r\n");
});

/** Replies before the one that makes no sense there; `text` writes the text. */
const NONSENSE: readonly (readonly [what: string, replies: readonly string[], last: string])[] = [
  ["a greeting of 354", [], "354 go"],
  ["EHLO answered by 354", ["220 a"], "354 go"],
  ["HELO answered by 354", ["220 a", "500 a"], "354 go"],
  ["MAIL answered by 354", ["220 a", "250 a"], "354 go"],
  ["RCPT answered by 354", ["220 a", "250 a", "250 a"], "354 go"],
  ["DATA answered by 250", ["220 a", "250 a", "250 a", "250 a"], "250 OK"],
  ["DATA answered by 355", ["220 a", "250 a", "250 a", "250 a"], "355 hm"],
  ["250 before the text has ended", ["220 a", "250 a", "250 a", "250 a", "354 a"], "250 OK"],
  ["the text answered by 354", ["220 a", "250 a", "250 a", "250 a", "354 a", "text"], "354 go"],
];

for (const [what, replies, last] of NONSENSE) {
  Deno.test(`${what} makes no sense, and nothing counts as delivered (RFC 5321 4.2.1)`, () => {
    const session = new ClientSession(ENVELOPE);
    for (const reply of replies) {
      if (reply === "text") {
        session.textSent();
        continue;
      }
      session.feed(bytes(`${reply}\r\n`));
      session.next();
    }
    session.feed(bytes(`${last}\r\n`));
    assert.throws(() => session.next(), ReplyError);
  });
}

Deno.test("what is no reply ends it (CL-15)", () => {
  for (const wire of ["650 x\r\n", "hello\r\n", "220-a\r\n250 b\r\n"]) {
    const session = new ClientSession(ENVELOPE);
    session.feed(bytes(wire));
    assert.throws(() => session.next(), ReplyError, wire);
  }
});

Deno.test("no command line can be broken out of by an address (CL-31, BUG-26)", () => {
  const hostile = { localPart: "a>\r\nRCPT TO:<b", domain: "x.y" };
  const quoted = { localPart: "a> SIZE=1 <b", domain: "x.y" };
  const script: Script = [
    EHLO,
    MAIL,
    [OK, 'RCPT TO:<"a> SIZE=1 <b"@x.y>'],
    ["550 no\r\n", "QUIT"],
    BYE,
  ];
  assert.deepEqual(play({ forwardPaths: [quoted] }, script), ["a> SIZE=1 <b 550  no"]);
  const session = new ClientSession({ ...ENVELOPE, forwardPaths: [hostile] });
  assert.throws(() => {
    for (const reply of ["220 a\r\n", "250 a\r\n", OK]) {
      session.feed(bytes(reply));
      session.next();
    }
  }, RangeError);
  assert.doesNotMatch(session.takeOutput(), /RCPT/);
});
