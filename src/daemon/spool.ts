/** The spool of a configuration at the daemon's start: tried out, made, locked, swept. */

import type { Configuration } from "../config/configuration.ts";
import { type Problem, problemAt } from "../config/problem.ts";
import type { Disk } from "../disk.ts";
import { Spool } from "../queue/spool.ts";
import { nearestExisting, reason, tryMaking } from "./directories.ts";

/** Makes the spool's directories and tries them out. Returns what stands in the way. */
export function prepareSpool(configuration: Configuration, disk: Disk): Promise<Problem[]> {
  return problems(configuration, async (directory) => {
    await new Spool(disk, directory, "try").make();
    await tryOwner(directory);
    await tryMaking(disk, directory);
    await tryMaking(disk, `${directory}/tmp`);
    await tryMaking(disk, `${directory}/queue`);
  });
}

/** Tries whether `prepareSpool` would succeed, without leaving anything behind. */
export function trySpool(configuration: Configuration, disk: Disk): Promise<Problem[]> {
  return problems(configuration, async (directory) => {
    for (const part of ["", "/tmp", "/queue", "/damaged", "/requests"]) {
      await tryMaking(disk, await nearestExisting(`${directory}${part}`));
    }
  });
}

/**
 * Rejects where the spool is another user's: what root puts there for a moment, the daemon's own user
 * could never read.
 */
async function tryOwner(directory: string): Promise<void> {
  const probe = await Deno.makeTempFile({ dir: `${directory}/tmp`, prefix: ".denosmtpd-" });
  try {
    const [own, spool] = [await Deno.stat(probe), await Deno.stat(directory)];
    if (own.uid !== spool.uid) {
      throw new Error(`it belongs to user number ${spool.uid}, and this is user number ${own.uid}`);
    }
  } finally {
    await Deno.remove(probe);
  }
}

/** Milliseconds that somebody may look whether the spool is taken, and so take it for that time. */
const LOOK = 1000;
const PAUSE = 50;

/**
 * Takes the spool for this process until it ends: two daemons would send everything twice. Undefined
 * where another one has it.
 */
export async function lockSpool(directory: string): Promise<Deno.FsFile | undefined> {
  const file = await Deno.open(`${directory}/lock`, { create: true, write: true, mode: 0o600 });
  for (let waited = 0; waited <= LOOK; waited += PAUSE) {
    if (await file.tryLock(true)) return file;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  file.close();
  return undefined;
}

/** Whether a daemon works with this spool now. */
export async function isSpoolLocked(directory: string): Promise<boolean> {
  let file;
  try {
    file = await Deno.open(`${directory}/lock`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  try {
    return !await file.tryLock(false);
  } finally {
    file.close();
  }
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
