/** What a configuration means on this machine: directories made, ports found, all that threads are told. */

import { type Configuration, readConfiguration } from "../config/configuration.ts";
import { ConfigurationError, type Problem, problemAt } from "../config/problem.ts";
import { mailboxDirectories } from "../config/user_conf.ts";
import { type Disk, SystemDisk } from "../disk.ts";
import { Spool } from "../queue/spool.ts";
import type { ListenPlace } from "../receiver/listener.ts";
import { realPath } from "./directories.ts";
import { grantedForMail } from "./granted_mail.ts";
import { prepareMailboxes, sweepMailboxes, tryMailboxes, withRealPaths } from "./mailboxes.ts";
import { findPlaces } from "./ports.ts";
import { type Reach, readReach } from "./reach.ts";
import { misplaced } from "./real_places.ts";
import { lockSpool, prepareSpool, trySpool } from "./spool.ts";
import { system } from "./system.ts";
import { missingTls } from "./tls.ts";

/** What threads are made for. */
export interface Outline {
  readonly configuration: Configuration;
  readonly reach: Reach;
  /** Where it listens; ports are real ones. */
  readonly places: readonly ListenPlace[];
  /** The directories that receivers are granted for mailboxes. */
  readonly granted: readonly string[];
}

export interface Plan extends Outline {
  /** Mailbox directories that were missing. */
  readonly made: readonly string[];
}

/** Of a daemon that starts. */
export interface FirstPlan extends Plan {
  /** Files that an earlier daemon had not finished, and that were removed. */
  readonly swept: number;
}

/** The two files of the command line. */
export interface Files {
  readonly mail: string;
  readonly users: string;
}

/**
 * For a daemon that starts: nobody else is at work in its directories. `foreseen` is told what comes
 * of it if nothing is found wrong, before directories are made and tried, unless that cannot be said
 * yet. Throws ConfigurationError.
 */
export async function firstPlan(
  files: Files,
  foreseen: (outline: Outline) => void,
): Promise<FirstPlan> {
  const configuration = await readConfiguration(files.mail, files.users, system);
  refuse(missingTls(configuration));
  const disk = new SystemDisk();
  const { places, problems } = findPlaces(configuration, []);
  if (problems.length > 0) {
    // Said together, and nothing made for it.
    const others = [
      ...await tryMailboxes(configuration, disk),
      ...await trySpool(configuration, disk),
    ];
    refuse([...others, ...problems]);
  }
  await foresee(configuration, places, disk, foreseen);
  // Side by side they share the disk's syncs.
  const [mailboxes, spool] = await Promise.all([
    prepareMailboxes(configuration, disk),
    prepareSpool(configuration, disk),
  ]);
  refuse([...mailboxes.problems, ...spool]);
  const real = await withRealPaths(configuration);
  refuse(await misplaced(real));
  const { SPOOL_DIR } = real.mail;
  if (!await lockSpool(SPOOL_DIR)) {
    const message = `another denosmtpd works in ${SPOOL_DIR}, each needs a spool of its own`;
    refuse([problemAt(real, "SPOOL_DIR", message)]);
  }
  const swept = await sweepMailboxes(real, disk) +
    await new Spool(disk, SPOOL_DIR, "start").sweep();
  const reach = await readReach(real);
  const made = await Promise.all(mailboxes.made.map(realPath));
  const granted = await grantedForMail(real, disk, { made: true });
  return { configuration: real, reach, places, granted, made, swept };
}

/** Never rejects: what stands in its way is found again by the tries, and told in their order. */
async function foresee(
  configuration: Configuration,
  places: readonly ListenPlace[],
  disk: Disk,
  foreseen: (outline: Outline) => void,
): Promise<void> {
  try {
    const real = await withRealPaths(configuration);
    const granted = await grantedForMail(real, disk, { made: false });
    foreseen({ configuration: real, reach: await readReach(real), places, granted });
  } catch {
    // Nothing is said, and nothing is made for it.
  }
}

/**
 * For a daemon that works by another plan until now. A mailbox that it has already may be away; one
 * that is new is made when all else is right. Throws ConfigurationError, and then nothing was made.
 */
export async function nextPlan(files: Files, running: Plan): Promise<Plan> {
  const configuration = await readConfiguration(files.mail, files.users, system);
  refuse(missingTls(configuration));
  const real = await withRealPaths(configuration);
  const { places, problems } = findPlaces(real, running.places);
  const known = new Set(mailboxDirectories(running.configuration));
  const users = real.users.filter(({ target }) => {
    return "directory" in target && !known.has(target.directory);
  });
  const fresh = { ...real, users };
  const disk = new SystemDisk();
  refuse([
    ...spoolLeft(real, running),
    ...await misplaced(real),
    ...await tryMailboxes(fresh, disk),
    ...problems,
  ]);
  const mailboxes = await prepareMailboxes(fresh, disk);
  refuse(mailboxes.problems);
  const granted = await grantedForMail(real, disk, { made: true });
  const { made } = mailboxes;
  return { configuration: real, reach: await readReach(real), places, granted, made };
}

/** What waits in the spool must not be left without anybody to send it. */
function spoolLeft(configuration: Configuration, running: Plan): Problem[] {
  const { SPOOL_DIR } = running.configuration.mail;
  if (configuration.mail.SPOOL_DIR === SPOOL_DIR) return [];
  const message = `leaving ${SPOOL_DIR} for another directory needs a restart`;
  return [problemAt(configuration, "SPOOL_DIR", message)];
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ConfigurationError(problems);
}
