/** What a server offers decides what the sending side says (RFC 5321 2.2, 1870, 2920, 3207, 6152). */

import assert from "node:assert/strict";
import {
  BYE,
  EHLO,
  mail,
  OFFERS_PIPELINING,
  OK,
  play,
  QUIT,
  type Script,
  THREE,
} from "./client_script.ts";

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

for (const keyword of ["SIZE", "SIZE 0", "SIZE many", "SIZE 10M", "SIZE 1e3"]) {
  Deno.test(`${keyword} sets no limit that is known (RFC 1870 3)`, () => {
    play(mail(`250-x.y\r\n250 ${keyword}\r\n`, "MAIL FROM:<fred@me.example> SIZE=99999999"), {
      envelopes: [{ size: 99_999_999 }],
    });
  });
}

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

Deno.test("what was offered in plain text is void after HELO too (CL-32, BUG-8)", () => {
  const script: Script = [
    EHLO,
    ["250-x.y\r\n250-SIZE 5000\r\n250-PIPELINING\r\n250 STARTTLS\r\n", "STARTTLS"],
    ["220 go\r\n", "(tls)EHLO me.example"],
    ["502 what?\r\n", "HELO me.example"],
    ["250 x.y\r\n", "MAIL FROM:<fred@me.example>"],
    ["550 no\r\n", "QUIT"],
    BYE,
  ];
  assert.deepEqual(play(script, { wantsTls: true }), ["jones 550  no"]);
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
