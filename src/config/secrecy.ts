/** Whether user.conf keeps its hashes from those whom they do not concern. */

import type { User } from "./user_conf.ts";

/** Read for everybody, among the bits of a file's mode. */
const OTHERS_READ = 0o004;

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

/** The command that ends that, for a shell. */
export function closeToOthers(file: string): string {
  return `chmod o-r ${/^[\w./+-]+$/.test(file) ? file : `'${file.replaceAll("'", `'\\''`)}'`}`;
}
