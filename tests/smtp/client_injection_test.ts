/** No address can say more to a server than an address (CL-31). */

import assert from "node:assert/strict";
import type { Mailbox } from "../../src/smtp/address.ts";
import { ClientSession } from "../../src/smtp/client.ts";
import { BYE, EHLO, JONES, MAIL, OK, play, type Script, THREE } from "./client_script.ts";

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
