/** The mailbox directories of a configuration at the daemon's start: tried out, made, swept. */

import type { Configuration } from "../config/configuration.ts";
import type { Problem } from "../config/problem.ts";
import { mailboxDirectories } from "../config/user_conf.ts";
import type { Disk } from "../disk.ts";
import { makeMaildir, sweepMaildir } from "../mailbox/maildir.ts";
import { MaildirNames } from "../mailbox/name.ts";
import { clearTry, nearestExisting, realPath, reason, tryMaking } from "./directories.ts";
import { system } from "./system.ts";

const PARTS = ["tmp", "new", "cur"] as const;

/**
 * Makes every mailbox directory that is missing and tries it out. Returns those made, for one whose
 * disk is not mounted is missing too, and what stands in the way, one problem for each directory.
 */
export async function prepareMailboxes(
  configuration: Configuration,
  disk: Disk,
): Promise<{ made: readonly string[]; problems: readonly Problem[] }> {
  const names = ownNames();
  const made: string[] = [];
  const problems = await eachMailbox(configuration, async (directory) => {
    const missing = !await disk.exists(directory);
    // Of a reload that was to bring it.
    for (const part of PARTS) {
      const isThere = (path: string) => disk.exists(path);
      await clearTry(disk, await nearestExisting(`${directory}/${part}`, isThere));
    }
    await makeMaildir(disk, directory);
    if (missing) made.push(directory);
    await tryMaildir(disk, names, directory);
  });
  return { made, problems };
}

/**
 * Tries whether `prepareMailboxes` would succeed, without leaving anything behind: what a check by
 * root makes, the daemon's own user might not be allowed to use.
 */
export function tryMailboxes(configuration: Configuration, disk: Disk): Promise<Problem[]> {
  const names = ownNames();
  return eachMailbox(configuration, async (directory) => {
    let whole = true;
    for (const part of PARTS) {
      const path = `${directory}/${part}`;
      const nearest = await nearestExisting(path);
      whole &&= nearest === path;
      // What is there must take files, what is missing must be made below what is there.
      await tryMaking(disk, nearest);
    }
    if (whole) await tryMaildir(disk, names, directory);
  });
}

/**
 * Removes what an earlier daemon left unfinished. Only once it is known that no other daemon listens
 * where this one shall: its texts are unfinished too, and not left. Returns how many files that were.
 */
export async function sweepMailboxes(configuration: Configuration, disk: Disk): Promise<number> {
  const names = ownNames();
  let swept = 0;
  for (const directory of mailboxDirectories(configuration)) {
    swept += await sweepMaildir(disk, names, directory);
  }
  return swept;
}

/**
 * The same configuration with the spool and each mailbox directory by its one real path. Two spellings of a
 * directory would be two mailboxes otherwise, and a message for both could be in neither.
 */
export async function withRealPaths(configuration: Configuration): Promise<Configuration> {
  const users = await Promise.all(configuration.users.map(async (user) => {
    if (!("directory" in user.target)) return user;
    return { ...user, target: { directory: await realPath(user.target.directory) } };
  }));
  const SPOOL_DIR = await realPath(configuration.mail.SPOOL_DIR);
  return { ...configuration, mail: { ...configuration.mail, SPOOL_DIR }, users };
}

async function eachMailbox(
  { users, files }: Configuration,
  attempt: (directory: string) => Promise<void>,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  const attempted = new Set<string>();
  for (const { name, target, line } of users) {
    if (!("directory" in target) || attempted.has(target.directory)) continue;
    attempted.add(target.directory);
    try {
      await attempt(target.directory);
    } catch (error) {
      const message = `${name}: cannot keep mail in ${target.directory}: ${reason(error)}`;
      problems.push({ file: files.users, line, message });
    }
  }
  return problems;
}

function ownNames(): MaildirNames {
  return new MaildirNames({
    host: system.hostName(),
    process: Deno.pid,
    now: Date.now,
    random: Math.random,
  });
}

/**
 * The way of every message, with an empty one that no reader sees: its name begins with a period. It is
 * always the same there, so that what a crash leaves is gone after the next start.
 */
async function tryMaildir(disk: Disk, names: MaildirNames, directory: string): Promise<void> {
  const [temporary, final] = [`${directory}/tmp/${names.next()}`, `${directory}/new/.denosmtpd`];
  try {
    (await disk.create(temporary)).close();
    await disk.rename(temporary, final);
    await disk.syncDirectory(`${directory}/new`);
  } finally {
    await disk.remove(temporary);
    await disk.remove(final);
  }
}
