/** Reports as tests write and read them. */

import assert from "node:assert/strict";
import { type Report, type ReportedRecipient, reportText } from "../../src/queue/report.ts";
import { parseMailbox } from "../../src/smtp/address.ts";
import type { Reply } from "../../src/smtp/reply.ts";

const ARRIVED = Date.UTC(2026, 10, 22, 15, 4, 5);
const TRIED = Date.UTC(2026, 10, 22, 15, 5);
const NOW = Date.UTC(2026, 10, 22, 15, 6);
export const UNTIL = Date.UTC(2026, 10, 27, 15, 4, 5);

export const FRED = parseMailbox("fred@me.example");
export const JONES = parseMailbox("jones@x.y");
export const UNKNOWN: Reply = { code: 550, status: "5.1.1", lines: ["No such user"] };
const NO_ANSWER: Reply = { code: 451, status: "4.4.1", lines: ["No host of x.y answers"] };

/** One character for each octet. */
export const bytes = (text: string) =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));
export const text = (octets: Uint8Array) =>
  Array.from(octets, (octet) => String.fromCharCode(octet)).join("");

export function refused(rest: Partial<ReportedRecipient> = {}): ReportedRecipient {
  return { forwardPath: JONES, reply: UNKNOWN, heard: true, host: "mx.x.y", time: TRIED, ...rest };
}

export function unheard(rest: Partial<ReportedRecipient> = {}): ReportedRecipient {
  return { forwardPath: JONES, reply: NO_ANSWER, heard: false, time: TRIED, ...rest };
}

export function report(rest: Partial<Report> = {}): Report {
  return {
    kind: "failed",
    host: "me.example",
    id: "1message",
    reportId: "2report",
    arrived: ARRIVED,
    now: NOW,
    to: FRED,
    recipients: [refused()],
    header: bytes("From: Fred <fred@me.example>\r\nSubject: dinner\r\n"),
    ...rest,
  };
}

interface Part {
  readonly head: string;
  /** As it stands there. */
  readonly body: string;
  /** What it reads to. */
  readonly content: string;
}

export interface Written {
  /** Fields of the report itself, by name. */
  readonly fields: Record<string, string>;
  /** Text for people, delivery status, the reported header. */
  readonly parts: readonly Part[];
  /** The delivery status: fields of the message, then of each recipient, unfolded. */
  readonly groups: readonly (readonly string[])[];
}

/** Writes a report and reads it; fails where it breaks a rule that holds for each. */
export function write(rest: Partial<Report> = {}): Written {
  const all = text(reportText(report(rest)));
  assert.doesNotMatch(all, /[\x80-\xff]/, "7-bit");
  assert.doesNotMatch(all, /\0|\r(?!\n)|(?<!\r)\n/, "lines end in CR LF alone");
  for (const line of all.split("\r\n")) assert.ok(line.length <= 998, `${line.length} octets`);
  const [head = "", ...rests] = all.split("\r\n\r\n");
  const fields = Object.fromEntries(unfolded(head).map((line) => line.split(/: (.*)/, 2)));
  const [, boundary] = /; *boundary="([0-9A-Za-z.-]{1,70})"$/.exec(fields["Content-Type"]) ?? [];
  const [before, ...bodies] = rests.join("\r\n\r\n").replace(/^/, "\r\n").split(
    `\r\n--${boundary}`,
  );
  assert.equal(before, "");
  assert.equal(bodies.pop(), "--\r\n");
  assert.equal(bodies.length, 3);
  const parts = bodies.map((body) => {
    const [, head, rest] = /^\r\n([^]*?)\r\n\r\n([^]*)$/.exec(body) ?? [];
    assert(head !== undefined && rest !== undefined, `no part: ${body}`);
    const content = head.endsWith(": quoted-printable") ? fromQuotedPrintable(rest) : rest;
    return { head, body: rest, content };
  });
  const [explanation, status] = parts;
  assert.match(explanation!.body + status!.body, /^(?:[ -~]*\r\n)*$/);
  return { fields, parts, groups: status!.body.trimEnd().split("\r\n\r\n").map(unfolded) };
}

/** Reads quoted-printable (RFC 2045 6.7) strictly; fails on what is none. */
export function fromQuotedPrintable(encoded: string): string {
  for (const line of encoded.split("\r\n")) {
    assert.match(line, /^(?:[!-<>-~ \t]|=[0-9A-F]{2})*=?$/);
    assert.doesNotMatch(line, /[ \t]$/);
    assert.ok(line.length <= 76, `${line.length} octets`);
  }
  return encoded.replaceAll("=\r\n", "").replace(
    /=([0-9A-F]{2})/g,
    (_, digits) => String.fromCharCode(parseInt(digits, 16)),
  );
}

export function unfolded(block: string): string[] {
  return block.replace(/\r\n[ \t]/g, " ").split("\r\n");
}

/** The fields of the only recipient. */
export function only(rest: Partial<Report>): readonly string[] {
  const { groups } = write(rest);
  assert.equal(groups.length, 2);
  return groups[1]!;
}

export const value = (group: readonly string[], name: string) =>
  group.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
