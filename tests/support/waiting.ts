/** What waits in a daemon's queue, as its command line tells it. */

import assert from "node:assert/strict";
import type { Daemon } from "./daemon.ts";
import { namesIn } from "./names_in.ts";
import { type Outcome, run } from "./run.ts";
import { until } from "./until.ts";

/** Where the queue is: in the spool of this folder. */
type Place = Pick<Daemon, "folder">;

/** A message as `queue list --json` prints it. Times are ISO 8601. */
export interface Waiting {
  readonly id: string;
  readonly arrived: string;
  readonly from: string;
  readonly size: number;
  readonly recipients: readonly {
    readonly to: string;
    readonly original?: string;
    readonly state: string;
    readonly attempts: number;
    readonly nextAttempt?: string;
    readonly reply?: string;
    readonly host?: string;
  }[];
}

/** The command `queue` in a daemon's folder. */
export function queue({ folder }: Place, ...words: readonly string[]): Promise<Outcome> {
  const [action = "", ...rest] = words;
  return run(["queue", action, "mail.conf", ...rest], { cwd: folder });
}

/** What waits, oldest first. */
export async function waitingIn(place: Place): Promise<Waiting[]> {
  const { code, out, err } = await queue(place, "list", "--json");
  assert.deepEqual([code, err], [0, ""]);
  return out.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** What waits once everything in the queue was tried and the outcome is recorded. */
export function deferredIn(place: Place): Promise<Waiting[]> {
  return until("everything was tried", async () => {
    const all = await waitingIn(place);
    const recipients = all.flatMap((message) => message.recipients);
    return recipients.length > 0 && recipients.every(({ reply }) => reply !== undefined) && all;
  });
}

/** Returns as soon as nothing waits any more. Rejects after `patience` milliseconds. */
export async function emptied({ folder }: Place, patience?: number): Promise<void> {
  await until("an empty queue", async () => {
    return (await namesIn(`${folder}/spool/queue`)).length === 0;
  }, patience);
}

/** Asks for another attempt at all that waits, and returns when the daemon has heard it. */
export async function retryAll(place: Place): Promise<void> {
  const { code, err } = await queue(place, "retry", "--all");
  assert.deepEqual([code, err], [0, ""]);
}
