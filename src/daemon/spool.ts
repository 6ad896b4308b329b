/** The spool of a configuration at the daemon's start: tried out, made, locked, swept. */

import { type Configuration, problemAt } from "../config/configuration.ts";
import type { Problem } from "../config/problem.ts";
import type { Disk } from "../disk.ts";
import { Spool } from "../queue/spool.ts";
import { nearestExisting, reason, tryMaking } from "./directories.ts";

/** Makes the spool's directories and tries them out. Returns what stands in the way. */
export function prepareSpool(configuration: Configuration, disk: Disk): Promise<Problem[]> {
  return problems(configuration, async (directory) => {
    await new Spool(disk, directory, "try").make();
    await tryMaking(disk, `${directory}/tmp`);
    await tryMaking(disk, `${directory}/queue`);
  });
}

/** Tries whether `prepareSpool` would succeed, without leaving anything behind. */
export function trySpool(configuration: Configuration, disk: Disk): Promise<Problem[]> {
  return problems(configuration, async (directory) => {
    for (const part of ["tmp", "queue", "damaged", "requests"]) {
      await tryMaking(disk, await nearestExisting(`${directory}/${part}`));
    }
  });
}

/**
 * Takes the spool for this process until it ends: two daemons would send everything twice. Undefined
 * where another one has it.
 */
export async function lockSpool(directory: string): Promise<Deno.FsFile | undefined> {
  const file = await Deno.open(`${directory}/lock`, { create: true, write: true, mode: 0o600 });
  if (await file.tryLock(true)) return file;
  file.close();
  return undefined;
}

async function problems(
  configuration: Configuration,
  attempt: (directory: string) => Promise<void>,
): Promise<Problem[]> {
  const { SPOOL_DIR } = configuration.mail;
  try {
    await attempt(SPOOL_DIR);
    return [];
  } catch (error) {
    const message = `cannot keep the queue in ${SPOOL_DIR}: ${reason(error)}`;
    return [problemAt(configuration, "SPOOL_DIR", message)];
  }
}
