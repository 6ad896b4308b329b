/** The sending side against servers that follow a script (RFC 5321 3.3, 4.2, 4.3.2). */

import assert from "node:assert/strict";
import type { Mailbox } from "../../src/smtp/address.ts";
import {
  type ClientEvent,
  ClientSession,
  type Envelope,
  MAX_RECIPIENTS,
} from "../../src/smtp/client.ts";
import { ReplyError } from "../../src/smtp/reply_reader.ts";

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const JONES = { localPart: "jones", domain: "x.y" };
const SMITH = { localPart: "smith", domain: "x.y" };
const GREEN = { localPart: "green", domain: "x.y" };

const ENVELOPE: Envelope = {
  reversePath: { localPart: "fred", domain: "me.example" },
  forwardPaths: [JONES],
  size: 1234,
  eightBit: false,
};

/** What the server says, and what the client must say to it; `(text)` and `(tls)` are what it does. */
type Script = readonly (readonly [reply: string, answer: string])[];

interface Play {
  /** The transactions, each given as far as it differs from ENVELOPE. */
  readonly envelopes?: readonly Partial<Envelope>[];
  readonly wantsTls?: boolean;
  /** How the server's replies are cut. */
  readonly cut?: (reply: string) => string[];
}

/**
 * Plays a script: one transaction after another as soon as one can begin, and QUIT at the end.
 * Returns a line for each recipient with what became of it, and one for a server that refuses to talk.
 */
function play(script: Script, { envelopes = [{}], wantsTls = false, cut }: Play = {}): string[] {
  const session = new ClientSession({ host: "me.example", wantsTls });
  const told: string[] = [];
  const left = [...envelopes];
  let closed = false;
  const act = (event: ClientEvent): string => {
    switch (event.kind) {
      case "text":
        session.textSent();
        return "(text)";
      case "starttls":
        session.secured();
        return "(tls)";
      case "refused":
        told.push(`refused ${event.reply.code}`);
        break;
      case "results":
        told.push(...event.results.map(({ forwardPath, reply, heard }) => {
          const who = heard ? forwardPath.localPart : `(own) ${forwardPath.localPart}`;
          return `${who} ${reply.code} ${reply.status} ${reply.lines.join("/")}`;
        }));
        told.push(...event.remaining.map(({ localPart }) => `${localPart} remains`));
        break;
      case "closed":
        closed = true;
    }
    if (session.over) closed = true;
    else if (session.usable && left.length > 0) session.begin({ ...ENVELOPE, ...left.shift() });
    else session.quit();
    return "";
  };
  for (const [reply, answer] of script) {
    assert.equal(closed, false, `closed before ${JSON.stringify(reply)}`);
    let said = "";
    for (const piece of cut?.(reply) ?? [reply]) {
      session.feed(bytes(piece));
      for (let event = session.next(); event; event = session.next()) said += act(event);
      said += session.takeOutput();
    }
    assert.equal(said.replace(/\r\n$/, ""), answer, `after ${JSON.stringify(reply)}`);
  }
  assert.equal(closed, true, "not closed");
  assert.deepEqual(left, [], "transactions left");
  return told;
}

const THREE = { forwardPaths: [JONES, GREEN, SMITH] as readonly Mailbox[] };

const EHLO = ["220 x.y ESMTP\r\n", "EHLO me.example"] as const;
const MAIL = ["250-x.y\r\n250 SIZE 5000\r\n", "MAIL FROM:<fred@me.example> SIZE=1234"] as const;
const OK = "250 OK\r\n";
const QUIT = [OK, "QUIT"] as const;
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

/** A script whose MAIL is refused, to look at MAIL alone. */
function mail(offered: string, line: string): Script {
  return [EHLO, [offered, line], ["550 no\r\n", "QUIT"], BYE];
}

Deno.test("the null reverse-path is <> (CL-28)", () => {
  const script = mail("250 x.y\r\n", "MAIL FROM:<>");
  assert.deepEqual(play(script, { envelopes: [{ reversePath: null }] }), ["jones 550  no"]);
});

