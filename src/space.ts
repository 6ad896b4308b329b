/** What is left of the file systems that mail is kept on. */

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

/** By the system, for a path that is there and may be read. */
export const systemSpace: SpaceOf = async (path) => {
  // Loaded when it is first asked for: that takes longer than the rest of a thread's start.
  const { statfs } = await import("node:fs/promises");
  const [{ dev }, { bsize, blocks, bavail, files, ffree }] = await Promise.all([
    Deno.stat(path),
    statfs(path),
  ]);
  return {
    device: dev,
    size: blocks * bsize,
    free: bavail * bsize,
    inodes: files,
    freeInodes: ffree,
  };
};
