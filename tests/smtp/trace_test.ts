/** Received and Return-Path as RFC 5321 4.4 writes them. */

import assert from "node:assert/strict";
import { dateTime, type Receipt, receivedField, returnPathField } from "../../src/smtp/trace.ts";

const JONES = { localPart: "jones", domain: "me.example" };
const SMITH = { localPart: "smith", domain: "me.example" };
const TIME = Date.UTC(2026, 10, 22, 15, 4, 5, 678);

function receipt(
  transaction: Partial<Receipt["transaction"]> = {},
  rest: Partial<Receipt> = {},
): Receipt {
  return {
    transaction: {
      client: "client.example",
      protocol: "ESMTP",
      forwardPaths: [JONES],
      ...transaction,
    },
    peer: "192.0.2.1",
    host: "me.example",
    id: "abc123",
    time: TIME,
    ...rest,
  };
}

const unfolded = (field: string) => field.replace(/\r\n[ \t]+/g, " ");

Deno.test("Received has from, by, with, id, for and the date in this order (53-35)", () => {
  assert.equal(
    unfolded(receivedField(receipt())),
    "Received: from client.example ([192.0.2.1]) by me.example with ESMTP id abc123" +
      " for <jones@me.example>; Sun, 22 Nov 2026 15:04:05 +0000\r\n",
  );
});

Deno.test("Received is one field: folded lines begin with white space (RFC 5322 2.2.3)", () => {
  const field = receivedField(receipt());
  assert.match(field, /^Received: [ -~]+\r\n(?:[ \t][ -~]+\r\n)*$/);
  assert.doesNotMatch(field, /(?<!\r)\n/);
});

Deno.test("HELO is with SMTP, EHLO with ESMTP (RFC 3848)", () => {
  assert.match(unfolded(receivedField(receipt({ protocol: "SMTP" }))), / with SMTP id abc123 /);
  assert.match(unfolded(receivedField(receipt({ protocol: "ESMTP" }))), / with ESMTP id abc123 /);
});

Deno.test("TLS adds an S and a login an A, and a comment names the cipher (RFC 3848, 53-35)", () => {
  const tls = { protocol: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" };
  for (const protocol of ["ESMTPS", "ESMTPSA", "SMTP"] as const) {
    assert.equal(
      unfolded(receivedField(receipt({ protocol }, { tls }))),
      `Received: from client.example ([192.0.2.1]) by me.example with ${protocol}` +
        " (TLSv1.3 TLS_AES_256_GCM_SHA384) id abc123" +
        " for <jones@me.example>; Sun, 22 Nov 2026 15:04:05 +0000\r\n",
    );
  }
  const field = receivedField(receipt({ protocol: "ESMTPSA" }, { tls }));
  assert.match(field, /^Received: [ -~]+\r\n(?:[ \t][ -~]+\r\n)*$/);
  assert.doesNotMatch(field, /[ \t]\r\n/);
  assert.equal(
    receivedField(receipt({}, { tls: undefined })),
    receivedField(receipt()),
    "in plain text there is none",
  );
});

Deno.test("for names one recipient, and of several none (53-36)", () => {
  const one = unfolded(receivedField(receipt({ forwardPaths: [SMITH] })));
  assert.match(one, / for <smith@me\.example>;/);
  const two = unfolded(receivedField(receipt({ forwardPaths: [JONES, SMITH] })));
  assert.doesNotMatch(two, / for |jones|smith/);
  assert.match(two, / id abc123; Sun, /);
});

Deno.test("the peer is an address literal (RFC 5321 4.1.3)", () => {
  const rows: [string, string][] = [
    ["192.0.2.1", "([192.0.2.1])"],
    ["2001:DB8::1", "([IPv6:2001:db8::1])"],
    ["::ffff:192.0.2.1", "([192.0.2.1])"],
    ["a socket", "([unknown])"],
  ];
  for (const [peer, literal] of rows) {
    assert.ok(receivedField(receipt({}, { peer })).includes(` ${literal}`), peer);
  }
});

Deno.test("a local-part that needs quotes has them", () => {
  const forwardPaths = [{ localPart: "a b>", domain: "me.example" }];
  assert.match(receivedField(receipt({ forwardPaths })), / for <"a b>"@me\.example>;/);
  assert.equal(
    returnPathField({ localPart: 'a "b"', domain: "x.y" }),
    'Return-Path: <"a \\"b\\""@x.y>\r\n',
  );
});

Deno.test("no line is longer than 998 octets, whatever its names (RFC 5322 2.1.1)", () => {
  const name = `${"d".repeat(63)}.${"d".repeat(63)}.${"d".repeat(63)}.${"d".repeat(63)}`;
  const field = receivedField(
    receipt(
      { client: name, forwardPaths: [{ localPart: "l".repeat(64), domain: name }] },
      {
        host: name,
        peer: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        tls: { protocol: "TLSv1.2", cipher: "ECDHE-ECDSA-CHACHA20-POLY1305" },
      },
    ),
  );
  for (const line of field.split("\r\n")) assert.ok(line.length <= 998, `${line.length}`);
});

Deno.test("Return-Path has the reverse-path, null as <> (788-R3, 53-37)", () => {
  assert.equal(returnPathField({ localPart: "a", domain: "b" }), "Return-Path: <a@b>\r\n");
  assert.equal(returnPathField(null), "Return-Path: <>\r\n");
});

Deno.test("a date has day, month name, year of four digits and offset (RFC 5322 3.3)", () => {
  const rows: [number, string][] = [
    [TIME, "Sun, 22 Nov 2026 15:04:05 +0000"],
    [0, "Thu, 01 Jan 1970 00:00:00 +0000"],
    [Date.UTC(2024, 1, 29, 23, 59, 59, 999), "Thu, 29 Feb 2024 23:59:59 +0000"],
    [Date.UTC(2000, 0, 1), "Sat, 01 Jan 2000 00:00:00 +0000"],
  ];
  for (const [time, text] of rows) assert.equal(dateTime(time), text);
});
