/** A small file system of a test's own, in memory, that can be filled; and directories made read-only. */

import { statfs } from "node:fs/promises";
import { missingOrNotRoot, skippable, succeed } from "../../support/programs.ts";

export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Takes all room but `left` octets. */
  fill(left?: number): Promise<void>;
  /** Takes every file that can be made, but not the room within them. Can be said again. */
  useUpFiles(): Promise<void>;
  /** Gives back all that was taken. */
  clear(): Promise<void>;
}

/** A test that needs disks of its own; where it cannot have them it is skipped and says so. */
export function testWithDisks(
  name: string,
  fn: () => Promise<void>,
  reason = missingOrNotRoot(["mount", "umount"]),
): void {
  Deno.test({ ...skippable(name, reason), fn });
}

/** Mounts one; `options` are mount's, such as `size=2m`. */
export async function makeDisk(options: string): Promise<SmallDisk> {
  const path = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  const taken = `${path}/taken`;
  try {
    await succeed("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]);
  } catch (error) {
    await Deno.remove(path);
    throw error;
  }
  let files = 0;
  return {
    path,
    async fill(left = 0) {
      await Deno.mkdir(taken, { recursive: true });
      const { bavail, bsize } = await statfs(path);
      await Deno.writeFile(`${taken}/octets`, new Uint8Array(bavail * bsize - left), {
        append: true,
      });
    },
    async useUpFiles() {
      await Deno.mkdir(taken, { recursive: true });
      // A program may make one meanwhile, or give one back.
      while ((await statfs(path)).ffree > 0) {
        await Deno.writeTextFile(`${taken}/${files++}`, "").catch(mustBeFull);
      }
    },
    async clear() {
      await Deno.remove(taken, { recursive: true });
    },
    async [Symbol.asyncDispose]() {
      // A program that is just ending may have a file open still.
      await succeed("umount", ["--lazy", path]);
      await Deno.remove(path);
    },
  };
}

function mustBeFull(error: Error & { code?: string }): void {
  if (error.code !== "ENOSPC") throw error;
}

/** A directory that nobody can write to, not even root, until this is disposed of. */
export async function makeReadOnly(path: string): Promise<AsyncDisposable> {
  await succeed("mount", ["--bind", path, path]);
  const readOnly = {
    async [Symbol.asyncDispose]() {
      await succeed("umount", ["--lazy", path]);
    },
  };
  try {
    await succeed("mount", ["-o", "remount,bind,ro", path]);
    return readOnly;
  } catch (error) {
    await readOnly[Symbol.asyncDispose]();
    throw error;
  }
}
