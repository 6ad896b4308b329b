/** Directories at the daemon's start: tried out rather than guessed. */

import { exists } from "@std/fs/exists";
import { dirname, join, relative, resolve } from "node:path";
import type { Disk } from "../disk.ts";

/** The same in every try, so that what a crash leaves of one is gone after the next. */
const TRY = ".denosmtpd-try";

/** Rejects where nothing can be made in this directory, or its name not be made durable. */
export async function tryMaking(disk: Disk, directory: string): Promise<void> {
  const probe = `${directory}/${TRY}`;
  await disk.remove(probe);
  try {
    (await disk.create(probe)).close();
  } catch (error) {
    // Somebody else makes theirs at this moment, a check perhaps, and ours could be removed there.
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  await disk.remove(probe);
  await disk.syncDirectory(directory);
}

/** Removes what a try in this directory was stopped at, if that can be. Never rejects. */
export async function clearTry(disk: Disk, directory: string): Promise<void> {
  await disk.remove(`${directory}/${TRY}`).catch(() => {});
}

/** The path, or the nearest above it that exists. */
export async function nearestExisting(
  path: string,
  isThere: (path: string) => Promise<boolean> = (path) => exists(path),
): Promise<string> {
  let at = path;
  while (!await isThere(at) && dirname(at) !== at) at = dirname(at);
  return at;
}

/** The one path without links of a directory that is there or could be made. */
export async function realPath(path: string): Promise<string> {
  const whole = resolve(path);
  const nearest = await nearestExisting(whole);
  const rest = relative(nearest, whole);
  const real = await Deno.realPath(nearest);
  return rest === "" ? real : join(real, rest);
}

/** Why a directory cannot be used, for people. */
export function reason(error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) {
    return "permission denied, the daemon's user must own it or be allowed to write there, and a " +
      "systemd unit must not hide it (ProtectHome=)";
  }
  if (error instanceof Deno.errors.NotCapable) {
    return "Deno lacks --allow-read and --allow-write for it, or guards that place itself (/dev, /proc)";
  }
  if (error instanceof Error && "code" in error && error.code === "EROFS") {
    return "the place is read-only; a systemd unit lets the daemon write there by ReadWritePaths=";
  }
  if (error instanceof Deno.errors.NotADirectory || error instanceof Deno.errors.AlreadyExists) {
    return "a part of the path is a file, not a directory";
  }
  return error instanceof Error ? error.message : String(error);
}