Deno.test("keywords are read in whatever case, and only whole (53-3, CL-30)", () => {
  play(mail("250-x.y\r\n250 size\r\n", "MAIL FROM:<fred@me.example> SIZE=1234"));
  play(mail("250-x.y\r\n250 XSIZE\r\n", "MAIL FROM:<fred@me.example>"));
  play(mail("250-x.y\r\n250 HELP SIZE\r\n", "MAIL FROM:<fred@me.example>"));
  play(mail("250 SIZE\r\n", "MAIL FROM:<fred@me.example>"));
  const envelopes = [{ eightBit: true }];
  play(mail("250-x.y\r\n250 8bitmime\r\n", "MAIL FROM:<fred@me.example> BODY=8BITMIME"), {
    envelopes,
  });
  play(
    mail(
      "250-x.y\r\n250-SIZE\r\n250 8BITMIME\r\n",
      "MAIL FROM:<fred@me.example> SIZE=1234 BODY=8BITMIME",
    ),
    { envelopes },
  );
});

Deno.test("8-bit text does not go to a server without 8BITMIME (CL-26)", () => {
  const why = "5.6.3 The text has 8-bit octets and the server does not offer 8BITMIME";
  const envelopes = [{ ...THREE, eightBit: true }];
  const expected = ["jones", "green", "smith"].map((who) => `(own) ${who} 554 ${why}`);
  const script: Script = [EHLO, ["250-x.y\r\n250 SIZE\r\n", "QUIT"], BYE];
  assert.deepEqual(play(script, { envelopes }), expected);
  const old: Script = [EHLO, ["502 what\r\n", "HELO me.example"], ["250 x.y\r\n", "QUIT"], BYE];
  assert.deepEqual(play(old, { envelopes }), expected);
});

Deno.test("a text larger than the server takes is not tried, and the next one is", () => {
  const script: Script = [
    EHLO,
    ["250-x.y\r\n250 SIZE 5000\r\n", "MAIL FROM:<fred@me.example> SIZE=5000"],
    ["550 no\r\n", "QUIT"],
    BYE,
  ];
  assert.deepEqual(play(script, { envelopes: [{ ...THREE, size: 5001 }, { size: 5000 }] }), [
    ...["jones", "green", "smith"].map((who) =>
      `(own) ${who} 552 5.3.4 The text is larger than the server takes`
    ),
    "jones 550  no",
  ]);
});

