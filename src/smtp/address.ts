/** Mailboxes, domains, address literals and source routes: the paths of RFC 5321 4.1.2 and RFC 788. */

import { Cursor } from "./cursor.ts";
import { addressLiteral, parseIp, parseIpv6 } from "./ip.ts";

/** A mailbox. */
export interface Mailbox {
  /** Without its quotes and backslashes: `"a b"` and `a\ b` are both `a b`. Case is kept. */
  readonly localPart: string;
  /**
   * A name in the case it came in, an address literal in its canonical form (`[192.0.2.1]`,
   * `[IPv6:2001:db8::1]`), or "" for the bare `Postmaster` of RFC 5321 4.5.1 alone.
   */
  readonly domain: string;
}

/** What stands between angle brackets: where the mail is to go, and the hosts it should pass. */
export interface Path {
  readonly mailbox: Mailbox;
  /** The source route. It is recognised and never followed (RFC 5321 appendix C). */
  readonly route: readonly string[];
}

/** A path that is not one. The message says what is wrong in words fit for a reply. */
export class PathError extends Error {
  override name = "PathError";
}

/** Octets, RFC 5321 4.5.3.1: the least maxima, and ours. */
const MAX_LOCAL_PART = 64;
const MAX_DOMAIN = 255;
const MAX_PATH = 256;

