/** The directories that receivers are granted for mailboxes. */

import { basename, dirname } from "node:path";
import type { Configuration } from "../config/configuration.ts";
import { mailboxDirectories } from "../config/user_conf.ts";
import type { Disk } from "../disk.ts";

/** What a file system keeps at its top, for root alone. */
const OF_THE_SYSTEM = "lost+found";

/**
 * What a receiver is to be granted for its mailboxes: each of them, but of those that stand side by side,
 * with nothing else there, the one directory around them. Deno goes through all that is granted for each
 * path that it opens, which for a thousand mailboxes takes longer than everything else. Paths are real
 * ones. Those that are `made` must be there: where they are not, their disk may be away, and who knows what
 * else is on it. Never rejects: a directory that cannot be looked at is granted by its mailboxes.
 */
export async function grantedForMail(
  configuration: Pick<Configuration, "users">,
  disk: Pick<Disk, "list">,
  { made }: { readonly made: boolean },
): Promise<string[]> {
  const neighbours = Map.groupBy(mailboxDirectories(configuration), (mailbox) => dirname(mailbox));
  const granted = await Promise.all([...neighbours].map(async ([around, mailboxes]) => {
    const together = mailboxes.length > 1 && mayGrant(around) &&
      await holdsOnly(disk, around, mailboxes, made);
    return together ? [around] : mailboxes;
  }));
  return granted.flat();
}

/** Whether this thread may do there itself what it would grant. */
function mayGrant(path: string): boolean {
  return (["read", "write"] as const).every((name) => {
    return Deno.permissions.querySync({ name, path }).state === "granted";
  });
}

async function holdsOnly(
  disk: Pick<Disk, "list">,
  around: string,
  mailboxes: readonly string[],
  made: boolean,
): Promise<boolean> {
  const own = new Set(mailboxes.map((mailbox) => basename(mailbox)));
  try {
    const names = (await disk.list(around)).filter((name) => name !== OF_THE_SYSTEM);
    return names.every((name) => own.has(name)) && (!made || names.length === own.size);
  } catch (error) {
    // It is made together with them.
    return !made && error instanceof Deno.errors.NotFound;
  }
}
