/** Where files and directories lie to each other once symbolic links are followed. */

import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import type { Configuration } from "../config/configuration.ts";
import { exposedSecrets, secretFiles, sharedPlaces } from "../config/places.ts";
import type { Problem } from "../config/problem.ts";
import { realPath } from "./directories.ts";

/** As many as the system follows. */
const MAX_LINKS = 40;

/**
 * What lies where it must not in a configuration with real paths of directories. Its files are named
 * as they were configured: a link may lead elsewhere after a renewal.
 */
export async function misplaced(real: Configuration): Promise<Problem[]> {
  const ways = new Map<string, string[]>();
  for (const path of secretFiles(real)) ways.set(path, await waysTo(path));
  return [...sharedPlaces(real), ...exposedSecrets(real, (path) => ways.get(path) ?? [])];
}

/**
 * The paths that lead to a file, link by link: where its name stands, every place that a link on the
 * way names, and where it itself stands. Deno permits a path by its text, so whoever may read below
 * one of them has the file, wherever it is.
 */
async function waysTo(path: string): Promise<string[]> {
  const whole = resolve(path);
  const ways = new Set([join(await realPath(dirname(whole)), basename(whole))]);
  let at = "/";
  let left = partsOf(whole);
  for (let links = 0; left.length > 0;) {
    const [name = "", ...rest] = left;
    const here = join(at, name);
    const target = await linkTarget(here);
    if (target === undefined) {
      at = here;
      left = rest;
    } else if (++links > MAX_LINKS) {
      break;
    } else {
      ways.add(join(here, ...rest));
      if (isAbsolute(target)) at = "/";
      left = [...partsOf(target), ...rest];
    }
  }
  return [...ways.add(join(at, ...left)).add(await realPath(whole))];
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

/** What a link names, undefined where there is none, or none that we may look at. */
async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await Deno.readLink(path);
  } catch {
    return undefined;
  }
}
