/** Mail given to a server as a client gives it. */

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

/** A client that is greeted and has said EHLO. */
export async function greetedClient(port: number, hostname?: string): Promise<RawClient> {
  const client = await RawClient.connect(port, hostname);
  try {
    assert.match(await client.reply() ?? "", /^220 /);
    assert.match(await client.command("EHLO client.example") ?? "", /^250/);
    return client;
  } catch (error) {
    // A server that is killed at this moment, say.
    client.close();
    throw error;
  }
}

/** One transaction up to its text; all before that must be taken. */
export async function envelope(
  client: RawClient,
  { from = "jones@me.example", to, text = TEXT }: Submission,
): Promise<void> {
  const eightBit = /[\x80-\xff]/.test(text) ? " BODY=8BITMIME" : "";
  assert.match(await client.command(`MAIL FROM:<${from}>${eightBit}`) ?? "", /^250 /);
  for (const one of to) assert.match(await client.command(`RCPT TO:<${one}>`) ?? "", /^250 /);
  assert.match(await client.command("DATA") ?? "", /^354 /);
}

/** One transaction; the reply to its text, whatever it is. */
export async function transaction(client: RawClient, submission: Submission): Promise<string> {
  await envelope(client, submission);
  const stuffed = (submission.text ?? TEXT).replace(/(^|\r\n)\./g, "$1..");
  await client.send(Uint8Array.from(`${stuffed}.\r\n`, (octet) => octet.charCodeAt(0)));
  return await client.reply() ?? "";
}

/** Sends one message, which must be taken for all of its recipients. Returns its id. */
export async function submit(
  port: number,
  submission: Submission,
  hostname?: string,
): Promise<string> {
  const client = await greetedClient(port, hostname);
  try {
    const reply = await transaction(client, submission);
    const [, id] = /^250 2\.0\.0 OK, stored as (\w+)$/.exec(reply) ?? [];
    assert(id, reply);
    await client.command("QUIT");
    return id;
  } finally {
    client.close();
  }
}
