/** Reports to senders as RFC 3464 and RFC 6522 have them. */

import assert from "node:assert/strict";
import type { ReportedRecipient } from "../../src/queue/report.ts";
import { parseMailbox, printMailbox } from "../../src/smtp/address.ts";
import {
  bytes,
  FRED,
  JONES,
  only,
  refused,
  unfolded,
  unheard,
  UNKNOWN,
  UNTIL,
  value,
  write,
} from "./written_report.ts";

Deno.test("a report goes from the postmaster to the reverse-path (DSN-1)", () => {
  const { fields } = write();
  assert.equal(fields["From"], "mail delivery system <postmaster@me.example>");
  assert.equal(fields["To"], "<fred@me.example>");
  assert.equal(fields["Date"], "Sun, 22 Nov 2026 15:06:00 +0000");
  assert.equal(fields["Message-ID"], "<2report@me.example>");
  assert.equal(fields["MIME-Version"], "1.0");
  assert.equal(fields["Subject"], "Your message could not be delivered");
  assert.equal(write({ kind: "delayed" }).fields["Subject"], "Your message is delayed");
});

Deno.test("a report has no trace fields before it is sent (DSN-1)", () => {
  const { fields } = write({ header: bytes("Return-Path: <a@b>\r\nReceived: from c\r\n") });
  assert.ok(!("Return-Path" in fields) && !("Received" in fields));
});

Deno.test("a report is multipart/report with text, delivery status and header (DSN-2)", () => {
  const { fields, parts } = write();
  assert.match(fields["Content-Type"]!, /^multipart\/report; report-type=delivery-status; /);
  assert.deepEqual(parts.map(({ head }) => unfolded(head)), [
    ["Content-Type: text/plain; charset=us-ascii", "Content-Transfer-Encoding: 7bit"],
    ["Content-Type: message/delivery-status", "Content-Transfer-Encoding: 7bit"],
    ["Content-Type: text/rfc822-headers", "Content-Transfer-Encoding: 7bit"],
  ]);
  assert.equal(parts[2]!.body, "From: Fred <fred@me.example>\r\nSubject: dinner\r\n");
});

Deno.test("fields of the message and of a refused recipient (DSN-3)", () => {
  assert.deepEqual(write({ retryUntil: UNTIL }).groups, [
    [
      "Reporting-MTA: dns; me.example",
      "X-denoSMTPD-Queue-ID: 1message",
      "Arrival-Date: Sun, 22 Nov 2026 15:04:05 +0000",
    ],
    [
      "Final-Recipient: rfc822; jones@x.y",
      "Action: failed",
      "Status: 5.1.1",
      "Remote-MTA: dns; mx.x.y",
      "Diagnostic-Code: smtp; 550 5.1.1 No such user",
      "Last-Attempt-Date: Sun, 22 Nov 2026 15:05:00 +0000",
    ],
  ]);
});

Deno.test("fields of a delayed recipient whom no server spoke about (DSN-3)", () => {
  const recipients = [unheard({ host: "mx.x.y" })];
  assert.deepEqual(only({ kind: "delayed", recipients, retryUntil: UNTIL }), [
    "Final-Recipient: rfc822; jones@x.y",
    "Action: delayed",
    "Status: 4.4.1",
    "Last-Attempt-Date: Sun, 22 Nov 2026 15:05:00 +0000",
    "Will-Retry-Until: Fri, 27 Nov 2026 15:04:05 +0000",
  ]);
});

Deno.test("what is not known is left out: the other host, an end, an attempt (DSN-3)", () => {
  const { host: _, ...nameless } = refused({ time: 0 });
  assert.deepEqual(only({ kind: "delayed", recipients: [nameless] }), [
    "Final-Recipient: rfc822; jones@x.y",
    "Action: delayed",
    "Status: 5.1.1",
    "Diagnostic-Code: smtp; 550 5.1.1 No such user",
  ]);
});

Deno.test("who forwards is reported as the sender wrote it, with no Original-Recipient (DSN-3)", () => {
  const original = parseMailbox("smith@me.example");
  const forwarded = only({ recipients: [refused({ original })] });
  assert.equal(value(forwarded, "Final-Recipient"), "rfc822; smith@me.example");
  assert.equal(value(forwarded, "SMTP-Remote-Recipient"), "rfc822; jones@x.y");
  assert.equal(value(forwarded, "Original-Recipient"), undefined);
  assert.deepEqual(
    only({ recipients: [refused({ original: JONES })] }),
    only({ recipients: [refused()] }),
  );
});

