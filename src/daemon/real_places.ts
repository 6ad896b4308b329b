/** Where files and directories lie to each other once symbolic links are followed. */

import { basename, dirname, join, resolve } from "node:path";
import type { Configuration } from "../config/configuration.ts";
import { exposedSecrets, secretFiles, sharedPlaces } from "../config/places.ts";
import type { Problem } from "../config/problem.ts";
import { realPath } from "./directories.ts";

/**
 * What lies where it must not in a configuration with real paths of directories. Its files are named
 * as they were configured: a link may lead elsewhere after a renewal.
 */
export async function misplaced(real: Configuration): Promise<Problem[]> {
  const ways = new Map<string, string[]>();
  for (const path of secretFiles(real)) ways.set(path, await waysTo(path));
  return [...sharedPlaces(real), ...exposedSecrets(real, (path) => ways.get(path) ?? [])];
}

/** Where its name stands, and where it itself does. */
async function waysTo(path: string): Promise<string[]> {
  const whole = resolve(path);
  return [join(await realPath(dirname(whole)), basename(whole)), await realPath(whole)];
}
