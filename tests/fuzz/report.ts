/** Reports to senders about messages with any header, refused by servers in any words. */

import assert from "node:assert/strict";
import { headerOf, type Report, reportText } from "../../src/queue/report.ts";
import { parseMailbox } from "../../src/smtp/address.ts";
import { fromQuotedPrintable, unfolded } from "../queue/written_report.ts";
import * as grammar from "./grammar.ts";
import { characters, octets, utf8 } from "./octets.ts";
import type { Target } from "./target.ts";

const NOW = Date.UTC(2026, 10, 22, 12);

/** The report is what its readers know, whatever is reported; returns the header it gives back. */
export function checkReport(report: Report): string {
  const all = characters(reportText(report));
  assert.doesNotMatch(all, /[\0\x80-\xff]/, "7-bit");
  assert.doesNotMatch(all, /\r(?!\n)|(?<!\r)\n|[^\n]$/, "lines end in CR LF alone");
  for (const line of all.split("\r\n")) assert.ok(line.length <= 998, `${line.length} octets`);
  const [head = "", ...rest] = all.split("\r\n\r\n");
  const fields = unfolded(head).map((line) => line.split(":")[0]!);
  assert.deepEqual(fields, FIELDS);
  const [, boundary = ""] = /boundary="([0-9A-Za-z.-]{1,70})"$/m.exec(head) ?? [];
  const [before, ...parts] = `\r\n${rest.join("\r\n\r\n")}`.split(`\r\n--${boundary}`);
  assert.deepEqual([before, parts.length, parts[3]], ["", 4, "--\r\n"], "three parts");
  const [explanation = "", status = "", header = ""] = parts;
  assert.match(explanation + status, /^(?:[ -~]*\r\n)*$/);
  const groups = bodyOf(status).trimEnd().split("\r\n\r\n");
  assert.equal(groups.length, 1 + report.recipients.length, "a group for each recipient");
  for (const group of groups.slice(1)) {
    const names = unfolded(group).map((line) => line.split(":")[0]!);
    assert.deepEqual(names.slice(0, 3), ["Final-Recipient", "Action", "Status"]);
    assert.equal(new Set(names).size, names.length, "each field stands once");
    assert.match(group, /^Status: [245]\.\d{1,3}\.\d{1,3}$/m);
  }
  const encoded = /^Content-Transfer-Encoding: quoted-printable\r$/m.test(header);
  return encoded ? fromQuotedPrintable(bodyOf(header)) : bodyOf(header);
}

const FIELDS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"]
  .concat(["Content-Type", "Content-Transfer-Encoding"]);

function bodyOf(part: string): string {
  return part.slice(part.indexOf("\r\n\r\n") + 4);
}

/** The reply's line, an empty line, the beginning of a message. */
export const report: Target = {
  name: "report",
  runs: 1500,
  words: [
    "\r\n",
    "--report-1m828dtfh00fgn2-0",
    "\r\n--",
    "--",
    "=",
    "=\r\n",
    "\r\n\r\n",
    "x".repeat(998),
    utf8("é"),
  ],
  reaches: { header: 0.35, "8-bit": 0.2, cut: 0.01, "control character": 0.03 },
  generate(random) {
    const boundary = () => "X: --report-1m828dtfh00fgn2-0";
    const header = grammar.header(
      random,
      random.chance(0.2) ? boundary : () => "From: J\xc3\xb6rg <a@b>",
    );
    const body = grammar.bodyLines(random, () => "\r\n");
    return octets(
      `${
        random.pick(["No such user", "", "x".repeat(3000), "\x1b[2J\xff"])
      }\r\n\r\n${header}\r\n${body}`,
    );
  },
  run(random, input) {
    const text = characters(input);
    const [words = "", ...rest] = text.split("\r\n\r\n");
    const most = random.pick([100, 1000, 32 * 1024]);
    const start = octets(rest.join("\r\n\r\n"));
    const header = headerOf(start, most);
    const kept = characters(header);
    assert.ok(kept.length <= most && (kept === "" || kept.endsWith("\r\n")), "whole lines");
    assert.ok(!kept.startsWith("\r\n") && !kept.includes("\r\n\r\n"), "the header alone");
    assert.ok(characters(start).startsWith(kept));
    const recipient = {
      forwardPath: parseMailbox("jones@x.y"),
      reply: { code: random.pick([250, 450, 550, 599]), status: "5.1.1", lines: words.split("\n") },
      heard: random.chance(0.5),
      ...random.chance(0.5) ? { host: words.slice(0, 300) } : {},
      time: NOW,
    };
    const back = checkReport({
      kind: random.pick(["failed", "delayed"]),
      host: "me.example",
      id: "1m828dtfh00fgn1",
      reportId: "1m828dtfh00fgn2",
      arrived: NOW,
      now: NOW,
      to: parseMailbox('"a b"@me.example'),
      recipients: random.chance(0.8) ? [recipient] : [recipient, { ...recipient, heard: false }],
      retryUntil: NOW,
      header,
    });
    checkReturned(back, kept);
    const outcomes = kept === "" ? [] : ["header"];
    if (/[\x80-\xff]/.test(kept)) outcomes.push("8-bit");
    if (back.includes(" [...]")) outcomes.push("cut");
    // deno-lint-ignore no-control-regex
    if (/[\x00-\x08]/.test(kept)) outcomes.push("control character");
    return outcomes;
  },
};

/** Line by line what came, but for controls and what is too long. */
function checkReturned(back: string, kept: string): void {
  const lines = back.split("\r\n");
  const wanted = kept.split("\r\n");
  assert.equal(lines.length, wanted.length);
  for (const [i, line] of lines.entries()) {
    // deno-lint-ignore no-control-regex
    const shown = wanted[i]!.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, "?");
    if (shown.length <= 998) assert.equal(line, shown);
    else assert.equal(line, `${shown.slice(0, 992)} [...]`);
  }
}
