/**
 * Where files and directories lie to each other. Each thread may read whole directories, and must not
 * find there what another one keeps: receivers alone have the key, the relay alone the login, and the
 * relay no passwords' hashes.
 */

import { resolve } from "node:path";
import type { Configuration } from "./configuration.ts";
import { type Problem, problemAt } from "./problem.ts";
import { hasPasswords } from "./secrecy.ts";
import { mailboxDirectories } from "./user_conf.ts";

/**
 * A queue and a mailbox in one place would take each other's files for their own, and who may see the
 * queue must not see a mailbox by that.
 */
export function sharedPlaces(configuration: Configuration): Problem[] {
  const spool = resolve(configuration.mail.SPOOL_DIR);
  return mailboxDirectories(configuration)
    .filter((directory) => {
      const mailbox = resolve(directory);
      const parts = ["tmp", "new", "cur"].map((part) => resolve(mailbox, part));
      return isWithin(mailbox, spool) || parts.some((part) => isWithin(spool, part));
    })
    .map((directory) => {
      const message = `the queue in ${spool} and the mailbox ${directory} need places apart`;
      return problemAt(configuration, "SPOOL_DIR", message);
    });
}

/** The files that not every thread may read. */
export function secretFiles(configuration: Configuration): string[] {
  const { TLS_KEY, RELAY_LOGIN_FILE } = configuration.mail;
  return [TLS_KEY, RELAY_LOGIN_FILE, hashFile(configuration)].filter((path) => path !== undefined);
}

/** The file with passwords' hashes, undefined where there are none. */
function hashFile({ users, files }: Configuration): string | undefined {
  return hasPasswords(users) ? files.users : undefined;
}

/**
 * Secrets where a thread may read that is not to know them. `waysTo` gives the whole paths by which a
 * file can be reached. The directories that each may read stand in `daemon/permissions.ts`; that
 * receivers find their key in a mailbox too changes nothing.
 */
export function exposedSecrets(
  configuration: Configuration,
  waysTo: (path: string) => readonly string[] = (path) => [resolve(path)],
): Problem[] {
  const { TLS_KEY, RELAY_LOGIN_FILE, SPOOL_DIR } = configuration.mail;
  /** The first of the directories that the file is in. */
  const within = (directories: readonly string[], path: string | undefined) => {
    const ways = path === undefined ? [] : waysTo(path);
    return directories.find((one) => ways.some((way) => isWithin(way, resolve(one))));
  };
  const problems: Problem[] = [];
  if (within([SPOOL_DIR], TLS_KEY) !== undefined) {
    const message = `needs a place outside of SPOOL_DIR ${SPOOL_DIR}, which the relay may read`;
    problems.push(problemAt(configuration, "TLS_KEY", message));
  }
  const received = [
    `${SPOOL_DIR}/queue`,
    `${SPOOL_DIR}/tmp`,
    ...mailboxDirectories(configuration),
  ];
  const directory = within(received, RELAY_LOGIN_FILE);
  if (directory !== undefined) {
    const message = `needs a place outside of ${directory}, which the receivers may read`;
    problems.push(problemAt(configuration, "RELAY_LOGIN_FILE", message));
  }
  const hashes = hashFile(configuration);
  if (hashes !== undefined && within([SPOOL_DIR], hashes) !== undefined) {
    const message =
      `holds passwords, and so needs a place outside of SPOOL_DIR ${SPOOL_DIR}, which the relay may read`;
    problems.push({ file: hashes, message });
  }
  return problems;
}

/** Both are whole paths. */
function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}
