/** Whether the disks that mail is kept on have room for it. */

import { statfs } from "node:fs/promises";
import { resolve } from "node:path";
import type { Configuration } from "../config/configuration.ts";
import { mailboxDirectories } from "../config/user_conf.ts";
import { nearestExisting } from "../daemon/directories.ts";
import { type Finding, good, join, unknown, wrong } from "./finding.ts";

/** A file system and what is left of it. */
export interface Space {
  /** Tells file systems apart. */
  readonly device: number;
  /** Octets in all, and those that a user other than root may fill. */
  readonly size: number;
  readonly free: number;
  /** Files that there can be; 0 where the file system has no limit of its own. */
  readonly inodes: number;
  readonly freeInodes: number;
}

/** Rejects with what the system says. */
export type SpaceOf = (path: string) => Promise<Space>;

/** By the system, also for a directory that is not made yet. */
export const systemSpace: SpaceOf = async (path) => {
  const nearest = await nearestExisting(resolve(path));
  const [{ dev }, { bsize, blocks, bavail, files, ffree }] = await Promise.all([
    Deno.stat(nearest),
    statfs(nearest),
  ]);
  return {
    device: dev,
    size: blocks * bsize,
    free: bavail * bsize,
    inodes: files,
    freeInodes: ffree,
  };
};

const LEAST = 100 * 1024 ** 2;
const LEAST_SHARE = 0.05;

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
  return [...found.values()].map(({ space, directories }) => checkDisk(space, directories));
}

function checkDisk(space: Space, directories: readonly string[]): Finding {
  const about = `free space for ${join(directories, 3)}`;
  const is = `${octets(space.free)} of ${octets(space.size)}`;
  const least = Math.max(LEAST, LEAST_SHARE * space.size);
  if (space.free < least) return wrong(about, is, `${octets(least)} at least`);
  const leastFiles = Math.ceil(LEAST_SHARE * space.inodes);
  if (space.freeInodes < leastFiles) {
    const files = `${is}, but room for ${space.freeInodes} more files of ${space.inodes} alone`;
    return wrong(about, files, `${leastFiles} at least`);
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
