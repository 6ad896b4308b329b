/** Whether the directories and ports of a configuration can be used, tried out rather than guessed. */

import { exists } from "@std/fs/exists";
import type { Configuration } from "../config/configuration.ts";
import { problemAt } from "../config/configuration.ts";
import type { Problem } from "../config/problem.ts";
import type { Disk } from "../disk.ts";
import { makeMaildir, sweepMaildir } from "../mailbox/maildir.ts";
import type { MaildirNames } from "../mailbox/name.ts";
import { ListenError, openListeners } from "../receiver/listener.ts";
import { maildirNames } from "../receiver/receiver.ts";

/**
 * Makes every mailbox directory that is missing and sweeps out what an earlier daemon left
 * unfinished. Returns what stands in the way, one problem for each directory.
 */
export function prepareMailboxes(
  configuration: Configuration,
  disk: Disk,
): Promise<Problem[]> {
  const names = ownNames(configuration);
  return eachMailbox(configuration, async (directory) => {
    await makeMaildir(disk, directory);
    await tryWriting(disk, `${directory}/tmp`, names);
    await sweepMaildir(disk, names, directory);
  });
}

/**
 * Tries whether `prepareMailboxes` would succeed, without leaving anything behind: what a check by
 * root makes, the daemon's own user might not be allowed to use.
 */
export function tryMailboxes(
  configuration: Configuration,
  disk: Disk,
): Promise<Problem[]> {
  const names = ownNames(configuration);
  return eachMailbox(configuration, async (directory) => {
    for (const part of ["tmp", "new", "cur"]) {
      await tryWriting(disk, await nearestExisting(`${directory}/${part}`), names);
    }
  });
}

/** Tries to listen on every address. Returns what stands in the way. */
export function tryListening(configuration: Configuration): Problem[] {
  try {
    openListeners(configuration.mail).forEach((listener) => listener.close());
    return [];
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    return [listenProblem(configuration, error.message)];
  }
}

/** A problem of listening, at the line of mail.conf that can mend it. */
export function listenProblem(configuration: Configuration, message: string): Problem {
  const name = configuration.lines.has("LISTEN_PORT") ? "LISTEN_PORT" : "LISTEN_ADDR";
  return problemAt(configuration, name, message);
}

async function eachMailbox(
  { users, files }: Configuration,
  attempt: (directory: string) => Promise<void>,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const { name, target, line } of users) {
    if (!("directory" in target)) continue;
    try {
      await attempt(target.directory);
    } catch (error) {
      const message = `${name}: cannot keep mail in ${target.directory}: ${reason(error)}`;
      problems.push({ file: files.users, line, message });
    }
  }
  return problems;
}

function ownNames({ mail }: Configuration): MaildirNames {
  const facts = { now: Date.now, random: Math.random, process: Deno.pid };
  return maildirNames(mail.HOSTNAME, facts);
}

async function tryWriting(disk: Disk, directory: string, names: MaildirNames): Promise<void> {
  const probe = `${directory}/${names.next()}`;
  (await disk.create(probe)).close();
  await disk.remove(probe);
}

async function nearestExisting(path: string): Promise<string> {
  let at = path;
  while (!await exists(at) && above(at) !== at) at = above(at);
  return at;
}

function above(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash) || "/";
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) {
    return "permission denied, the daemon's user must own it or be allowed to write there";
  }
  if (error instanceof Deno.errors.NotCapable) {
    return "Deno lacks --allow-read and --allow-write for it";
  }
  if (error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.AlreadyExists) {
    return "a part of the path is a file, not a directory";
  }
  return error instanceof Error ? error.message : String(error);
}
