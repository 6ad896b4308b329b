/** Whether the disks that mail is kept on have room for it. */

import { resolve } from "node:path";
import type { Configuration } from "../config/configuration.ts";
import { leastFree, type MinFree } from "../config/min_free.ts";
import { mailboxDirectories } from "../config/user_conf.ts";
import { nearestExisting } from "../daemon/directories.ts";
import { type Space, type SpaceOf, systemSpace } from "../space.ts";
import { type Finding, good, join, unknown, wrong } from "./finding.ts";

/** By the system, also for a directory that is not made yet. */
export const spaceAround: SpaceOf = async (path) => {
  return await systemSpace(await nearestExisting(resolve(path)));
};

/** One finding for each file system that the queue or a mailbox is on. */
export async function checkSpace(
  configuration: Configuration,
  spaceOf: SpaceOf,
): Promise<Finding[]> {
  const directories = [configuration.mail.SPOOL_DIR, ...mailboxDirectories(configuration)];
  const found = new Map<number, { space: Space; directories: string[] }>();
  for (const directory of directories) {
    let space;
    try {
      space = await spaceOf(directory);
    } catch (error) {
      return [unknown("free space", reason(error))];
    }
    const same = found.get(space.device);
    if (same) same.directories.push(directory);
    else found.set(space.device, { space, directories: [directory] });
  }
  return [...found.values()].map(({ space, directories }) => {
    return checkDisk(space, directories, configuration.mail.MIN_FREE);
  });
}

function checkDisk(space: Space, directories: readonly string[], minFree: MinFree): Finding {
  const about = `free space for ${join(directories, 3)}`;
  const is = `${octets(space.free)} of ${octets(space.size)}`;
  const least = leastFree(minFree, space);
  if (space.free < least.octets) return wrong(about, is, `${octets(least.octets)} at least`);
  if (space.freeInodes < least.inodes) {
    const files = `${is}, but room for ${space.freeInodes} more files of ${space.inodes} alone`;
    return wrong(about, files, `${least.inodes} at least`);
  }
  return good(about, is);
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) return "Deno lacks --allow-sys=statfs to look";
  return error instanceof Error ? error.message : String(error);
}

function octets(size: number): string {
  const [unit, name] = size < 10 * 1024 ** 3 ? [1024 ** 2, "M"] : [1024 ** 3, "G"];
  return `${Math.floor(size / unit)}${name}`;
}
