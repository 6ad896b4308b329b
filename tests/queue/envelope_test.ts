/** Envelopes in the queue: what is written is read back, and damage is never taken for an envelope. */

import assert from "node:assert/strict";
import {
  DamagedError,
  decodeEnvelope,
  encodeEnvelope,
  newRecipient,
  type QueuedMessage,
} from "../../src/queue/envelope.ts";
import { type Mailbox, parseMailbox } from "../../src/smtp/address.ts";
import { ARRIVED, FRED, idOf, message, recipient } from "./messages.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const FULL = message({
  size: 2 ** 40,
  eightBit: true,
  delayReported: true,
  recipients: [
    recipient("jones@x.y", {
      original: parseMailbox("smith@me.example"),
      state: "waiting",
      attempts: 3,
      nextAttempt: ARRIVED + 12345,
      last: {
        reply: { code: 450, status: "4.2.0", lines: ["first", "", "last"] },
        heard: true,
        host: "mx.x.y",
        security: { protocol: "TLSv1.3", verified: true },
        time: ARRIVED + 1,
      },
    }),
    recipient("a@x.y", {
      state: "delivered",
      last: {
        reply: { code: 250, status: "", lines: ["taken"] },
        heard: true,
        host: "mx.x.y",
        security: { protocol: "TLS" },
        time: ARRIVED,
      },
    }),
    recipient("b@x.y", { state: "failed" }),
    recipient("c@x.y", {
      state: "returned",
      last: { reply: { code: 550, status: "", lines: [] }, heard: false, time: 0 },
    }),
  ],
});

function assertKept(kept: QueuedMessage): void {
  assert.deepEqual(decodeEnvelope(encodeEnvelope(kept), kept.id), kept);
}

Deno.test("every field of an envelope is read back as it was", () => {
  assertKept(FULL);
  assertKept(message());
  assertKept(message({ eightBit: true }));
  assertKept(message({ delayReported: true }));
});

Deno.test("the longest address that user.conf may forward to is read back as it was", () => {
  // With its angle brackets it is a path of 256 octets (RFC 5321 4.5.3.1.3).
  const longest = `${"l".repeat(64)}@${"d.".repeat(94)}e`;
  const quoted = `"${"a ".repeat(31)}"@${"d.".repeat(94)}e`;
  for (const address of [longest, quoted]) {
    assert.equal(address.length, 254);
    assertKept(message({ recipients: [recipient(address)] }));
    assert.throws(() => parseMailbox(`${address}e`), /address too long/);
  }
});

Deno.test("the null reverse-path is read back as null", () => {
  assertKept(message({ reversePath: null }));
});

Deno.test("a new recipient waits, is due at once and has not been tried", () => {
  assert.deepEqual(newRecipient(FRED, ARRIVED), {
    forwardPath: FRED,
    state: "waiting",
    attempts: 0,
    nextAttempt: ARRIVED,
  });
  assert.deepEqual(newRecipient(FRED, ARRIVED, FRED).original, FRED);
});

const ODD: readonly Mailbox[] = [
  { localPart: "a b", domain: "x.y" },
  { localPart: 'a"b', domain: "x.y" },
  { localPart: "a\\", domain: "x.y" },
  { localPart: '\\"\\\\""', domain: "x.y" },
  { localPart: "", domain: "x.y" },
  { localPart: " ", domain: "x.y" },
  { localPart: "a@b", domain: "x.y" },
  { localPart: '","form":2}', domain: "x.y" },
  { localPart: "<a>,(b);[c]:", domain: "x.y" },
  { localPart: ".a..b.", domain: "x.y" },
  { localPart: "{}|~!#$%&'*+-/=?^_`", domain: "x.y" },
  { localPart: "Jones.Q", domain: "Host.X.Y" },
  { localPart: "a", domain: "localhost" },
  { localPart: "a".repeat(64), domain: `${"d".repeat(63)}.example` },
  { localPart: " ".repeat(62), domain: "x.y" },
  { localPart: "a", domain: "[192.0.2.1]" },
  { localPart: "a", domain: "[IPv6:2001:db8::1]" },
  { localPart: "a", domain: "[tag:content]" },
];

for (const odd of ODD) {
  Deno.test(`the address ${JSON.stringify(odd)} is read back as it was`, () => {
    const recipients = [newRecipient(odd, ARRIVED, odd)];
    assertKept(message({ reversePath: odd, recipients }));
  });
}

Deno.test("the bare Postmaster is read back, as whom a message was for that is forwarded", () => {
  const postmaster = { localPart: "Postmaster", domain: "" };
  assertKept(message({ recipients: [newRecipient(FRED, ARRIVED, postmaster)] }));
});

Deno.test("a reply is read back, but for what could steer a terminal", () => {
  const lastOf = (lines: string[], host: string) => {
    const last = { reply: { code: 550, status: "5.1.1", lines }, heard: true, host, time: 1 };
    return message({ recipients: [recipient("jones@x.y", { last })] });
  };
  const kept = lastOf(['"quoted" \\ {}', ""], "mx.x.y");
  assertKept(kept);
  const odd = lastOf(["\0\t\x7f", "\x1b[2J\u202e", "\ud800"], "\x1b]0;");
  const [{ last } = assert.fail()] = decodeEnvelope(encodeEnvelope(odd), odd.id).recipients;
  assert.deepEqual([last?.reply.lines, last?.host], [["???", "?[2J?", "?"], "?]0;"]);
});

