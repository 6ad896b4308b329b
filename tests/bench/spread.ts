/** Places on the disk that do not burden each other. */

import { find } from "../support/programs.ts";

/**
 * Has the directories that will be made in this one spread over the disk, where its file system can (ext4,
 * `chattr +T`). They would lie side by side otherwise, and ext4 without a journal goes through all
 * files that were deleted there in the last minutes whenever it makes one: a server that deletes its
 * files would slow down the next one.
 */
export async function spread(directory: string): Promise<void> {
  const chattr = find("chattr");
  if (chattr === undefined) return;
  // Other file systems refuse it, and need nothing of the kind.
  await new Deno.Command(chattr, { args: ["+T", directory], stderr: "null" }).output();
}
