/** Reports to senders as Python's own parser reads them. */

import assert from "node:assert/strict";
import { type Report, type ReportedRecipient, reportText } from "../../src/queue/report.ts";
import { type Mailbox, parseMailbox, printMailbox } from "../../src/smtp/address.ts";
import { testWith } from "../support/programs.ts";
import { readReportWithPython } from "../support/python_report.ts";
import { bytes, refused, report, text, unheard, UNKNOWN, UNTIL, write } from "./written_report.ts";

const domain = ["d", "e", "f", "g"].map((letter) => letter.repeat(63)).join(".").slice(0, 189);
const LONG: Mailbox = { localPart: `${"l".repeat(30)} "\\ ${"l".repeat(26)}`, domain };
const HOSTILE = `Subject: \xff\0\r--report-2report-0--\r\n--report-2report-0\r\n\r${
  "x".repeat(9999)
}`;

const READ: readonly (readonly [what: string, rest: Partial<Report>])[] = [
  ["of one recipient", {}],
  ["of a delay", { kind: "delayed", recipients: [unheard()], retryUntil: UNTIL }],
  ["of a hundred", { recipients: Array<ReportedRecipient>(100).fill(refused()) }],
  ["with addresses long and quoted", { to: LONG, recipients: [refused({ forwardPath: LONG })] }],
  ["with an address of odd characters", { to: parseMailbox('"a, <b>; (c) \\""@x.y') }],
  ["with address literals", { host: "[192.0.2.1]", to: parseMailbox("a@[IPv6:2001:db8::1]") }],
  ["from an IPv6 literal", { host: "[IPv6:2001:db8::1]" }],
  ["for the bare Postmaster", {
    recipients: [refused({ forwardPath: { localPart: "Postmaster", domain: "" } })],
  }],
  ["with an 8-bit header", { header: bytes("Subject: \xc3\xa4\x80\xff\r\n") }],
  ["with a hostile header", { header: bytes(HOSTILE) }],
  ["without a header", { header: new Uint8Array(0) }],
  ["with long replies", {
    recipients: [refused({ reply: { ...UNKNOWN, lines: ["(a) ".repeat(999), "z".repeat(3000)] } })],
  }],
];

for (const [what, rest] of READ) {
  testWith(
    ["python3"],
    `Python reads a report ${what} without a defect (DSN-2, DSN-3)`,
    async () => {
      const written = write(rest);
      const { to } = report(rest);
      const read = new Uint8Array(reportText(report(rest)));
      for (const seen of await readReportWithPython(read)) {
        assert.deepEqual(seen.defects, []);
        assert.equal(seen.type, "multipart/report");
        assert.equal(seen.reportType, "delivery-status");
        assert.deepEqual(seen.to, [printMailbox(to)]);
        const [explanation, status, header] = seen.parts;
        assert.equal(seen.parts.length, 3);
        assert.equal(explanation?.type, "text/plain");
        assert.equal(status?.type, "message/delivery-status");
        assert.equal(header?.type, "text/rfc822-headers");
        const groups = status.groups?.map((group) => group.map((field) => field.join(": ")));
        assert.deepEqual(groups, written.groups);
        assert.equal(text(Uint8Array.fromBase64(header.bytes ?? "")), written.parts[2]?.content);
      }
    },
  );
}
