/** Mail into a running daemon, and what waits in its queue. */

import assert from "node:assert/strict";
import type { Daemon } from "../support/daemon.ts";
import { RawClient } from "../support/raw_client.ts";
import { type Outcome, run } from "../support/run.ts";

/** Nobody listens there, so all mail for other hosts waits. */
export const NOWHERE = "RELAY_HOST = 127.0.0.1:1";

/** Hands in one message and returns the reply to its text. */
export async function submit(
  { port }: Pick<Daemon, "port">,
  to: readonly string[],
  { from = "a@b.example", text = "Subject: Hi\r\n\r\nHello\r\n" } = {},
): Promise<string> {
  const client = await RawClient.connect(port);
  try {
    await client.reply();
    const commands = ["EHLO a.example", `MAIL FROM:<${from}>`];
    commands.push(...to.map((path) => `RCPT TO:<${path}>`), "DATA");
    for (const line of commands) assert.match(await client.command(line) ?? "", /^(250|354)[ -]/);
    return await client.command(`${text}.`) ?? "";
  } finally {
    client.close();
  }
}

/** The same; returns the message's id. */
export async function submitted(...words: Parameters<typeof submit>): Promise<string> {
  const [, id] = /^250 2\.0\.0 OK, stored as (\w+)$/.exec(await submit(...words)) ?? [];
  assert.ok(id);
  return id;
}

export interface Waiting {
  readonly id: string;
  readonly from: string;
  readonly arrived: string;
  readonly size: number;
  readonly recipients: readonly {
    readonly to: string;
    readonly original?: string;
    readonly state: string;
    readonly attempts: number;
    readonly nextAttempt?: string;
    readonly reply?: string;
  }[];
}

/** The command `queue` in a daemon's folder. */
export function queue(folder: string, ...words: readonly string[]): Promise<Outcome> {
  const [action = "", ...ids] = words;
  return run(["queue", action, "mail.conf", ...ids], { cwd: folder });
}

/** What waits, oldest first. */
export async function waiting(folder: string): Promise<Waiting[]> {
  const { code, out, err } = await queue(folder, "list", "--json");
  assert.deepEqual([code, err], [0, ""]);
  return out.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Milliseconds that a test waits for something to become so, and between two looks. */
const PATIENCE = 20_000;
const PAUSE = 20;

/** Resolves when it is so. Rejects when it does not become so. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !await holds(); waited += PAUSE) {
    if (waited >= PATIENCE) throw new Error(`not so in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** Names in a directory, sorted. */
export async function namesIn(directory: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(directory)) names.push(name);
  return names.sort();
}

/** Resolves when no message waits in this spool. */
export function emptied(spool: string): Promise<void> {
  return until(`${spool} is empty`, async () => (await namesIn(`${spool}/queue`)).length === 0);
}

/** What waits once everything in the queue was tried and the outcome is recorded. */
export async function deferred(folder: string): Promise<Waiting[]> {
  let all: Waiting[] = [];
  await until("everything was tried", async () => {
    all = await waiting(folder);
    const recipients = all.flatMap((message) => message.recipients);
    return recipients.length > 0 && recipients.every(({ reply }) => reply !== undefined);
  });
  return all;
}
