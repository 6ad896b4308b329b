/** Mail given to a daemon as a client gives it. */

import assert from "node:assert/strict";
import { RawClient } from "./raw_client.ts";

export interface Submission {
  /** "" is the null reverse-path. */
  readonly from?: string;
  readonly to: readonly string[];
  /** Lines end in CR LF; one character for each octet. */
  readonly text?: string;
}

export const TEXT = "From: Jones <jones@me.example>\r\nTo: friends:;\r\nSubject: relayed\r\n" +
  "Date: Sun, 22 Nov 2026 15:04:05 +0000\r\nMessage-ID: <1@me.example>\r\n\r\nAs it was.\r\n";

/** Sends one message, which must be taken for all of its recipients. */
export async function submit(
  port: number,
  { from = "jones@me.example", to, text = TEXT }: Submission,
  hostname = "127.0.0.1",
): Promise<void> {
  const client = await RawClient.connect(port, hostname);
  try {
    assert.match(await client.reply() ?? "", /^220 /);
    assert.match(await client.command("EHLO client.example") ?? "", /^250/);
    const eightBit = /[\x80-\xff]/.test(text) ? " BODY=8BITMIME" : "";
    assert.match(await client.command(`MAIL FROM:<${from}>${eightBit}`) ?? "", /^250 /);
    for (const one of to) assert.match(await client.command(`RCPT TO:<${one}>`) ?? "", /^250 /);
    assert.match(await client.command("DATA") ?? "", /^354 /);
    const stuffed = text.replace(/(^|\r\n)\./g, "$1..");
    await client.send(Uint8Array.from(`${stuffed}.\r\n`, (octet) => octet.charCodeAt(0)));
    assert.match(await client.reply() ?? "", /^250 /);
    await client.command("QUIT");
  } finally {
    client.close();
  }
}
