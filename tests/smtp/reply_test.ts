/** Every reply the server has is one that RFC 5321, 3463 and 2034 allow, and fits its line. */

import assert from "node:assert/strict";
import * as replies from "../../src/smtp/reply.ts";
import { encodeReply, isPositive, type Reply, replyText } from "../../src/smtp/reply.ts";

/** The longest name a host can have (RFC 5321 4.5.3.1.2). */
const HOST = `${"h".repeat(63)}.${"h".repeat(63)}.${"h".repeat(63)}.${"h".repeat(63)}`;

const HELPERS = new Set<string>(["isPositive", "encodeReply", "replyText", "shortened"]);

/** Every reply by its name; those made by a function are made for the longest host name. */
function everyReply(): [name: string, reply: Reply][] {
  return Object.entries(replies).filter(([name]) => !HELPERS.has(name)).map(([name, value]) => {
    if (typeof value !== "function") return [name, value];
    const make = value as (...values: unknown[]) => Reply;
    return [name, make(...[HOST, ["SIZE 1099511627776", "8BITMIME"]].slice(0, make.length || 1))];
  });
}

/** RFC 5321 4.2.3 (788-P3), what RFC 4954 6 adds for logins, and nothing but these. */
const CODES = new Set([
  [211, 214, 220, 221, 250, 251, 252, 354, 421, 450, 451, 452, 455],
  [500, 501, 502, 503, 504, 550, 551, 552, 553, 554, 555],
  [235, 334, 530, 535],
].flat());

/** RFC 2034 2 and 4: no enhanced code in the greeting, the answers to HELO and EHLO, and 3yz. */
const WITHOUT_STATUS = new Set([
  "greeting",
  "hello",
  "extendedHello",
  "startText",
  "saslChallenge",
  // These two stand in the place of the greeting.
  "tooManyClients",
  "tooManyFromAddress",
]);

for (const [name, reply] of everyReply()) {
  Deno.test(`reply ${name}: ${reply.code} ${reply.status}`, () => {
    assert.ok(CODES.has(reply.code), "the code is one of RFC 5321 and 4954");
    if (WITHOUT_STATUS.has(name)) assert.equal(reply.status, "");
    else {
      assert.match(reply.status, /^[245]\.\d{1,3}\.\d{1,3}$/);
      assert.equal(reply.status[0], String(reply.code)[0], "class and first digit are the same");
    }
    assert.ok(reply.lines.length > 0);
    for (const line of reply.lines) assert.match(line, /^[ -~]+$/, "printable ASCII");
    const wire = encodeReply(reply);
    assert.match(wire, /\r\n$/);
    for (const line of wire.slice(0, -2).split("\r\n")) {
      assert.ok(line.length + 2 <= 512, `${line.length + 2} octets (788-Z5)`);
      assert.match(line, /^\d{3}[ -]/);
    }
  });
}

Deno.test("220, 221, 421 and the answers to HELO and EHLO begin with the host (788-P2, 53-41)", () => {
  const rows = everyReply().filter(([name, { code }]) =>
    // What begins the handshake answers a command and opens no channel (RFC 3207 4).
    name !== "readyForTls" &&
    ([220, 221, 421].includes(code) || name === "hello" || name === "extendedHello")
  );
  assert.ok(rows.length >= 7, `${rows.length}`);
  for (const [name, { lines }] of rows) assert.equal(lines[0]!.split(" ")[0], HOST, name);
});

Deno.test("no two replies say the same", () => {
  const texts = everyReply().map(([, reply]) => replyText(reply));
  assert.deepEqual(texts.filter((text, i) => texts.indexOf(text) !== i), []);
});

Deno.test("a reply of several lines has a hyphen on all but the last (788-P1)", () => {
  const reply = { code: 214, status: "2.0.0", lines: ["a", "b", "c"] };
  assert.equal(encodeReply(reply), "214-2.0.0 a\r\n214-2.0.0 b\r\n214 2.0.0 c\r\n");
  assert.equal(encodeReply({ ...reply, lines: ["a"] }), "214 2.0.0 a\r\n");
  assert.equal(encodeReply({ ...reply, status: "" }), "214-a\r\n214-b\r\n214 c\r\n");
});

Deno.test("the answer to EHLO has one keyword in a line (RFC 5321 4.1.1.1)", () => {
  assert.equal(
    encodeReply(replies.extendedHello("me.example", ["PIPELINING", "SIZE 5"])),
    "250-me.example\r\n250-PIPELINING\r\n250 SIZE 5\r\n",
  );
  assert.equal(encodeReply(replies.extendedHello("me.example", [])), "250 me.example\r\n");
});

Deno.test("for logs a reply is one line", () => {
  assert.equal(replyText({ code: 550, status: "5.1.1", lines: ["a", "b"] }), "550 5.1.1 a b");
  assert.equal(replyText({ code: 250, status: "", lines: ["", "x"] }), "250  x");
  assert.equal(replyText({ code: 250, status: "", lines: [""] }), "250");
});

Deno.test("2yz and 3yz are positive, 4yz and 5yz are not (RFC 5321 4.2.1)", () => {
  for (const code of [200, 250, 299, 354]) {
    assert.equal(isPositive({ code, status: "", lines: [""] }), true, `${code}`);
  }
  for (const code of [400, 421, 452, 500, 555]) {
    assert.equal(isPositive({ code, status: "", lines: [""] }), false, `${code}`);
  }
});
