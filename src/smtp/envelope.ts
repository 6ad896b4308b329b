/**
 * What one transaction is about: its commands, and what the sending side knows of it without asking.
 */

import {
  type Mailbox,
  type Path,
  PathError,
  printPath,
  readForwardPath,
  readReversePath,
} from "./address.ts";
import { Cursor } from "./cursor.ts";
import type { Reply } from "./reply.ts";

/** What one transaction is about. */
export interface Envelope {
  readonly reversePath: Mailbox | null;
  /** One to MAX_RECIPIENTS. */
  readonly forwardPaths: readonly Mailbox[];
  /** Octets of the text. */
  readonly size: number;
  /** Whether the text has octets above 127. */
  readonly eightBit: boolean;
}

/** As many recipients as every server takes in one transaction (RFC 5321 4.5.3.1.8). */
export const MAX_RECIPIENTS = 100;

/** What a server offers: keywords in upper case, each with its parameters. */
export type Keywords = ReadonlyMap<string, string>;

const NO_EIGHT_BIT: Reply = {
  code: 554,
  status: "5.6.3",
  lines: ["The text has 8-bit octets and the server does not offer 8BITMIME"],
};
const TOO_BIG: Reply = {
  code: 552,
  status: "5.3.4",
  lines: ["The text is larger than the server takes"],
};
const BAD_REVERSE_PATH: Reply = {
  code: 553,
  status: "5.1.7",
  lines: ["The reverse-path cannot be written in a command"],
};
/** The judgement on a recipient that `hasSoundPath` is false for. */
export const BAD_FORWARD_PATH: Reply = {
  code: 553,
  status: "5.1.3",
  lines: ["The forward-path cannot be written in a command"],
};

/** Why the whole transaction would be in vain at a server that offers this, undefined if it is not. */
export function judge(
  { reversePath, size, eightBit }: Envelope,
  keywords: Keywords,
): Reply | undefined {
  if (!isSound(reversePath, readReversePath)) return BAD_REVERSE_PATH;
  // Without a number, or with 0, there is no limit to know of (RFC 1870 3).
  const limit = Number(/^\d+$/.exec(keywords.get("SIZE") ?? "")?.[0]) || Infinity;
  if (size > limit) return TOO_BIG;
  if (eightBit && !keywords.has("8BITMIME")) return NO_EIGHT_BIT;
  return undefined;
}

/** Whether a recipient can be written in a command. */
export function hasSoundPath(forwardPath: Mailbox): boolean {
  return isSound(forwardPath, readForwardPath);
}

/** Parameters are those of extensions the server offers, no others (RFC 5321 2.2.1). */
export function mailCommand(
  { reversePath, size, eightBit }: Envelope,
  keywords: Keywords,
): string {
  const sizeParameter = keywords.has("SIZE") ? ` SIZE=${size}` : "";
  const bodyParameter = eightBit ? " BODY=8BITMIME" : "";
  return `MAIL FROM:${printPath(reversePath)}${sizeParameter}${bodyParameter}`;
}

/** Never with a source route (RFC 5321 3.6.1). */
export function rcptCommand(forwardPath: Mailbox): string {
  return `RCPT TO:${printPath(forwardPath)}`;
}

/**
 * Whether a path is read back as what it is. Then nothing in it can end the path and begin something
 * else, whoever stored it.
 */
function isSound(mailbox: Mailbox | null, read: (cursor: Cursor) => Path | null): boolean {
  const cursor = new Cursor(printPath(mailbox));
  try {
    const path = read(cursor);
    return cursor.done && path?.mailbox.localPart === mailbox?.localPart;
  } catch (error) {
    if (!(error instanceof PathError)) throw error;
    return false;
  }
}
