/** What waits in a daemon's queue, as its command line tells it. */

import type { Daemon } from "./daemon.ts";
import { run } from "./run.ts";
import { until } from "./until.ts";

/** A message as `queue list --json` prints it. Times are ISO 8601. */
export interface Waiting {
  readonly id: string;
  readonly arrived: string;
  readonly from: string;
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

export async function waitingIn({ folder }: Pick<Daemon, "folder">): Promise<Waiting[]> {
  const { code, out, err } = await run(["queue", "list", "mail.conf", "--json"], { cwd: folder });
  if (code !== 0) throw new Error(`queue list ended with ${code}: ${err}`);
  return out.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Returns as soon as nothing waits any more. Rejects after `patience` milliseconds. */
export async function emptied(
  { folder }: Pick<Daemon, "folder">,
  patience?: number,
): Promise<void> {
  await until("an empty queue", async () => {
    return (await Array.fromAsync(Deno.readDir(`${folder}/spool/queue`))).length === 0;
  }, patience);
}

/** Asks for another attempt at all that waits, and returns when the daemon has heard it. */
export async function retryAll({ folder }: Pick<Daemon, "folder">): Promise<void> {
  const { code, err } = await run(["queue", "retry", "mail.conf", "--all"], { cwd: folder });
  if (code !== 0) throw new Error(`queue retry ended with ${code}: ${err}`);
}