const ATOM = /[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+/y;
const PRINTABLE = /[ -~]/;
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const DOMAIN_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const DOT_STRING = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*$/;

/** Reads `<path>` or `<>`; null is the null reverse-path. Throws PathError. */
export function readReversePath(cursor: Cursor): Path | null {
  return cursor.accept("<>") ? null : readPath(cursor, false);
}

/** Reads `<path>` or `<Postmaster>` (RFC 5321 4.1.1.3). Throws PathError. */
export function readForwardPath(cursor: Cursor): Path {
  return readPath(cursor, true);
}

/** Reads the whole of `text` as a mailbox without angle brackets. Throws PathError. */
export function parseMailbox(text: string): Mailbox {
  const cursor = new Cursor(text);
  const mailbox = readMailbox(cursor, false);
  if (!cursor.done) throw new PathError(`${unexpected(cursor.peek())} in the address`);
  if (printPath(mailbox).length > MAX_PATH) throw new PathError("address too long");
  return mailbox;
}

/** Only what is fit for a reply is shown. */
function unexpected(character: string): string {
  return PRINTABLE.test(character) ? `unexpected "${character}"` : "unexpected character";
}

function readPath(cursor: Cursor, postmaster: boolean): Path {
  const start = cursor.at;
  if (!cursor.accept("<")) throw new PathError("the path must stand in < and >");
  const route = readRoute(cursor);
  const mailbox = readMailbox(cursor, postmaster && route.length === 0);
  if (!cursor.accept(">")) throw new PathError("the path does not end in >");
  // Neither as it came nor as it would go on: what is taken in must be fit to be sent out.
  if (Math.max(cursor.at - start, printPath(mailbox).length) > MAX_PATH) {
    throw new PathError("path too long");
  }
  return { mailbox, route };
}

/** `@a,@b:` as RFC 5321 writes it, or `@a,@b,` as RFC 788 3.6 did. */
function readRoute(cursor: Cursor): string[] {
  const route: string[] = [];
  while (cursor.accept("@")) {
    route.push(readDomain(cursor));
    if (cursor.accept(":")) break;
    if (!cursor.accept(",")) throw new PathError("the source route lacks its mailbox");
  }
  return route;
}

function readMailbox(cursor: Cursor, postmaster: boolean): Mailbox {
  const start = cursor.at;
  const localPart = cursor.peek() === '"' ? readQuotedString(cursor) : readDotString(cursor);
  if (Math.max(cursor.at - start, printLocalPart(localPart).length) > MAX_LOCAL_PART) {
    throw new PathError("local-part too long");
  }
  if (cursor.accept("@")) return { localPart, domain: readDomain(cursor) };
  if (postmaster && isPostmaster(localPart)) return { localPart, domain: "" };
  throw new PathError("the address lacks its domain");
}

/** Words of atoms joined by dots. A backslash takes any one character as it is (RFC 788 4.1.2). */
function readDotString(cursor: Cursor): string {
  let result = "";
  let wordStarts = true;
  for (;;) {
    const atom = cursor.run(ATOM);
    if (atom !== "") result += atom;
    else if (cursor.accept("\\")) result += readQuoted(cursor);
    else if (!wordStarts && cursor.accept(".")) {
      result += ".";
      wordStarts = true;
      continue;
    } else break;
    wordStarts = false;
  }
  if (wordStarts) throw new PathError("bad local-part");
  return result;
}

function readQuotedString(cursor: Cursor): string {
  cursor.next();
  let result = "";
  while (!cursor.accept('"')) {
    if (cursor.accept("\\")) result += readQuoted(cursor);
    else if (PRINTABLE.test(cursor.peek())) result += cursor.next();
    else throw new PathError("the quoted local-part does not end");
  }
  return result;
}

function readQuoted(cursor: Cursor): string {
  if (!PRINTABLE.test(cursor.peek())) throw new PathError("nothing follows the backslash");
  return cursor.next();
}

function readDomain(cursor: Cursor): string {
  if (cursor.peek() === "[") return readLiteral(cursor);
  const name = cursor.run(/[A-Za-z0-9.-]+/y);
  if (!isDomainName(name)) throw new PathError("bad domain");
  return name;
}

/** `[n.n.n.n]`, `[IPv6:…]`, a bare `[…]` IPv6 address, or another tag (RFC 5321 4.1.3). */
function readLiteral(cursor: Cursor): string {
  cursor.next();
  const content = cursor.run(/[!-Z^-~]+/y);
  if (!cursor.accept("]")) throw new PathError("the address literal does not end in ]");
  const literal = normalLiteral(content);
  if (!literal) throw new PathError("bad address literal");
  return literal;
}

function normalLiteral(content: string): string | undefined {
  const colon = content.indexOf(":");
  const tag = colon < 0 ? "" : content.slice(0, colon);
  const tagged = tag.toLowerCase() === "ipv6";
  const text = tagged ? content.slice(colon + 1) : content;
  // What is tagged as IPv6 must be written as IPv6; an IPv4 address mapped into it is still that one.
  const ip = tagged && !parseIpv6(text) ? undefined : parseIp(text);
  if (ip) return addressLiteral(ip);
  const other = !tagged && /^[A-Za-z0-9-]*[A-Za-z0-9]$/.test(tag) && colon < content.length - 1;
  return other && content.length + 2 <= MAX_DOMAIN ? `[${content}]` : undefined;
}

/** Letters, digits and inner hyphens in labels of up to 63, joined by dots; single labels are fine. */
export function isDomainName(text: string): boolean {
  return text.length <= MAX_DOMAIN && DOMAIN_NAME.test(text);
}

/**
 * Reads the whole of `text` as a domain name or an address literal; returns it as a Mailbox holds
 * it, undefined where it is neither.
 */
export function parseDomain(text: string): string | undefined {
  if (!text.startsWith("[")) return isDomainName(text) ? text : undefined;
  const inner = /^\[([!-Z^-~]+)\]$/.exec(text);
  return inner?.[1] === undefined ? undefined : normalLiteral(inner[1]);
}

/** Whether a local-part can be written without quotes (RFC 5321 4.1.2). */
export function isDotString(localPart: string): boolean {
  return DOT_STRING.test(localPart);
}

/** RFC 5321 4.5.1: reserved in every domain, in whatever case. */
export function isPostmaster(localPart: string): boolean {
  return localPart.toLowerCase() === "postmaster";
}

/** Two domains are the same whatever their case (RFC 5321 2.4). */
export function sameDomain(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Writes a mailbox with no more quoting than it needs (RFC 5321 4.1.2). */
export function printMailbox({ localPart, domain }: Mailbox): string {
  const local = printLocalPart(localPart);
  return domain === "" ? local : `${local}@${domain}`;
}

function printLocalPart(localPart: string): string {
  if (isDotString(localPart)) return localPart;
  return `"${localPart.replace(/["\\]/g, (character) => `\\${character}`)}"`;
}

/** The same text for the same mailbox: of the domain the case does not count, of the local-part it may. */
export function mailboxKey({ localPart, domain }: Mailbox): string {
  return printMailbox({ localPart, domain: domain.toLowerCase() });
}

/** Writes a path in its angle brackets, without a route; null is `<>`. */
export function printPath(mailbox: Mailbox | null): string {
  return mailbox === null ? "<>" : `<${printMailbox(mailbox)}>`;
}