for (const keyword of ["SIZE", "SIZE 0", "SIZE many"]) {
  Deno.test(`${keyword} sets no limit that is known (RFC 1870 3)`, () => {
    play(mail(`250-x.y\r\n250 ${keyword}\r\n`, "MAIL FROM:<fred@me.example> SIZE=99999999"), {
      envelopes: [{ size: 99_999_999 }],
    });
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
  const session = greeted("250-x.y\r\n250 PIPELINING\r\n");
  session.begin({ ...ENVELOPE, forwardPaths });
  assert.equal(session.takeOutput().match(/^RCPT /gm)?.length, 100);
  assert.equal(MAX_RECIPIENTS, 100);
  for (const wrong of [[], [...forwardPaths, JONES]]) {
    const session = greeted("250 x.y\r\n");
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

const OFFERS_PIPELINING = "250-x.y\r\n250 PIPELINING\r\n";
const PIPELINED = [
  "MAIL FROM:<fred@me.example>",
  "RCPT TO:<jones@x.y>",
  "RCPT TO:<green@x.y>",
  "RCPT TO:<smith@x.y>",
].join("\r\n");

Deno.test("421 among the replies to RCPT leaves alone what was decided before", () => {
  const script: Script = [
    EHLO,
    [OFFERS_PIPELINING, PIPELINED],
    [OK + OK + "550 unknown\r\n421 bye\r\n", ""],
  ];
  assert.deepEqual(play(script, { envelopes: [THREE] }), [
    "green 550  unknown",
    "jones 421  bye",
    "smith 421  bye",
  ]);
});

Deno.test("with PIPELINING the envelope goes out at once, and DATA waits for the answers (CL-16)", () => {
  const script: Script = [
    EHLO,
    [OFFERS_PIPELINING, PIPELINED],
    [OK, ""],
    [OK + "550 unknown\r\n", ""],
    [OK, "DATA"],
    ["354 go\r\n", "(text)"],
    QUIT,
    BYE,
  ];
  const told = ["green 550  unknown", "jones 250  OK", "smith 250  OK"];
  assert.deepEqual(play(script, { envelopes: [THREE] }), told);
  assert.deepEqual(play(script, { envelopes: [THREE], cut: (reply) => [...reply] }), told);
});

Deno.test("with PIPELINING nobody accepted means no DATA (CL-16, BUG-12)", () => {
  const script: Script = [
    EHLO,
    [OFFERS_PIPELINING, PIPELINED],
    [OK + "550 a\r\n450 b\r\n550 c\r\n", "RSET"],
    [OK, PIPELINED],
    // MAIL refused: the answers to RCPT are still to come, and say nothing new.
    ["550 no\r\n", ""],
    ["503 first MAIL\r\n503 first MAIL\r\n", ""],
    ["503 first MAIL\r\n", PIPELINED],
    ["550 no\r\n503 a\r\n503 b\r\n250 why not\r\n", "QUIT"],
    BYE,
  ];
  const no = ["jones 550  no", "green 550  no", "smith 550  no"];
  assert.deepEqual(play(script, { envelopes: [THREE, THREE, THREE] }), [
    "jones 550  a",
    "green 450  b",
    "smith 550  c",
    ...no,
    ...no,
  ]);
});

Deno.test("with PIPELINING too many recipients remain as well (CL-18)", () => {
  const script: Script = [
    EHLO,
    [OFFERS_PIPELINING, PIPELINED],
    [OK + OK + "552 too many\r\n452 too many\r\n", "DATA"],
    ["354 go\r\n", "(text)"],
    QUIT,
    BYE,
  ];
  assert.deepEqual(play(script, { envelopes: [THREE] }), [
    "jones 250  OK",
    "green remains",
    "smith remains",
  ]);
});

const OFFERS_TLS = "250-x.y\r\n250-SIZE 5000\r\n250 STARTTLS\r\n";

Deno.test("STARTTLS comes before the first transaction, and what was offered is forgotten (CL-32)", () => {
  const script: Script = [
    EHLO,
    [OFFERS_TLS, "STARTTLS"],
    ["220 go\r\n", "(tls)EHLO me.example"],
    // Neither SIZE any more, nor STARTTLS once more.
    ["250-x.y\r\n250 STARTTLS\r\n", "MAIL FROM:<fred@me.example>"],
    [OK, "RCPT TO:<jones@x.y>"],
    [OK, "DATA"],
    ["354 go\r\n", "(text)"],
    QUIT,
    BYE,
  ];
  assert.deepEqual(play(script, { wantsTls: true }), ["jones 250  OK"]);
});

Deno.test("what comes in with the answer to STARTTLS is not heard (CL-32, BUG-8)", () => {
  for (const injected of ["250-evil\r\n250 8BITMIME\r\n", "250-ev", "250 x\r\n250 y\r\n", "\x16"]) {
    const script: Script = [
      EHLO,
      [OFFERS_TLS, "STARTTLS"],
      [`220 go\r\n${injected}`, "(tls)EHLO me.example"],
      ["250 x.y\r\n", "MAIL FROM:<fred@me.example>"],
      ["550 no\r\n", "QUIT"],
      BYE,
    ];
    assert.deepEqual(play(script, { wantsTls: true }), ["jones 550  no"], injected);
  }
});

Deno.test("a server that does not want STARTTLS now is spoken to in plain text", () => {
  for (const code of [454, 502]) {
    const script: Script = [
      EHLO,
      [OFFERS_TLS, "STARTTLS"],
      [`${code} no\r\n`, "MAIL FROM:<fred@me.example> SIZE=1234"],
      ["550 no\r\n", "QUIT"],
      BYE,
    ];
    assert.deepEqual(play(script, { wantsTls: true }), ["jones 550  no"]);
  }
});

Deno.test("STARTTLS is said only where it is wanted and offered (CL-30)", () => {
  play(mail(OFFERS_TLS, "MAIL FROM:<fred@me.example> SIZE=1234"), { wantsTls: false });
  play(mail("250-x.y\r\n250 XSTARTTLS\r\n", "MAIL FROM:<fred@me.example>"), { wantsTls: true });
});

/** A session that has heard these replies; at `(text)` the text is sent, at `(begin)` a transaction begun. */
function heard(replies: readonly string[], wantsTls = false): ClientSession {
  const session = new ClientSession({ host: "me.example", wantsTls });
  for (const reply of replies) {
    if (reply === "(text)") session.textSent();
    else if (reply === "(begin)") session.begin({ ...ENVELOPE, ...THREE });
    else {
      session.feed(bytes(reply));
      session.next();
    }
    session.takeOutput();
  }
  return session;
}

function greeted(offered: string): ClientSession {
  return heard(["220 x.y\r\n", offered]);
}

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

/** What no command line may have in it, as parts of a mailbox. */
const HOSTILE: readonly Mailbox[] = [
  { localPart: "a>\r\nRCPT TO:<b", domain: "x.y" },
  { localPart: "a\nb", domain: "x.y" },
  { localPart: "a\0b", domain: "x.y" },
  { localPart: "a\x7fb", domain: "x.y" },
  { localPart: "caf\u00e9", domain: "x.y" },
  { localPart: "a", domain: "x.y>\r\nDATA" },
  { localPart: "a", domain: "x.y> SIZE=1" },
  { localPart: "a", domain: "x.y>" },
  { localPart: "a", domain: "x y" },
  { localPart: "a", domain: "[1.2.3.4]\r\n" },
  { localPart: "a", domain: "" },
  { localPart: "", domain: "" },
];

for (const hostile of HOSTILE) {
  Deno.test(`${JSON.stringify(hostile)} never reaches the wire (CL-31, BUG-26)`, () => {
    const script: Script = [
      EHLO,
      ["250 x.y\r\n", "MAIL FROM:<fred@me.example>"],
      [OK, "RCPT TO:<jones@x.y>"],
      ["550 no\r\n", "QUIT"],
      BYE,
    ];
    const why = "5.1.3 The forward-path cannot be written in a command";
    assert.deepEqual(play(script, { envelopes: [{ forwardPaths: [hostile, JONES] }] }), [
      `(own) ${hostile.localPart} 553 ${why}`,
      "jones 550  no",
    ]);
    const silent: Script = [EHLO, ["250 x.y\r\n", "QUIT"], BYE];
    assert.deepEqual(play(silent, { envelopes: [{ forwardPaths: [hostile] }] }), [
      `(own) ${hostile.localPart} 553 ${why}`,
    ]);
    assert.deepEqual(
      play(silent, { envelopes: [{ ...THREE, reversePath: hostile }] }),
      ["jones", "green", "smith"].map((who) =>
        `(own) ${who} 553 5.1.7 The reverse-path cannot be written in a command`
      ),
    );
  });
}

Deno.test("what is quoted cannot break out of its quotes, and Postmaster needs no domain (CL-31)", () => {
  const forwardPaths = [
    { localPart: "a> SIZE=1 <b", domain: "x.y" },
    { localPart: 'a"> "\\', domain: "[192.0.2.1]" },
    { localPart: "Postmaster", domain: "" },
  ];
  const script: Script = [
    EHLO,
    MAIL,
    [OK, 'RCPT TO:<"a> SIZE=1 <b"@x.y>'],
    ["550 no\r\n", 'RCPT TO:<"a\\"> \\"\\\\"@[192.0.2.1]>'],
    ["550 no\r\n", "RCPT TO:<Postmaster>"],
    ["550 no\r\n", "QUIT"],
    BYE,
  ];
  assert.equal(play(script, { envelopes: [{ forwardPaths }] }).length, 3);
});

Deno.test("the own name is a word (CL-31, BUG-26)", () => {
  for (const host of ["", "a b", "a\r\nMAIL FROM:<>", "caf\u00e9"]) {
    assert.throws(() => new ClientSession({ host, wantsTls: false }), RangeError);
  }
});
