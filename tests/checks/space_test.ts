/** Whether disks have room. */

import assert from "node:assert/strict";
import { checkSpace, spaceAround } from "../../src/checks/space.ts";
import type { Configuration } from "../../src/config/configuration.ts";
import { minFree } from "../../src/config/min_free.ts";
import type { Space } from "../../src/space.ts";

const M = 1024 ** 2;
const PLENTY: Space = { device: 1, size: 1000 * M, free: 500 * M, inodes: 1000, freeInodes: 500 };

/** A queue in /spool, and mailboxes. */
function configurationOf(mailboxes: readonly string[], least = "5%, 100M"): Configuration {
  const users = mailboxes.map((directory) => ({ name: directory, target: { directory }, line: 1 }));
  const mail = { SPOOL_DIR: "/spool", MIN_FREE: minFree(least) };
  return { mail, users } as unknown as Configuration;
}

async function check(space: Partial<Space>, least?: string) {
  const findings = await checkSpace(configurationOf(["/mail"], least), () => {
    return Promise.resolve({ ...PLENTY, ...space });
  });
  assert.equal(findings.length, 1);
  return findings[0]!;
}

const CASES:
  readonly (readonly [what: string, space: Partial<Space>, state: string, is: RegExp])[] = [
    ["half of it free", {}, "good", /^500M of 1000M$/],
    ["99 MB free", { free: 99 * M }, "wrong", /^99M of 1000M$/],
    ["100 MB free", { free: 100 * M }, "good", /^100M/],
    ["4 % of much free", { size: 100_000 * M, free: 4000 * M }, "wrong", /^4000M of 97G$/],
    ["5 % of much free", { size: 100_000 * M, free: 5000 * M }, "good", /^5000M of 97G$/],
    ["few files more", { freeInodes: 49 }, "wrong", /room for 49 more files of 1000 alone$/],
    ["files without a limit", { inodes: 0, freeInodes: 0 }, "good", /^500M/],
  ];

for (const [what, space, state, is] of CASES) {
  Deno.test(`a disk with ${what} is ${state}`, async () => {
    const finding = await check(space);
    assert.equal(finding.state, state);
    assert.match(finding.is, is);
    assert.equal(finding.should !== undefined, state === "wrong");
  });
}

Deno.test("what is enough is what MIN_FREE says", async () => {
  const finding = await check({ free: 300 * M }, "400M");
  assert.deepEqual([finding.state, finding.should], ["wrong", "400M at least"]);
  assert.equal((await check({ free: 300 * M }, "30%")).state, "good");
  assert.equal((await check({ free: 3 * M, freeInodes: 0 }, "none")).state, "good");
});

Deno.test("directories of one file system are one finding, others their own", async () => {
  const findings = await checkSpace(configurationOf(["/a", "/b"]), (path) => {
    return Promise.resolve({ ...PLENTY, device: path === "/b" ? 2 : 1 });
  });
  assert.deepEqual(findings.map(({ about }) => about), [
    "free space for /spool and /a",
    "free space for /b",
  ]);
});

Deno.test("space that the system does not tell is not known", async () => {
  const denied = () => Promise.reject(new Deno.errors.NotCapable("no"));
  const [finding, ...more] = await checkSpace(configurationOf(["/mail"]), denied);
  assert.deepEqual([finding?.state, more], ["unknown", []]);
  assert.match(finding?.is ?? "", /--allow-sys=statfs/);
});

Deno.test("the system tells the space of a directory that is not made yet", async () => {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    const space = await spaceAround(`${folder}/not/yet`);
    assert.equal(space.device, (await Deno.stat(folder)).dev);
    assert.ok(space.size > 0 && space.free <= space.size);
  } finally {
    await Deno.remove(folder);
  }
});
