/** install.sh as a text: what checkers say of it, and what becomes of a part of it. */

import assert from "node:assert/strict";
import { skippable } from "../support/programs.ts";
import { assertDone, lacking, makeKit, ORDINARY, SCRIPT } from "./kit.ts";

const CHECKERS = {
  shellcheck: ["--shell=sh", "--enable=check-unassigned-uppercase,deprecate-which", SCRIPT],
  shfmt: ["-d", "-i", "2", "-ln", "posix", SCRIPT],
};

for (const [checker, args] of Object.entries(CHECKERS)) {
  Deno.test({
    ...skippable(`${checker} has nothing to say about install.sh`, lacking(checker)),
    fn: async () => {
      const { code, stdout, stderr } = await new Deno.Command(checker, { args }).output();
      const decoder = new TextDecoder();
      assert.equal(decoder.decode(stdout) + decoder.decode(stderr), "");
      assert.equal(code, 0);
    },
  });
}

const SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "sh"]];

for (const [shell, ...words] of SHELLS) {
  Deno.test({
    ...skippable(`install.sh installs and uninstalls by ${shell}`, lacking(shell!)),
    fn: async () => {
      await using kit = await makeKit();
      const under = [shell!, ...words];
      assertDone(await kit.install([], { under }));
      assert.deepEqual(
        await Deno.readFile(`${kit.tree}/usr/local/bin/denosmtpd`),
        await Deno.readFile(kit.executable),
      );
      const removal = ["--uninstall", "--yes"];
      assertDone(await kit.run(removal, { under, env: { DESTDIR: kit.tree } }));
      await assert.rejects(Deno.stat(`${kit.tree}/usr/local/bin/denosmtpd`), Deno.errors.NotFound);
    },
  });
}

/** Pipes each of these numbers of bytes of install.sh into a shell, as a download that was cut off. */
const PIPE_PARTS = `
  for bytes in $LENGTHS; do
    head -c "$bytes" install.sh | "$SHELL_NAME" -s -- --from release/denosmtpd --yes 2>tmp/errors
    # The shell may complain of what ends too early, the script must not have begun to speak.
    [ ! -e tree ] && ! grep '^install\.sh: ' tmp/errors || { echo "$bytes bytes did something"; exit 1; }
  done`;

for (const shell of ["sh", "bash"]) {
  Deno.test({
    ...skippable(`a part of install.sh does nothing in ${shell}, all of it does`, lacking(shell)),
    fn: async () => {
      await using kit = await makeKit();
      const text = await Deno.readTextFile(SCRIPT);
      const whole = new TextEncoder().encode(text.trimEnd()).length;
      const lengths = Array.from({ length: 80 }, (_, part) => Math.floor(whole * part / 80));
      for (let bytes = whole - 40; bytes < whole; bytes++) lengths.push(bytes);
      const pipe = async (lengths: readonly number[]) => {
        const { stdout } = await new Deno.Command("sh", {
          args: ["-c", PIPE_PARTS],
          cwd: kit.folder,
          env: {
            LENGTHS: lengths.join(" "),
            SHELL_NAME: shell,
            DESTDIR: kit.tree,
            TMPDIR: `${kit.folder}/tmp`,
          },
          ...ORDINARY,
        }).output();
        return new TextDecoder().decode(stdout);
      };
      assert.equal(await pipe(lengths), "");
      assert.match(await pipe([whole]), /^made [^]*\d bytes did something\n$/);
    },
  });
}

Deno.test("the help names the options, and there is each of them", async () => {
  await using kit = await makeKit();
  const help = await kit.run(["--help"]);
  assertDone(help);
  const options = [...help.out.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, option]) => option!);
  assert.deepEqual(options, [
    "--from",
    "--prefix",
    "--no-service",
    "--start",
    "--uninstall",
    "--yes",
    "--dry-run",
    "--help",
  ]);
  for (const option of options) {
    assert.doesNotMatch((await kit.run([option])).err, /unknown/);
  }
});
