/** Whether files keep their secrets from those whom they do not concern, and what closes them. */

import type { User } from "./user_conf.ts";

/** Read for everybody, among the bits of a file's mode. */
const OTHERS_READ = 0o004;

/** Whether any user has a password, whose hash makes user.conf a secret. */
export function hasPasswords(users: readonly User[]): boolean {
  return users.some(({ hash }) => hash !== undefined);
}

/** Whether every user of the system may read a file, as far as its own mode tells. */
export async function readableByOthers(file: string): Promise<boolean> {
  try {
    const { mode } = await Deno.stat(file);
    return mode !== null && (mode & OTHERS_READ) !== 0;
  } catch {
    // It was there when it was read; whoever replaces it now is told at the next reload.
    return false;
  }
}

/** The command that ends that. */
export function closeToOthers(file: string): string {
  return chmod("o-r", file);
}

/** The command that gives a file these rights, for a shell. */
export function chmod(rights: string, file: string): string {
  // What begins with a hyphen would be an option.
  const path = file.startsWith("-") ? `./${file}` : file;
  const quoted = /^[\w./+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
  return `chmod ${rights} ${quoted}`;
}