Deno.test("people find each recipient on a line of its own", () => {
  const recipients = ["a@x.y", "b@x.y", "c@x.y"].map((address) => recipient(address));
  const lines = decoder.decode(encodeEnvelope(message({ recipients }))).split("\n");
  assert.equal(lines.length, 1 + recipients.length + 2);
  recipients.forEach(({ forwardPath }, i) => {
    assert.match(lines[i + 1]!, new RegExp(`"${forwardPath.localPart}@x\\.y"`));
  });
});

function assertDamaged(content: Uint8Array, complaint: string | RegExp): void {
  assert.throws(() => decodeEnvelope(content, FULL.id), (error) => {
    assert.ok(error instanceof DamagedError, String(error));
    if (typeof complaint === "string") assert.equal(error.message, complaint);
    else assert.match(error.message, complaint);
    return true;
  });
}

/** The full envelope with another value in one place; undefined leaves it out. */
function withValue(path: readonly (string | number)[], value: unknown): Uint8Array {
  const json = JSON.parse(decoder.decode(encodeEnvelope(FULL)));
  let at = json;
  for (const key of path.slice(0, -1)) at = at[key];
  at[path.at(-1) ?? ""] = value;
  return encoder.encode(JSON.stringify(json));
}

const TO = ["recipients", 0];
const LAST = [...TO, "last"];
const REPLY = [...LAST, "reply"];
const STATES = "state is none of waiting, delivered, failed, returned";

const WRONG: readonly (readonly [
  path: readonly (string | number)[],
  values: readonly unknown[],
  complaint: string | RegExp,
])[] = [
  [["form"], [undefined, 0, 2, "1"], "the envelope has an unknown form"],
  [["id"], [undefined, idOf(2), 1], "the envelope belongs to another message"],
  [["arrived"], [undefined, null, "1", -1, []], "arrived is no number"],
  [["reversePath"], [undefined, null, 1], "reversePath is no text"],
  [["reversePath"], ["fred", "<fred@x.y>", "a b@x.y", "a@x.y "], /^reversePath is no address: ./],
  [["size"], [undefined, null, "1", -1], "size is no number"],
  [["eightBit"], [undefined, 0, "true"], "eightBit is neither true nor false"],
  [["delayReported"], [undefined, null], "delayReported is neither true nor false"],
  [["recipients"], [undefined, {}, "a@x.y"], "recipients is no list"],
  [["recipients"], [[]], "the envelope has no recipient"],
  [TO, [null, [], "a@x.y"], "a recipient is no object"],
  [[...TO, "forwardPath"], [undefined, 1], "forwardPath is no text"],
  [[...TO, "forwardPath"], ["", "@x.y", "a@", "\x00@x.y", "\ufffd@x.y"], /^forwardPath is no add/],
  [[...TO, "original"], [null, 1], "original is no text"],
  [[...TO, "original"], ["", "a@x..y"], /^original is no address: ./],
  [[...TO, "state"], [undefined, "Waiting", "", 0], STATES],
  [[...TO, "attempts"], [undefined, -1, "3"], "attempts is no number"],
  [[...TO, "nextAttempt"], [undefined, null], "nextAttempt is no number"],
  [LAST, [null, []], "last is no object"],
  [REPLY, [undefined, "550 no"], "reply is no object"],
  [[...REPLY, "code"], [undefined, "550"], "code is no number"],
  [[...REPLY, "status"], [undefined, 5], "status is no text"],
  [[...REPLY, "lines"], [undefined, "no"], "lines is no list"],
  [[...REPLY, "lines", 0], [null, 1], "a line of the reply is no text"],
  [[...LAST, "heard"], [undefined, 1], "heard is neither true nor false"],
  [[...LAST, "host"], [null, 1], "host is no text"],
  [[...LAST, "time"], [undefined, "now"], "time is no number"],
];

for (const [path, values, complaint] of WRONG) {
  for (const value of values) {
    const what = value === undefined ? "nothing" : JSON.stringify(value);
    Deno.test(`an envelope with ${what} as ${path.join(".")} is damaged`, () => {
      assertDamaged(withValue(path, value), complaint);
    });
  }
}

Deno.test("what is no envelope at all is damaged, and the message says so", () => {
  for (const content of ["", " ", "\0\0\0\0", "{", "{}}", "undefined", "\xff"]) {
    assertDamaged(encoder.encode(content), "the envelope is no JSON");
  }
  assertDamaged(Uint8Array.of(0xff, 0xfe), "the envelope is no JSON");
  for (const content of ["null", "1", '"a"', "[]", "true"]) {
    assertDamaged(encoder.encode(content), "the envelope is no object");
  }
  assertDamaged(encoder.encode("{}"), "the envelope has an unknown form");
});

Deno.test("a number beyond all bounds is damage", () => {
  const content = decoder.decode(encodeEnvelope(FULL)).replace(/"size":\d+/, '"size":1e999');
  assertDamaged(encoder.encode(content), "size is no number");
});

Deno.test("an envelope cut off anywhere is damaged, or the very same", () => {
  const whole = encodeEnvelope(FULL);
  for (let length = 0; length < whole.length - 1; length++) {
    assertDamaged(whole.subarray(0, length), "the envelope is no JSON");
  }
  // Without the last line end nothing is missing.
  assert.deepEqual(decodeEnvelope(whole.subarray(0, -1), FULL.id), FULL);
});

Deno.test("an envelope with a zero anywhere, as a crash may leave, is damaged", () => {
  const whole = encodeEnvelope(FULL);
  for (let at = 0; at < whole.length; at++) {
    const content = whole.slice();
    content[at] = 0;
    assertDamaged(content, "the envelope is no JSON");
  }
});
