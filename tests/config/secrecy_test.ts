/** Who can read the hashes in user.conf. */

import assert from "node:assert/strict";
import { chmod, closeToOthers, readableByOthers } from "../../src/config/secrecy.ts";
import { makeFolder } from "../support/folder.ts";

Deno.test("a file is readable by others where its mode says so", async () => {
  await using folder = await makeFolder();
  const file = `${folder.path}/user.conf`;
  await Deno.writeTextFile(file, "");
  for (
    const [mode, readable] of [[0o644, true], [0o604, true], [0o640, false], [
      0o600,
      false,
    ]] as const
  ) {
    await Deno.chmod(file, mode);
    assert.equal(await readableByOthers(file), readable, mode.toString(8));
  }
});

Deno.test("a file that is gone is readable by nobody", async () => {
  await using folder = await makeFolder();
  assert.equal(await readableByOthers(`${folder.path}/user.conf`), false);
});

Deno.test("the command that mends it can be copied, whatever the file is called", () => {
  assert.equal(closeToOthers("/etc/denosmtpd/user.conf"), "chmod o-r /etc/denosmtpd/user.conf");
  assert.equal(closeToOthers("/a b/$x"), "chmod o-r '/a b/$x'");
  assert.equal(closeToOthers("it's"), "chmod o-r 'it'\\''s'");
  assert.equal(closeToOthers("-R"), "chmod o-r ./-R");
  assert.equal(chmod("600", "a b"), "chmod 600 'a b'");
});
