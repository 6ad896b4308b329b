/**
 * The text of a delivery status notification: what is told to the sender of a message that could
 * not be delivered, or not yet (RFC 3464, in the multipart of RFC 6522).
 */

import { type Mailbox, printMailbox, printPath } from "../smtp/address.ts";
import { encodeReply, type Reply, shortened } from "../smtp/reply.ts";
import { dateTime } from "../smtp/trace.ts";
import { quotedPrintable } from "./quoted_printable.ts";
import { field, inert, lines, printable, wrapped } from "./report_lines.ts";
import { statusOf } from "./status.ts";

export interface ReportedRecipient {
  /** Where it was sent. */
  readonly forwardPath: Mailbox;
  /** Whom the sender wrote to, where that was another (a user of this host that forwards). */
  readonly original?: Mailbox;
  readonly reply: Reply;
  /** Whether a server said it. */
  readonly heard: boolean;
  /** The server's name, where one said it. */
  readonly host?: string;
  /** When, in milliseconds since 1970; 0 where it was never tried. */
  readonly time: number;
  /** The status to report where it is another than the reply's: 4.4.7 for a message given up. */
  readonly status?: string;
}

/** All times are milliseconds since 1970. */
export interface Report {
  readonly kind: "failed" | "delayed";
  /** Own name. */
  readonly host: string;
  /** The reported message's id here. */
  readonly id: string;
  /** The report's own id, for Message-ID and the boundary. */
  readonly reportId: string;
  /** When the message came. */
  readonly arrived: number;
  readonly now: number;
  /** The reported message's reverse-path: to whom this goes. */
  readonly to: Mailbox;
  /** One at least, all of the one message. */
  readonly recipients: readonly ReportedRecipient[];
  /** Until when it is tried, for delayed ones. */
  readonly retryUntil?: number;
  /** The message's header as it came, with CR LF line ends, without the empty line that ends it. */
  readonly header: Uint8Array;
}

/** Octets of a line, whatever it holds (RFC 5322 2.1.1). */
const MAX_LINE = 998;
const CUT = " [...]";
const TRIED = "It was tried again and again, and the time for that is over.";
const CR = 13;
const LF = 10;

/**
 * The header of a message from its first octets: up to the empty line, at most `most` octets in
 * whole lines, without the empty line. A view of `start`.
 */
export function headerOf(start: Uint8Array, most: number): Uint8Array {
  let end = 0;
  for (;;) {
    const next = lineEnd(start, end);
    const emptyLine = next === end + 2;
    if (next < 0 || next > most || emptyLine) return start.subarray(0, end);
    end = next;
  }
}

/** Where the line that starts at `from` ends, behind its CR LF; -1 where it does not. */
function lineEnd(bytes: Uint8Array, from: number): number {
  for (let lf = bytes.indexOf(LF, from); lf >= 0; lf = bytes.indexOf(LF, lf + 1)) {
    if (bytes[lf - 1] === CR) return lf + 1;
  }
  return -1;
}

/**
 * The whole text of the report, 7-bit, lines end in CR LF. Nothing that came from outside can end
 * its line in it, nor pass for a boundary.
 */
