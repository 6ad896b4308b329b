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
 * ones. Never rejects: a directory that cannot be looked at is granted by its mailboxes.
 */
export async function grantedForMail(
  configuration: Pick<Configuration, "users">,
  disk: Pick<Disk, "list">,
): Promise<string[]> {
  const neighbours = Map.groupBy(mailboxDirectories(configuration), (mailbox) => dirname(mailbox));
  const granted = await Promise.all([...neighbours].map(async ([around, mailboxes]) => {
    const holdsNothingElse = mailboxes.length > 1 && await holdsOnly(disk, around, mailboxes);
    return holdsNothingElse ? [around] : mailboxes;
  }));
  return granted.flat();
}

async function holdsOnly(
  disk: Pick<Disk, "list">,
  around: string,
  mailboxes: readonly string[],
): Promise<boolean> {
  const own = new Set(mailboxes.map((mailbox) => basename(mailbox))).add(OF_THE_SYSTEM);
  try {
    return (await disk.list(around)).every((name) => own.has(name));
  } catch (error) {
    // It is made together with them.
    return error instanceof Deno.errors.NotFound;
  }
}