Deno.test("one report covers a hundred recipients of its message (DSN-4)", () => {
  const paths = Array.from({ length: 100 }, (_, i) => parseMailbox(`user${i}@x.y`));
  const recipients = paths.map((forwardPath, i) =>
    i % 2 ? unheard({ forwardPath }) : refused({ forwardPath })
  );
  const { groups, parts } = write({ recipients });
  assert.deepEqual(
    groups.slice(1).map((group) => value(group, "Final-Recipient")),
    paths.map((path) => `rfc822; ${printMailbox(path)}`),
  );
  const words = parts[0]!.body;
  for (const path of paths) assert.ok(words.includes(`\r\n  ${printMailbox(path)}\r\n`));
  assert.equal(words.split("No such user").length, 2, "a shared reason is told once");
});

Deno.test("a report is auto-replied, not auto-generated (DSN-5)", () => {
  assert.equal(write().fields["Auto-Submitted"], "auto-replied");
});

Deno.test("the status is the reply's, or derived from it, or what the queue says (DSN-6)", () => {
  const status = (recipient: ReportedRecipient) =>
    value(only({ recipients: [recipient] }), "Status");
  assert.equal(status(refused()), "5.1.1");
  assert.equal(status(refused({ reply: { ...UNKNOWN, code: 552, status: "" } })), "5.2.2");
  assert.equal(status(unheard({ status: "4.4.7" })), "4.4.7");
});

Deno.test("a refused recipient is failed, one to be tried again delayed, nobody delivered (DSN-7)", () => {
  for (const kind of ["failed", "delayed"] as const) {
    const { groups } = write({ kind, recipients: [refused(), unheard()], retryUntil: UNTIL });
    assert.deepEqual(groups.slice(1).map((group) => value(group, "Action")), [kind, kind]);
  }
});

Deno.test("people read who was not reached, who said so and what to do", () => {
  const words = write({ recipients: [refused(), unheard({ forwardPath: FRED })] }).parts[0]!.body;
  for (
    const said of [
      ["  jones@x.y", "", "    The server mx.x.y said:", "    550 5.1.1 No such user"],
      ["  fred@me.example", "", "    It was tried again and again, and the time for that is over."],
      ["    The reason:", "    No host of x.y answers"],
    ]
  ) assert.ok(words.includes(`\r\n${said.join("\r\n")}\r\n`), `${said}`);
  assert.match(words, /not tried again[^]+write to postmaster@me\.example and name [^]+1message/);
  const kind = "delayed";
  const wait = write({ kind, recipients: [unheard()], retryUntil: UNTIL }).parts[0]!.body;
  assert.match(wait, /need not do anything: it is tried again until Fri, 27 Nov 2026/);
  assert.doesNotMatch(wait, /again and again/);
  for (const line of `${words}${wait}`.split("\r\n")) assert.ok(line.length <= 76, line);
});

Deno.test("a reply of several lines is one folded field (RFC 3461 9.2)", () => {
  const lines = ["first  line", "", "word ".repeat(40), "last"];
  const recipients = [refused({ reply: { ...UNKNOWN, lines } })];
  const { parts, groups } = write({ recipients });
  assert.equal(
    value(groups[1]!, "Diagnostic-Code"),
    `smtp; 550-5.1.1 first line 550-5.1.1 550-5.1.1${" word".repeat(40)} 550 5.1.1 last`,
  );
  for (const { body } of parts.slice(0, 2)) {
    for (const line of body.split("\r\n")) assert.ok(line.length <= 76, line);
  }
});

Deno.test("a reply that is long is cut, whether in words or without, in lines or in one", () => {
  const word = "https://x.y/".padEnd(500, "z");
  const whole = only({ recipients: [refused({ reply: { ...UNKNOWN, lines: [word] } })] });
  assert.equal(value(whole, "Diagnostic-Code"), `smtp; 550 5.1.1 ${word}`);
  for (const lines of [["z".repeat(60_000)], ["z ".repeat(30_000)], Array<string>(9000).fill("")]) {
    const said = value(
      only({ recipients: [refused({ reply: { ...UNKNOWN, lines } })] }),
      "Diagnostic-Code",
    );
    assert(said);
    assert.ok(said.length < 5000, `${said.length}`);
    assert.match(said, / 550 5\.1\.1/);
  }
  assert.ok(only({ recipients: [refused({ reply: { ...UNKNOWN, lines: [] } })] }).length > 0);
});

Deno.test("no control character and no line end gets in by a reply or a name (BUG-29)", () => {
  const evil = "a\r\nX-Evil: 1\r\n\r\n--b\n\x07\x1b[2J\0\x7f\u00e9\u2028";
  const reply = { code: 550, status: "5.1.1", lines: [evil, evil] };
  const { groups } = write({
    recipients: [refused({ reply, host: evil }), unheard({ reply })],
    to: { localPart: evil, domain: "x.y" },
  });
  assert.deepEqual(groups.length, 3);
  assert.match(
    value(groups[1]!, "Diagnostic-Code")!,
    /^smtp; 550-5\.1\.1 a\?\?X-Evil: 1\?\?\?\?--b/,
  );
});
