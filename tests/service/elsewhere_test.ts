/** Mailboxes outside of the unit's state directory, and what the unit file says one must write. */

import assert from "node:assert/strict";
import { readMailbox } from "../support/daemon.ts";
import { skippable } from "../support/programs.ts";
import { Installation, noInstallation, send, startService, UNIT } from "./installation.ts";

const ELSEWHERE = { users: "jones:/srv/mail/jones\n", open: "/srv/mail" };
const AT_HOME = { users: "jones:/home/jones/Maildir\n", open: "/home/jones" };

Deno.test({
  ...skippable(
    "a mailbox that the unit does not allow keeps the daemon from serving",
    noInstallation,
  ),
  async fn() {
    await using installation = await Installation.make(ELSEWHERE);
    await using service = startService(installation);
    const { code } = await service.end();
    assert.match(
      service.log(),
      /^denosmtpd: \/etc\/denosmtpd\/user\.conf:1: jones: cannot keep mail in \/srv\/mail\/jones: the place is read-only; .*ReadWritePaths=/,
    );
    assert.equal(service.log().trimEnd().split("\n").length, 1);
    assert.equal(code, 2);
  },
});

Deno.test({
  ...skippable("a mailbox in a home directory keeps the daemon from serving", noInstallation),
  async fn() {
    await using installation = await Installation.make(AT_HOME);
    await using service = startService(installation);
    const { code } = await service.end();
    assert.match(
      service.log(),
      /user\.conf:1: jones: cannot keep mail in \/home\/jones\/Maildir: /,
    );
    assert.equal(code, 2);
  },
});

for (
  const [what, options, dropIn] of [
    ["elsewhere", ELSEWHERE, await dropInOfComment()],
    ["in a home directory", AT_HOME, "[Service]\nProtectHome=no\nReadWritePaths=/home/jones\n"],
  ] as const
) {
  Deno.test({
    ...skippable(`a mailbox ${what} works as the unit file says`, noInstallation),
    async fn() {
      await using installation = await Installation.make({ ...options, dropIn });
      await using service = startService(installation);
      await service.logged("started");
      const { code, words } = await send(service, "jones@me.example");
      assert.equal(code, 0, words);
      const mailbox = options.users.split(":")[1]!.trim().slice(options.open.length);
      assert.equal((await readMailbox(`${installation.folder}/open${mailbox}`)).length, 1);
    },
  });
}

/** The lines that the unit file's comment proposes, which are those farther in than its words. */
async function dropInOfComment(): Promise<string> {
  const lines = (await Deno.readTextFile(UNIT)).split("\n");
  const proposed = lines.flatMap((line) => /^# {3}(\S.*)$/.exec(line)?.[1] ?? []);
  assert(proposed.includes("ReadWritePaths=/srv/mail"), proposed.join("\n"));
  return proposed.join("\n");
}
