/** The command line itself: help, version, and words that make no sense. */

import assert from "node:assert/strict";
import deno from "../../deno.json" with { type: "json" };
import { run } from "../support/run.ts";

Deno.test("--help tells every command and exit code, and exits 0", async () => {
  for (const word of ["--help", "-h"]) {
    const { code, out, err } = await run([word]);
    assert.deepEqual([code, err], [0, ""]);
    for (
      const told of [
        "MAIL_CONF USER_CONF",
        "check",
        "send",
        "--to",
        "--server",
        "--version",
        "queue list",
        "passwd",
      ]
    ) {
      assert.ok(out.includes(told), `${told} is not in the help`);
    }
    assert.match(out, /0 good, 1 failed, 2 used or configured wrongly/);
  }
});

Deno.test("--version tells the version of deno.json", async () => {
  const { code, out } = await run(["--version"]);
  assert.deepEqual([code, out], [0, `denosmtpd ${deno.version}\n`]);
});

const MISUSES: readonly (readonly [words: string[], says: RegExp])[] = [
  [[], /two configuration files are needed/],
  [["mail.conf"], /two configuration files are needed/],
  [["check", "mail.conf"], /two configuration files are needed/],
  [["chek", "b", "c"], /no command chek/],
  [["check", "a", "b", "c"], /check has no use for c/],
  [["a", "b", "--to", "c@d.example"], /are for send/],
  [["--frobnicate", "a", "b"], /unknown option --frobnicate/],
  [["send"], /send needs a recipient/],
  [["send", "--to", "a@b.example", "file"], /no argument file/],
  [["send", "--to", "nobody"], /--to nobody: the address lacks its domain/],
  [["send", "--to", "a@b.example", "--from", "a b"], /unexpected|domain|local-part/],
  [["send", "--to", "a@b.example", "--server", "1.2.3.4:port"], /is no host/],
  [["queue"], /queue takes one of list, show, retry, remove/],
  [["queue", "flush", "mail.conf"], /no queue flush, queue takes one of list, show, retry, remove/],
  [["queue", "list"], /queue list needs MAIL_CONF/],
  [["queue", "remove"], /queue remove needs MAIL_CONF/],
  [["queue", "list", "mail.conf", "id"], /queue list has no use for id/],
  [["queue", "show", "mail.conf"], /queue show needs ids/],
  [["queue", "retry", "mail.conf"], /queue retry needs ids or --all/],
  [["queue", "retry", "mail.conf", "id", "--all"], /queue retry takes ids or --all, not both/],
  [["queue", "remove", "mail.conf"], /queue remove needs ids/],
  [["queue", "remove", "mail.conf", "--all"], /--all is for queue retry/],
  [["queue", "list", "mail.conf", "--all"], /--all is for queue retry/],
  [["queue", "show", "mail.conf", "id", "--json"], /--json is for queue list/],
  [["queue", "list", "mail.conf", "--to", "a@b.example"], /are for send/],
  [["queue", "show", "mail.conf", "id", "--from", "a@b.example"], /are for send/],
  [["queue", "retry", "mail.conf", "--all", "--server", "127.0.0.1:25"], /are for send/],
  [["queue", "remove", "mail.conf", "id", "-v"], /are for send/],
  [["a", "b", "--json"], /--all and --json are for queue/],
  [["send", "--to", "a@b.example", "--all"], /--all and --json are for queue/],
];

for (const [words, says] of MISUSES) {
  Deno.test(`denosmtpd ${words.join(" ")}: one line, exit 2`, async () => {
    const { code, out, err } = await run(words);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, says);
    assert.match(err, /^denosmtpd: .*\n$/);
  });
}

Deno.test("--license tells the terms of the program and of what is in it", async () => {
  const { code, out } = await run(["--license"]);
  assert.equal(code, 0);
  assert.ok(out.startsWith(await Deno.readTextFile(new URL("../../LICENSE", import.meta.url))));
  assert.match(out, /dns-packet@/);
  assert.doesNotMatch(out, /nodemailer/);
});
