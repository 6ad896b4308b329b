/** Files that somebody has configured: whether there is one, and in words for people why not. */

class NoFile extends Error {}

/** Rejects where there is none; `unreadable` has words for it. Does not open it. */
export async function findFile(path: string): Promise<void> {
  // A pipe or a device might never end.
  if (!(await Deno.stat(path)).isFile) throw new NoFile();
}

/** Why a file cannot be found or read. */
export function unreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "may not be read, check its permissions and those of the directories above it";
  }
  if (error instanceof Deno.errors.NotCapable) {
    return "may not be read, Deno lacks --allow-read for it";
  }
  if (error instanceof NoFile) return "is a directory or a device, not a file";
  return `cannot be read (${error instanceof Error ? error.message : String(error)})`;
}
