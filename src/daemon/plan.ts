/** What a configuration means on this machine: directories made, ports found, all that threads are told. */

import {
  type Configuration,
  problemAt,
  readConfiguration,
  sharedPlaces,
} from "../config/configuration.ts";
import { ConfigurationError } from "../config/problem.ts";
import { SystemDisk } from "../disk.ts";
import { Spool } from "../queue/spool.ts";
import type { Place } from "../relay/relay.ts";
import { prepareMailboxes, sweepMailboxes, withRealPaths } from "./mailboxes.ts";
import { findPlaces } from "./ports.ts";
import { type Reach, readReach } from "./reach.ts";
import { lockSpool, prepareSpool } from "./spool.ts";
import { system } from "./system.ts";

export interface Plan {
  readonly configuration: Configuration;
  readonly reach: Reach;
  /** Where it listens; ports are real ones. */
  readonly places: readonly Place[];
  /** Mailbox directories that were missing. */
  readonly made: readonly string[];
}

/** The two files of the command line. */
export interface Files {
  readonly mail: string;
  readonly users: string;
}

/** For a daemon that starts: nobody else is at work in its directories. Throws ConfigurationError. */
export async function firstPlan(files: Files): Promise<Plan & { readonly swept: number }> {
  const plan = await makePlan(files);
  const { configuration } = plan;
  const { SPOOL_DIR } = configuration.mail;
  if (!await lockSpool(SPOOL_DIR)) {
    const message = `another denosmtpd works in ${SPOOL_DIR}, each needs a spool of its own`;
    throw new ConfigurationError([problemAt(configuration, "SPOOL_DIR", message)]);
  }
  const disk = new SystemDisk();
  const swept = await sweepMailboxes(configuration, disk) +
    await new Spool(disk, SPOOL_DIR, "start").sweep();
  return { ...plan, swept };
}

/** For a daemon that works by another plan until now. Throws ConfigurationError. */
export function nextPlan(files: Files, running: Plan): Promise<Plan> {
  return makePlan(files, running);
}

/** Throws ConfigurationError. */
async function makePlan(files: Files, running?: Plan): Promise<Plan> {
  const configuration = await readConfiguration(files.mail, files.users, system);
  if (running) await keepSpool(configuration, running);
  const disk = new SystemDisk();
  const mailboxes = await prepareMailboxes(configuration, disk);
  const { places, problems } = findPlaces(configuration, running?.places ?? []);
  const all = [
    ...mailboxes.problems,
    ...await prepareSpool(configuration, disk),
    ...problems,
  ];
  if (all.length > 0) throw new ConfigurationError(all);
  const real = await withRealPaths(configuration);
  // Now that symbolic links are followed.
  const shared = sharedPlaces(real);
  if (shared.length > 0) throw new ConfigurationError(shared);
  const reach = await readReach(real);
  return { configuration: real, reach, places, made: mailboxes.made };
}

/** What waits in the spool must not be left without anybody to send it. Throws ConfigurationError. */
async function keepSpool(configuration: Configuration, running: Plan): Promise<void> {
  const { SPOOL_DIR } = running.configuration.mail;
  if (await realPath(configuration.mail.SPOOL_DIR) === SPOOL_DIR) return;
  const message = `leaving ${SPOOL_DIR} for another directory needs a restart`;
  throw new ConfigurationError([problemAt(configuration, "SPOOL_DIR", message)]);
}

/** Undefined where there is nothing. */
async function realPath(path: string): Promise<string | undefined> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
