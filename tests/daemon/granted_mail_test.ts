/** Mailboxes side by side are granted by what is around them, where nothing else is. */

import assert from "node:assert/strict";
import { grantedForMail } from "../../src/daemon/granted_mail.ts";
import type { User } from "../../src/config/user_conf.ts";

/** Users with a mailbox in each of these directories. */
function configurationOf(...directories: string[]): { users: User[] } {
  const users = directories.map((directory, i): User => {
    return { name: `user${i}`, target: { directory }, hash: undefined, line: i + 1 };
  });
  return { users };
}

/** A disk with these directories and the names in them. */
function diskWith(names: Readonly<Record<string, readonly string[]>>) {
  return {
    list(path: string): Promise<string[]> {
      const found = names[path];
      return found
        ? Promise.resolve([...found])
        : Promise.reject(new Deno.errors.NotFound(`nothing at ${path}`));
    },
  };
}

const MADE = { made: true };
const PAIR = configurationOf("/mail/jones", "/mail/smith");

Deno.test("mailboxes alone in their directory are granted by it", async () => {
  const disk = diskWith({ "/mail": ["smith", "jones"] });
  assert.deepEqual(await grantedForMail(PAIR, disk, MADE), ["/mail"]);
});

Deno.test("so they are where some or all of them are yet to be made", async () => {
  const toBeMade = { made: false };
  const some = diskWith({ "/mail": ["jones"] });
  assert.deepEqual(await grantedForMail(PAIR, some, toBeMade), ["/mail"]);
  assert.deepEqual(await grantedForMail(PAIR, diskWith({}), toBeMade), ["/mail"]);
});

Deno.test("where one that was made is away, as its disk may be, each is granted alone", async () => {
  for (const names of [{ "/mail": ["jones"] }, { "/mail": [] }, {}]) {
    const granted = await grantedForMail(PAIR, diskWith(names), MADE);
    assert.deepEqual(granted, ["/mail/jones", "/mail/smith"]);
  }
});

Deno.test({
  name: "what the daemon may not do itself it grants to nobody",
  permissions: { read: ["/mail/jones", "/mail/smith"], write: true },
  async fn() {
    const disk = diskWith({ "/mail": ["jones", "smith"] });
    assert.deepEqual(await grantedForMail(PAIR, disk, MADE), ["/mail/jones", "/mail/smith"]);
  },
});

Deno.test("what a file system has at its top is not looked at", async () => {
  const disk = diskWith({ "/mail": ["lost+found", "jones", "smith"] });
  assert.deepEqual(await grantedForMail(PAIR, disk, MADE), ["/mail"]);
});

Deno.test("beside anything else, a directory, a file or a former user's mailbox, each is granted alone", async () => {
  for (const other of ["spool", ".hidden", "brown"]) {
    const disk = diskWith({ "/mail": ["jones", "smith", other] });
    assert.deepEqual(await grantedForMail(PAIR, disk, MADE), ["/mail/jones", "/mail/smith"], other);
  }
});

Deno.test("a mailbox without neighbours is granted alone", async () => {
  const configuration = configurationOf(
    "/mail/jones",
    "/home/smith/Maildir",
    "/home/brown/Maildir",
  );
  const disk = diskWith({
    "/mail": ["jones"],
    "/home/smith": ["Maildir"],
    "/home/brown": ["Maildir"],
  });
  assert.deepEqual(
    await grantedForMail(configuration, disk, MADE),
    ["/mail/jones", "/home/smith/Maildir", "/home/brown/Maildir"],
  );
});

Deno.test("each directory is judged by itself", async () => {
  const configuration = configurationOf("/a/jones", "/b/smith", "/a/brown", "/b/white");
  const disk = diskWith({ "/a": ["jones", "brown"], "/b": ["smith", "white", "key"] });
  assert.deepEqual(await grantedForMail(configuration, disk, MADE), ["/a", "/b/smith", "/b/white"]);
});

Deno.test("users who share a mailbox are no neighbours", async () => {
  const disk = diskWith({ "/mail": ["all"] });
  assert.deepEqual(await grantedForMail(configurationOf("/mail/all", "/mail/all"), disk, MADE), [
    "/mail/all",
  ]);
});

Deno.test("where a directory cannot be looked at, each is granted alone", async () => {
  const disk = { list: () => Promise.reject(new Deno.errors.PermissionDenied("not yours")) };
  assert.deepEqual(await grantedForMail(PAIR, disk, MADE), ["/mail/jones", "/mail/smith"]);
});
