/** Executables for other machines and systems that cannot run any: install.sh says so. */

import assert from "node:assert/strict";
import { skippable } from "../support/programs.ts";
import { assertDone, assertRefused, type Kit, makeKit, NEEDED } from "./kit.ts";
import { MACH_O, stub } from "./stub.ts";

const { arch } = Deno.build;
const OTHER = arch === "x86_64" ? "aarch64" : "x86_64";

/** Installs for this machine itself, below a directory that needs no root, and sees that nothing came. */
async function refused(kit: Kit, why: RegExp): Promise<void> {
  const before = await kit.list();
  const args = ["--from", kit.executable, "--yes", "--prefix", `${kit.folder}/tmp/own`];
  assertRefused(await kit.run(args), why);
  assert.equal(await kit.list(), before);
}

const FILES: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
  "an executable for the other processor": [
    stub("denosmtpd", OTHER),
    /is for Linux (arm64|x86_64), this machine is Linux (x86_64|arm64)$/m,
  ],
  "an executable for macOS": [MACH_O, /is for Darwin arm64, this machine is Linux/],
  "a shell script": [
    new TextEncoder().encode("#!/bin/sh\n"),
    /is no executable for Linux or macOS/,
  ],
  "an empty file": [new Uint8Array(), /is no executable/],
  "an executable for 32 bits": [stub("denosmtpd").fill(1, 4, 5), /is no executable/],
  "an executable for a third processor": [stub("denosmtpd").fill(8, 18, 19), /is no executable/],
  "another program": [stub("postfix 3.7"), /is another program/],
};

for (const [what, [bytes, why]] of Object.entries(FILES)) {
  Deno.test({
    ...skippable(`${what} is refused`, Deno.build.os === "linux" ? undefined : "this is not Linux"),
    fn: async () => {
      await using kit = await makeKit();
      await Deno.writeFile(kit.executable, bytes);
      const args = ["--from", kit.executable, "--yes", "--prefix", `${kit.folder}/tmp/own`];
      const { code, out, err } = await kit.run(args);
      assert.match(err, why);
      assert.match(err, /^install\.sh: [^\n]+\n$/);
      assert.equal(out, "");
      assert.equal(code, 1);
      assert.doesNotMatch(await kit.list(), /own\/bin\/./);
    },
  });
}

/** What one of the programs that describe a system says on others. */
const SYSTEMS: Readonly<Record<string, readonly [program: string, text: string, why: RegExp]>> = {
  "a system with musl": [
    "ldd",
    'echo "musl libc (x86_64)" >&2; exit 1',
    /this system has musl, .*there is no musl build/,
  ],
  "glibc 2.26": ["getconf", "echo glibc 2.26", /this system has glibc 2\.26, .* 2\.27 or newer/],
  "FreeBSD": ["uname", "echo FreeBSD", /runs on Linux and macOS, this is FreeBSD/],
  "a machine of 32 bits": [
    "uname",
    "case $1 in -s) echo Linux ;; *) echo armv7l ;; esac",
    /runs on x86_64 and arm64, this machine is armv7l/,
  ],
};

for (const [what, [program, text, why]] of Object.entries(SYSTEMS)) {
  Deno.test(`${what} is refused`, async () => {
    await using kit = await makeKit();
    await kit.fake(program, text);
    await refused(kit, why);
  });
}

for (
  const [what, program, text] of [
    ["glibc 2.27", "getconf", "echo glibc 2.27"],
    ["a system that says nothing of its libc", "getconf", "exit 1"],
  ] as const
) {
  Deno.test(`${what} will do`, async () => {
    await using kit = await makeKit();
    await kit.fake(program, text);
    const prefix = `${kit.folder}/tmp/own`;
    assertDone(await kit.run(["--from", kit.executable, "--yes", "--prefix", prefix]));
  });
}

Deno.test("a package may be made of an executable for another machine", async () => {
  await using kit = await makeKit();
  await kit.fake("ldd", 'echo "musl libc (x86_64)" >&2; exit 1');
  await Deno.writeFile(kit.executable, stub("denosmtpd", OTHER));
  assertDone(await kit.install());
});

Deno.test("macOS gets executable and configuration, and neither unit nor kernel setting", async () => {
  await using kit = await makeKit();
  await kit.fake("uname", "case $1 in -s) echo Darwin ;; *) echo arm64 ;; esac");
  await Deno.writeFile(kit.executable, MACH_O);
  const done = await kit.install();
  assertDone(done);
  assert.match(
    done.out,
    /^made .*denosmtpd\nmade .*denosmtpd\nmade .*mail\.conf\nmade .*user\.conf\n\n/,
  );
  assert.doesNotMatch(await kit.list(), /^tree\S+(\.service|sysctl)/m);
});

Deno.test("a missing command is named before anything is done", async () => {
  await using kit = await makeKit();
  const script = `${kit.folder}/install.sh`;
  // Those that only root has may hold everything, where /sbin and /bin are one folder.
  const text = await Deno.readTextFile(script);
  await Deno.writeTextFile(script, text.replace("PATH=$PATH:/usr/sbin:/sbin", ""));
  const PATH = await kit.only(NEEDED.filter((name) => name !== "cmp" && name !== "od"));
  assertRefused(await kit.install([], { env: { PATH } }), /these commands are missing: cmp od$/m);
});