export function reportText(report: Report): Uint8Array {
  const parts = [
    part("text/plain; charset=us-ascii", "7bit", explanation(report)),
    part("message/delivery-status", "7bit", deliveryStatus(report)),
    headerPart(report.header),
  ];
  const boundary = freeBoundary(report.reportId, parts);
  const text = messageHeader(report, boundary) +
    parts.map((text) => `\r\n--${boundary}\r\n${text}`).join("") +
    `\r\n--${boundary}--\r\n`;
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function part(type: string, encoding: string, body: string): string {
  return `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`;
}

/**
 * An 8-bit header is encoded (RFC 6522 4): a server without 8BITMIME would refuse it as it is, and
 * a report that is refused is lost.
 */
function headerPart(header: Uint8Array): string {
  const text = returnedHeader(header);
  return /[\x80-\xff]/.test(text)
    ? part("text/rfc822-headers", "quoted-printable", quotedPrintable(text))
    : part("text/rfc822-headers", "7bit", text);
}

/** A boundary that is in none of the parts. They are finite, so there is one. */
function freeBoundary(id: string, parts: readonly string[]): string {
  for (let count = 0;; count++) {
    const boundary = `report-${id}-${count}`;
    if (!parts.some((text) => text.includes(boundary))) return boundary;
  }
}

/** The report is an answer to a message, so not `auto-generated` (RFC 3834 5.2). */
function messageHeader(report: Report, boundary: string): string {
  const { kind, host, reportId, now, to } = report;
  return lines(
    field("From", `mail delivery system <postmaster@${host}>`),
    field("To", printPath(to)),
    field("Subject", `Your message ${kind === "failed" ? "could not be delivered" : "is delayed"}`),
    field("Date", dateTime(now)),
    field("Message-ID", `<${reportId}@${host}>`),
    field("Auto-Submitted", "auto-replied"),
    field("MIME-Version", "1.0"),
    "Content-Type: multipart/report; report-type=delivery-status;",
    `\tboundary="${boundary}"`,
    field("Content-Transfer-Encoding", "7bit"),
  );
}

// The part for programs.

function deliveryStatus(report: Report): string {
  const { host, id, arrived, recipients } = report;
  const message = lines(
    field("Reporting-MTA", `dns; ${host}`),
    field("X-denoSMTPD-Queue-ID", id),
    field("Arrival-Date", dateTime(arrived)),
  );
  return [message, ...recipients.map((recipient) => recipientFields(report, recipient))]
    .join("\r\n");
}

/**
 * Final-Recipient is the address that this host took the message for (RFC 3464 2.3.2). There is no
 * Original-Recipient: only the ORCPT of an envelope may become one (RFC 3461 6.3 d).
 */
function recipientFields({ kind, retryUntil }: Report, recipient: ReportedRecipient): string {
  const { forwardPath, original, reply, heard, host, time, status } = recipient;
  const forwarded = original && printMailbox(original) !== printMailbox(forwardPath);
  const delayed = kind === "delayed" && retryUntil !== undefined;
  return lines(
    field("Final-Recipient", `rfc822; ${printMailbox(original ?? forwardPath)}`),
    field("Action", kind),
    field("Status", status ?? statusOf(reply)),
    heard && host && field("Remote-MTA", `dns; ${host}`),
    heard && diagnosticCode(reply),
    time > 0 && field("Last-Attempt-Date", dateTime(time)),
    delayed && field("Will-Retry-Until", dateTime(retryUntil)),
    // RFC 3461 6.3 j has this one for the address that was given to the other server.
    forwarded && field("SMTP-Remote-Recipient", `rfc822; ${printMailbox(forwardPath)}`),
  );
}

/** The reply as it came, each line of it behind a blank (RFC 3461 9.2). */
function diagnosticCode(reply: Reply): string {
  const [first, ...rest] = replyLines(reply);
  return [`Diagnostic-Code: smtp; ${first}`, ...rest].flatMap(wrapped).join("\r\n ");
}

// The part for people.

function explanation(report: Report): string {
  const { kind, host, id, arrived, recipients } = report;
  const failed = kind === "failed";
  const opening = `The mail server ${host} took a message from you on ${dateTime(arrived)}. ` +
    `It could not ${failed ? "be delivered" : "yet be delivered"} to:`;
  const help = `If you need help, write to postmaster@${host} and name the message as ${id}. ` +
    "Its header is attached. If it is not from you, somebody else used your address, and you " +
    "need not do anything.";
  return [
    wrapped(opening),
    ...byReason(kind, recipients),
    wrapped(failed ? failedAdvice(recipients.length) : delayedAdvice(report)),
    wrapped(help),
  ].map((paragraph) => lines(...paragraph)).join("\r\n");
}

function failedAdvice(count: number): string {
  const [address, it] = count > 1 ? ["these addresses", "them"] : ["this address", "it"];
  return `It is not tried again for ${address}. The reason above tells what is in the way. If ` +
    `you find ${it} miswritten, please send the message again to the right one.`;
}

function delayedAdvice({ retryUntil }: Report): string {
  const until = retryUntil === undefined ? "" : ` until ${dateTime(retryUntil)}`;
  return `You need not do anything: it is tried again${until}. Please do not send it once more. ` +
    "If it has to be given up, you will be told.";
}

/** Paragraphs, two for each reason: the addresses that share it, and what it is. */
function byReason(kind: Report["kind"], recipients: readonly ReportedRecipient[]): string[][] {
  return [...Map.groupBy(recipients, (recipient) => reason(kind, recipient).join("\n"))]
    .flatMap(([why, sharing]) => [sharing.map(writtenTo), why.split("\n")]);
}

function writtenTo({ forwardPath, original }: ReportedRecipient): string {
  const address = printMailbox(original ?? forwardPath);
  const final = printMailbox(forwardPath);
  return inert(`  ${address}${address === final ? "" : `, which is forwarded to ${final}`}`);
}

function reason(kind: Report["kind"], recipient: ReportedRecipient): string[] {
  const { reply, heard, host } = recipient;
  const expired = kind === "failed" && reply.code < 500;
  const opening = heard ? `The ${host ? `server ${host}` : "other server"} said:` : "The reason:";
  const said = heard ? replyLines(reply) : shortened(reply).lines;
  return [expired ? TRIED : "", opening, ...said].flatMap(indented);
}

function indented(text: string): string[] {
  return wrapped(text).map((line) => `    ${line}`);
}

/** The reply's lines with their codes, as over the wire. */
function replyLines(reply: Reply): string[] {
  const { code, status, lines } = shortened(reply);
  return encodeReply({ code, status, lines: lines.map(printable) }).trimEnd().split("\r\n");
}

/**
 * The header as it may be shown, one character for each octet: control characters and a lone CR or LF become `?`,
 * and a line over the limit is cut and says so.
 */
function returnedHeader(header: Uint8Array): string {
  const text = Array.from(header, (octet) => String.fromCharCode(octet)).join("");
  return text.replace(/(?![\t\r\n])\p{Cc}(?<![\x80-\x9f])|\r(?!\n)|(?<!\r)\n/gu, "?").split("\r\n")
    .map((line) => line.length <= MAX_LINE ? line : line.slice(0, MAX_LINE - CUT.length) + CUT)
    .join("\r\n");
}
