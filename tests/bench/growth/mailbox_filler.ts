/** Mailboxes that hold much, made in no time. */

/** Names of one file that a file system permits at least (ext4 has 65,000). */
const MOST_NAMES = 60_000;

/**
 * Makes a Maildir with so many unread messages. They are one file under many names, which is as long a
 * directory as it would be with many files; nothing is synced.
 */
export function fillMailbox(directory: string, messages: number): void {
  for (const part of ["tmp", "new", "cur"]) {
    Deno.mkdirSync(`${directory}/${part}`, { recursive: true });
  }
  let file = "";
  for (let i = 0; i < messages; i++) {
    const name = `${directory}/new/1500000000.M${
      i % 1_000_000
    }P1Q${i}R0badcafe.${HOST},S=${TEXT.length}`;
    if (i % MOST_NAMES > 0) {
      Deno.linkSync(file, name);
    } else {
      Deno.writeFileSync(name, TEXT);
      file = name;
    }
  }
}

const HOST = "old.example";
const TEXT = new TextEncoder().encode("Subject: old\n\nold\n");
