/** `queue` where there is no queue, or none that this user may see. */

import assert from "node:assert/strict";
import { namesIn } from "../support/names_in.ts";
import { missingOrNotRoot, skippable } from "../support/programs.ts";
import { run } from "../support/run.ts";
import { queue } from "../support/waiting.ts";
import { ABSENT } from "./two_waiting.ts";

for (const action of ["list", "show", "retry", "remove"]) {
  const words = action === "list" ? [] : [ABSENT];
  Deno.test(`${action}: where no daemon was ever, there is no queue yet`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
    try {
      await Deno.writeTextFile(`${folder}/mail.conf`, "HOSTNAME = me.example\n");
      const { code, out, err } = await queue({ folder }, action, ...words);
      assert.deepEqual([code, out], [2, ""]);
      assert.equal(
        err,
        `denosmtpd: mail.conf: SPOOL_DIR: there is no queue in ${folder}/spool\n`,
      );
      assert.deepEqual(await namesIn(folder), ["mail.conf"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  Deno.test({
    ...skippable(`${action}: the queue of another user`, missingOrNotRoot(["setpriv"])),
    fn: async () => {
      const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
      try {
        await Deno.writeTextFile(`${folder}/mail.conf`, "HOSTNAME = me.example\n");
        for (const part of ["", "/tmp", "/queue", "/damaged", "/requests"]) {
          await Deno.mkdir(`${folder}/spool${part}`, { mode: 0o700 });
          await Deno.chown(`${folder}/spool${part}`, 65534, 65534);
        }
        await Deno.chmod(folder, 0o755);
        const { code, out, err } = await run(["queue", action, "mail.conf", ...words], {
          cwd: folder,
          // Without any capability root is a user like others.
          under: ["setpriv", "--bounding-set=-all", "--inh-caps=-all"],
        });
        assert.deepEqual([code, out], [1, ""]);
        assert.match(err, /^denosmtpd: spool: permission denied, run this as .*\n$/);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test("a wrong mail.conf is told as the daemon tells it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    await Deno.writeTextFile(`${folder}/mail.conf`, "SPOOL_DI = x\n");
    const { code, err } = await queue({ folder }, "list");
    assert.equal(code, 2);
    assert.equal(err, "denosmtpd: mail.conf:1: unknown name SPOOL_DI, did you mean SPOOL_DIR?\n");
    const missing = await run(["queue", "list", "no.conf"], { cwd: folder });
    assert.deepEqual(missing, {
      code: 2,
      out: "",
      err: "denosmtpd: no.conf: there is no such file\n",
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
