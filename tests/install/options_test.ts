/** What install.sh is told, and by whom: it does what it was asked, or says in one line why not. */

import assert from "node:assert/strict";
import { skippable } from "../support/programs.ts";
import { assertDone, assertRefused, lacking, makeKit } from "./kit.ts";

const MISUSES: readonly (readonly [args: readonly string[], destination: string, why: RegExp])[] = [
  [["--force"], "", /unknown option --force/],
  [["denosmtpd"], "", /unknown option denosmtpd/],
  [["--from"], "", /--from needs a value/],
  [["--prefix="], "", /--prefix needs a value/],
  [["--prefix", "usr"], "", /--prefix must begin with a slash, usr does not/],
  [["--prefix", "/a b"], "", /--prefix may hold letters, digits/],
  [["--prefix", "/%n"], "", /--prefix may hold letters, digits/],
  [["--yes"], "tree", /DESTDIR must begin with a slash/],
  [["--start", "--uninstall"], "", /--start goes neither with --uninstall/],
  [["--start", "--no-service"], "", /--start goes neither .* nor with --no-service/],
  [["--start"], "/tree", /with DESTDIR nothing can be started/],
  [["--uninstall", "--from", "x"], "", /--uninstall takes no --from/],
];

for (const [args, DESTDIR, why] of MISUSES) {
  const line = `${DESTDIR && `DESTDIR=${DESTDIR} `}install.sh ${args.join(" ")}`;
  Deno.test(`${line}: exit status 2 and what is wrong`, async () => {
    await using kit = await makeKit();
    const before = await kit.list();
    assertRefused(await kit.run(args, { env: { DESTDIR } }), why, 2);
    assert.equal(await kit.list(), before);
  });
}

Deno.test("an ordinary user is refused where root is needed", async () => {
  await using kit = await makeKit();
  const why = /must be run as root/;
  assertRefused(await kit.run(["--from", kit.executable, "--yes"]), why);
  assertRefused(await kit.run(["--from", kit.executable, "--yes", "--prefix", "/usr"]), why);
  assertRefused(await kit.run(["--uninstall", "--yes"]), why);
});

Deno.test("an ordinary user gets the executable below a directory that is the user's", async () => {
  await using kit = await makeKit();
  const prefix = `${kit.folder}/tmp/own`;
  const done = await kit.run(["--from", kit.executable, "--yes", "--prefix", prefix]);
  assertDone(done);
  assert.match(
    done.out,
    /^made +\S+\/own\/bin\/denosmtpd: denosmtpd 1\.0\.0 \(stub\)\n\n.*no conf/,
  );
  assert.match(
    await kit.list(prefix),
    /^ d [^\n]*\nbin d 755 [^\n]*\nbin\/denosmtpd f 755 [^\n]*$/,
  );
  assertDone(await kit.run(["--uninstall", "--yes", "--prefix", prefix]));
  await assert.rejects(Deno.stat(`${prefix}/bin/denosmtpd`), Deno.errors.NotFound);
});

Deno.test("without a terminal and --yes nothing is done", async () => {
  await using kit = await makeKit();
  const before = await kit.list();
  const args = ["--from", kit.executable];
  assertRefused(
    await kit.run(args, { env: { DESTDIR: kit.tree } }),
    /no terminal: --yes is needed/,
  );
  assert.equal(await kit.list(), before);
});

/** Runs install.sh in a terminal of its own. */
const TERMINAL = [
  "sh",
  "-c",
  `exec script --quiet --return --command 'sh install.sh --from "$FROM"' /dev/null`,
];

for (const [answer, does] of [["y", true], ["n", false], ["", false]] as const) {
  Deno.test({
    ...skippable(
      `at a terminal it tells, asks and ${does ? "goes on" : "stops"} after "${answer}"`,
      lacking("script"),
    ),
    fn: async () => {
      await using kit = await makeKit();
      const env = { DESTDIR: kit.tree, FROM: kit.executable, SHELL: "/bin/sh" };
      const { code, out } = await kit.run([], { under: TERMINAL, env, input: `${answer}\n` });
      assert.match(
        out,
        /^would make +\S+\/tree\/usr\/local\/bin\/denosmtpd\r\n[^]*Shall it be done\?/m,
      );
      assert.equal(/^made +\S+denosmtpd\r\n/m.test(out), does);
      assert.equal(/nothing was changed/.test(out), !does);
      assert.equal(code, does ? 0 : 1);
      assert.equal(/^tree/m.test(await kit.list()), does);
    },
  });
}

Deno.test("--dry-run says every step and changes nothing", async () => {
  await using kit = await makeKit();
  const before = await kit.list();
  const planned = await kit.install(["--dry-run"]);
  assertDone(planned);
  assert.deepEqual(planned.out.replaceAll(kit.tree, "").trimEnd().split("\n"), [
    "would make    /usr/local/bin/denosmtpd",
    "would make    /etc/denosmtpd",
    "would make    /etc/denosmtpd/mail.conf",
    "would make    /etc/denosmtpd/user.conf",
    "would make    /usr/lib/systemd/system/denosmtpd.service",
    "would make    /usr/lib/sysctl.d/60-denosmtpd.conf",
  ]);
  assert.equal(await kit.list(), before);
  assertDone(await kit.install());
  const installed = await kit.list();
  const removal = await kit.run(["--uninstall", "--dry-run"], { env: { DESTDIR: kit.tree } });
  assertDone(removal);
  assert.deepEqual(removal.out.replaceAll(kit.tree, "").trimEnd().split("\n"), [
    "would remove  /usr/lib/systemd/system/denosmtpd.service",
    "would remove  /usr/lib/sysctl.d/60-denosmtpd.conf",
    "would remove  /usr/local/bin/denosmtpd",
  ]);
  assert.equal(await kit.list(), installed);
});
