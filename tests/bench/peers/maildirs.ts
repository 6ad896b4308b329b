/** Mailboxes for servers that do not make them. */

/** Makes an empty Maildir of each name in a folder. */
export async function makeMaildirs(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    for (const part of ["tmp", "new", "cur"]) {
      await Deno.mkdir(`${folder}/${name}/${part}`, { recursive: true });
    }
  }
}
