/** The lines a host puts on top of a message: Received and Return-Path (RFC 5321 4.4). */

import { type Mailbox, printPath } from "./address.ts";
import { addressLiteral, parseIp } from "./ip.ts";
import type { Transaction } from "./event.ts";

export interface Receipt {
  readonly transaction: Pick<Transaction, "client" | "protocol" | "forwardPaths">;
  /** The address the connection came from, as text. */
  readonly peer: string;
  /** What secured it on its way here, in OpenSSL's names; undefined in plain text. */
  readonly tls?: { readonly protocol: string; readonly cipher: string } | undefined;
  /** Own name. */
  readonly host: string;
  /** The message's id here. */
  readonly id: string;
  /** When it came, in milliseconds since 1970. */
  readonly time: number;
}

/**
 * The Received field, folded, with CR LF line ends. `for` names the recipient only where there is
 * one: with more it would show each of them who the others are (RFC 5321 7.6).
 */
export function receivedField(receipt: Receipt): string {
  const { transaction, peer, tls, host, id, time } = receipt;
  const { client, protocol, forwardPaths } = transaction;
  const ip = parseIp(peer);
  const literal = ip ? addressLiteral(ip) : "[unknown]";
  const [only, another] = forwardPaths;
  const forClause = only && !another ? ` for ${printPath(only)}` : "";
  const comment = tls ? ` (${tls.protocol} ${tls.cipher})\r\n\t` : " ";
  return `Received: from ${client} (${literal})\r\n` +
    `\tby ${host} with ${protocol}${comment}id ${id}${forClause};\r\n` +
    `\t${dateTime(time)}\r\n`;
}

/** The Return-Path field that final delivery puts on the very top (RFC 5321 4.4). */
export function returnPathField(reversePath: Mailbox | null): string {
  return `Return-Path: ${printPath(reversePath)}\r\n`;
}

/** A moment as RFC 5322 3.3 writes it, in universal time: `Sun, 22 Nov 2026 15:04:05 +0000`. */
export function dateTime(time: number): string {
  return new Date(time).toUTCString().replace("GMT", "+0000");
}
