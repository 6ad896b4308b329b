/** Reports in a mailbox as Python's email package reads them. */

import assert from "node:assert/strict";
import { type Daemon, readMailbox } from "../support/daemon.ts";
import { readReportWithPython } from "../support/python_report.ts";
import { until } from "../support/until.ts";
import { part } from "./maildir.ts";

/** Names and values of one group of fields. */
export type Fields = Readonly<Record<string, string>>;

export interface ReadReport {
  readonly returnPath: string;
  /** Of the message itself. */
  readonly header: Fields;
  readonly to: readonly string[];
  readonly message: Fields;
  /** One for each recipient. */
  readonly recipients: readonly Fields[];
  /** The part for people, and the header that came back. */
  readonly explanation: string;
  readonly returned: string;
}

/** Waits for the messages of a mailbox; fails where there are more than these. */
export async function arrived(daemon: Daemon, user: string, count = 1): Promise<Uint8Array[]> {
  const messages = await until(`${count} messages for ${user}`, async () => {
    const stored = await readMailbox(`${daemon.folder}/mail/${user}`);
    return stored.length >= count && stored;
  });
  assert.equal(messages.length, count, `messages for ${user}`);
  return messages.map(({ bytes }) => bytes);
}

/** Waits for the one report in a user's mailbox and reads it. Fails where it has a defect. */
export async function reportTo(daemon: Daemon, user: string): Promise<ReadReport> {
  const [bytes] = await arrived(daemon, user);
  assert(bytes);
  return await readReport(bytes);
}

/** Reads a report out of a mailbox (DSN-1 to DSN-5). */
export async function readReport(bytes: Uint8Array): Promise<ReadReport> {
  const [seen] = await readReportWithPython(new Uint8Array(bytes));
  assert(seen);
  assert.deepEqual(seen.defects, []);
  assert.equal(seen.type, "multipart/report");
  assert.equal(seen.reportType, "delivery-status");
  const [explanation, status, header, ...others] = seen.parts;
  assert(explanation && status && header && others.length === 0);
  assert.equal(explanation.type, "text/plain");
  assert.equal(status.type, "message/delivery-status");
  assert.equal(header.type, "text/rfc822-headers");
  const [message, ...recipients] = (status.groups ?? []).map((group) => Object.fromEntries(group));
  const fields = Object.fromEntries(seen.fields);
  assert.equal(fields["Auto-Submitted"], "auto-replied");
  return {
    returnPath: returnPathOf(bytes),
    header: fields,
    to: seen.to,
    message: message ?? {},
    recipients,
    explanation: text(explanation.bytes),
    returned: text(header.bytes),
  };
}

/** A report about mail from here has no Received field, one from another host has. */
function returnPathOf(bytes: Uint8Array): string {
  const start = new TextDecoder().decode(bytes.subarray(0, 1000));
  if (start.includes("\nReceived: ")) return part(bytes).returnPath;
  return /^Return-Path: (.*)$/m.exec(start)?.[1] ?? "";
}

function text(base64 = ""): string {
  return new TextDecoder().decode(Uint8Array.fromBase64(base64));
}
