/** Where the executable comes from: a file, or the checkout itself. */

import assert from "node:assert/strict";
import { skippable } from "../support/programs.ts";
import { assertDone, assertRefused, makeKit, NEEDED, sha256 } from "./kit.ts";

Deno.test("a checksum beside the file must be true", async () => {
  await using kit = await makeKit();
  const sum = `${kit.executable}.sha256`;
  await Deno.writeTextFile(sum, `${"0".repeat(64)}  denosmtpd\n`);
  assertRefused(
    await kit.install(),
    /denosmtpd is damaged or another one: its SHA-256 is [0-9a-f]{64}, not 0{64}/,
  );
  await Deno.writeTextFile(sum, "<html>\n");
  assertRefused(await kit.install(), /denosmtpd\.sha256 holds no SHA-256 checksum/);
  assert.doesNotMatch(await kit.list(), /^tree/m);
  const digest = await sha256(await Deno.readFile(kit.executable));
  await Deno.writeTextFile(sum, `${digest.toUpperCase()}  a-name-it-had\n`);
  assertDone(await kit.install());
});

Deno.test("a file that is not there is named", async () => {
  await using kit = await makeKit();
  assertRefused(await kit.install(["--from", "dist/none"]), /dist\/none: there is no such file/);
});

/** Stands for Deno: makes what the task makes, and tells how it was called. */
const COMPILER = `echo "$0 $*" | sed 's,.*/,,'
mkdir dist && cp release/denosmtpd dist/denosmtpd`;

for (
  const [program, called] of [
    ["deno", "deno task compile"],
    ["npx", "npx --yes deno@2.9.6 task compile"],
  ] as const
) {
  Deno.test(`without --from it is compiled by ${program}`, async () => {
    await using kit = await makeKit();
    await Deno.writeTextFile(`${kit.folder}/deno.json`, "{}");
    await Deno.chmod(kit.folder, 0o777);
    await kit.fake(program, COMPILER);
    const env = { DESTDIR: kit.tree, PATH: await kit.only(NEEDED) };
    assertDone(await kit.run(["--dry-run"], { env }));
    assert.doesNotMatch(await kit.list(), /^dist/m);
    const { code, err } = await kit.run(["--yes"], { env });
    assert.equal(err, `${called}\n`);
    assert.equal(code, 0);
    assert.match(await kit.list(), /^tree\/usr\/local\/bin\/denosmtpd f 755 /m);
  });
}

Deno.test("what does not compile is not installed", async () => {
  await using kit = await makeKit();
  await Deno.writeTextFile(`${kit.folder}/deno.json`, "{}");
  await kit.fake("deno", "exit 1");
  const { code, err } = await kit.run(["--yes"], { env: { DESTDIR: kit.tree } });
  assert.equal(err, "install.sh: it could not be compiled\n");
  assert.equal(code, 1);
  assert.doesNotMatch(await kit.list(), /^tree/m);
});

Deno.test("outside of a checkout --from is needed, and so is Deno in one", async () => {
  await using kit = await makeKit();
  const env = { DESTDIR: kit.tree, PATH: await kit.only(NEEDED) };
  assertRefused(
    await kit.run(["--yes"], { env }),
    /outside of a checkout .* --from FILE or --from URL/,
  );
  await Deno.writeTextFile(`${kit.folder}/deno.json`, "{}");
  assertRefused(await kit.run(["--yes"], { env }), /to compile it Deno is needed, or npx/);
});

Deno.test("a release without the unit says what is missing", async () => {
  await using kit = await makeKit();
  for (const folder of ["conf", "release"]) {
    await Deno.remove(`${kit.folder}/${folder}/denosmtpd.service`);
  }
  assertRefused(await kit.install(), /denosmtpd\.service is missing: it belongs beside/);
  assertDone(await kit.install(["--no-service"]));
});

Deno.test({
  ...skippable("a unit that somebody else put there is not taken", notRoot()),
  fn: async () => {
    await using kit = await makeKit();
    const unit = `${kit.folder}/conf/denosmtpd.service`;
    await Deno.chown(unit, 12345, 12345);
    assertRefused(
      await kit.install(),
      /denosmtpd\.service is not taken: it belongs to somebody else/,
    );
    await Deno.remove(unit);
    await Deno.symlink(`${kit.folder}/release/denosmtpd.service`, unit);
    assertRefused(await kit.install(), /denosmtpd\.service is not taken: .* or is a link/);
  },
});

function notRoot(): string | undefined {
  return Deno.uid() === 0 ? undefined : "only root may do this";
}
