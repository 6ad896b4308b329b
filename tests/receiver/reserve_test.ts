/** What is kept free of new mail: who is let in, how often disks are looked at, what is told. */

import assert from "node:assert/strict";
import { minFree } from "../../src/config/min_free.ts";
import { Reserve } from "../../src/receiver/reserve.ts";
import { type Space, systemSpace } from "../../src/space.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import { COMMAND, readMailbox, startDaemon } from "../support/daemon.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { namesIn } from "../support/names_in.ts";
import { missingOrNotRoot, skippable, succeed } from "../support/programs.ts";
import { settled } from "../support/settled.ts";
import { greetedClient, submit } from "../support/submit.ts";

const M = 1024 ** 2;
const HALF: Space = { device: 1, size: 1000 * M, free: 500 * M, inodes: 1000, freeInodes: 500 };

/** A reserve on disks that a test changes. */
class Stand {
  readonly clock = new FakeClock();
  readonly log = new CollectingLog();
  readonly looks: string[] = [];
  space: (path: string) => Partial<Space> | Promise<Partial<Space>> = () => ({});
  readonly reserve: Reserve;

  constructor(setting = "5%, 100M") {
    const { clock, log } = this;
    const spaceOf = async (path: string) => {
      this.looks.push(path);
      return { ...HALF, ...await this.space(path) };
    };
    this.reserve = new Reserve(minFree(setting), { spaceOf, clock, log });
  }

  async isShort(...directories: string[]): Promise<boolean> {
    return await this.reserve.isShort(directories);
  }

  get lines(): string[] {
    return this.log.all.map(({ event }) => event);
  }
}

const CASES: readonly (readonly [setting: string, space: Partial<Space>, short: boolean])[] = [
  ["5%, 100M", {}, false],
  ["5%, 100M", { free: 99 * M }, true],
  ["5%, 100M", { free: 100 * M }, false],
  ["5%, 100M", { size: 100_000 * M, free: 4999 * M }, true],
  ["5%, 100M", { size: 100_000 * M, free: 5000 * M }, false],
  ["5%, 100M", { freeInodes: 49 }, true],
  ["5%, 100M", { freeInodes: 50 }, false],
  ["5%, 100M", { inodes: 0, freeInodes: 0 }, false],
  ["60%", {}, true],
  ["1M", { free: 2 * M, freeInodes: 0 }, false],
];

for (const [setting, space, short] of CASES) {
  const what = `${JSON.stringify(space)} ${short ? "is too little" : "is enough"}`;
  Deno.test(`with MIN_FREE = ${setting} ${what}`, async () => {
    const stand = new Stand(setting);
    stand.space = () => space;
    assert.equal(await stand.isShort("/spool"), short);
  });
}

Deno.test("a file system is looked at once a second, however many ask for however many places", async () => {
  const stand = new Stand();
  stand.space = (path) => ({ device: path === "/far" ? 2 : 1 });
  await Promise.all([1, 2, 3].map(() => stand.isShort("/spool")));
  assert.deepEqual(stand.looks, ["/spool"]);
  await stand.isShort("/a", "/b", "/far");
  stand.looks.length = 0;
  stand.clock.advance(999);
  assert.equal(stand.reserve.isShort(["/spool", "/a", "/far"]), false, "known without a look");
  stand.clock.advance(1);
  await Promise.all([stand.isShort("/a"), stand.isShort("/b"), stand.isShort("/spool", "/far")]);
  assert.deepEqual(stand.looks, ["/a", "/far"]);
  assert.equal(stand.clock.pending, 0);
});

Deno.test("one full disk counts for what is on it alone", async () => {
  const stand = new Stand();
  stand.space = (path) => path === "/full" ? { device: 2, free: 0 } : {};
  assert.equal(await stand.isShort("/spool"), false);
  assert.equal(await stand.isShort("/a", "/full"), true);
  assert.equal(await stand.isShort("/a", "/b"), false);
  assert.equal(await stand.isShort(), false);
});

Deno.test("the begin and the end are told once each", async () => {
  const stand = new Stand();
  const ask = async (free: number) => {
    stand.clock.advance(1000);
    stand.space = () => ({ free });
    return [await stand.isShort("/spool"), await stand.isShort("/mail")];
  };
  for (const free of [M, M, 0]) assert.deepEqual(await ask(free), [true, true]);
  for (const free of [200 * M, 300 * M]) assert.deepEqual(await ask(free), [false, false]);
  assert.deepEqual(stand.log.all.map(({ level, event, fields }) => [level, event, fields]), [
    ["warn", "disk nearly full", { directory: "/spool", free: M, least: 100 * M }],
    ["info", "disk has room again", { directory: "/spool", free: 200 * M, least: 100 * M }],
  ]);
  stand.space = () => ({ freeInodes: 7 });
  stand.clock.advance(1000);
  assert.equal(await stand.isShort("/mail"), true);
  assert.deepEqual(stand.log.fieldsOf("disk nearly full").at(-1), {
    directory: "/mail",
    free: 500 * M,
    least: 100 * M,
    files: 7,
    leastFiles: 50,
  });
});

Deno.test("where a look fails there is room enough, which is told once", async () => {
  const stand = new Stand();
  const trouble = () => Promise.reject(new Deno.errors.NotFound("gone"));
  stand.space = trouble;
  for (let i = 0; i < 3; i++) assert.equal(await stand.isShort("/spool"), false);
  assert.deepEqual(stand.log.fieldsOf("free space unknown"), [
    { directory: "/spool", error: "NotFound: gone" },
  ]);
  stand.space = () => ({ free: 0 });
  assert.equal(await stand.isShort("/spool"), true);
  stand.clock.advance(1000);
  stand.space = trouble;
  assert.equal(await stand.isShort("/spool"), false);
  assert.equal(stand.log.fieldsOf("free space unknown").length, 2);
});

Deno.test("without the right to look nobody is looked at again", async () => {
  const stand = new Stand();
  stand.space = () => Promise.reject(new Deno.errors.NotCapable("statfs"));
  for (const path of ["/spool", "/a", "/spool"]) assert.equal(await stand.isShort(path), false);
  assert.deepEqual([stand.looks, stand.lines], [["/spool"], ["free space unknown"]]);
});

Deno.test("a disk that does not answer holds nobody for long, and what was known holds", async () => {
  for (const free of [0, 500 * M]) {
    const stand = new Stand();
    stand.space = () => ({ free });
    const before = await stand.isShort("/spool");
    stand.clock.advance(1000);
    const answer = Promise.withResolvers<Partial<Space>>();
    stand.space = () => answer.promise;
    const first = stand.isShort("/spool");
    await stand.clock.pass(1000);
    assert.equal(await first, before);
    assert.equal(await stand.isShort("/spool"), before, "the next one does not wait at all");
    assert.equal(stand.looks.length, 2, "and does not begin another look");
    answer.resolve({ free: 0 });
    await settled();
    assert.equal(stand.reserve.isShort(["/spool"]), true);
    assert.equal(stand.clock.pending, 0);
  }
});

Deno.test("a clock that is set back makes no look good for longer", async () => {
  const stand = new Stand();
  await stand.isShort("/spool");
  stand.space = () => ({ free: 0 });
  stand.clock.set(stand.clock.now() - 3_600_000);
  assert.equal(await stand.isShort("/spool"), true);
});

Deno.test("a directory that lies on another disk meanwhile is found there", async () => {
  const stand = new Stand();
  await stand.isShort("/mail");
  stand.space = (path) => path === "/mail" ? { device: 2, free: 0 } : {};
  for (let second = 0; second < 60; second++) {
    stand.clock.advance(1000);
    await stand.isShort("/spool");
  }
  assert.equal(await stand.isShort("/mail"), true);
});

Deno.test("a daemon that may not look at disks serves all the same, and says so once", async () => {
  const command = COMMAND.map((word) => word.replace(",statfs", ""));
  await using daemon = await startDaemon({ mail: "MIN_FREE = 90%", command });
  for (let i = 0; i < 2; i++) await submit(daemon.port, { to: ["jones@me.example"] });
  assert.equal((await daemon.stop()).code, 0);
  assert.match(daemon.log(), / warn free space unknown directory=\S+ error="NotCapable: .*statfs/);
  assert.equal(daemon.log().match(/free space unknown/g)?.length, 1);
});

Deno.test("a start on a full disk says so before anybody comes", async () => {
  await using daemon = await startDaemon({ mail: "MIN_FREE = 90%, 1023G" });
  await daemon.logged(" warn disk nearly full directory=");
});

const SPOOL = { mailboxes: [], queue: ["/spool"] };
const MAIL = { mailboxes: ["/mail"], queue: [] };

Deno.test("what is claimed counts at once, until a look finds what has come of it", async () => {
  const stand = new Stand("100M");
  let free = 102 * M;
  stand.space = () => ({ free });
  assert.equal(await stand.reserve.claim({ ...MAIL, queue: ["/spool"] }, M, 1), true);
  assert.equal(stand.looks.length, 2);
  assert.equal(await stand.reserve.claim(MAIL, 1, 1), true, "there is nothing left, but not less");
  free = 100 * M - 1;
  assert.equal(await stand.reserve.claim(SPOOL, 1, 1), false, "looked at again, it is less");
  assert.equal(stand.looks.length, 3);
  assert.equal(await stand.isShort("/spool"), true);
  assert.equal(stand.looks.length, 3, "and that is good for a second");
  free = 101 * M;
  stand.clock.advance(1000);
  assert.equal(await stand.reserve.claim(MAIL, 2 * M, 1), true);
  assert.equal(await stand.reserve.claim(MAIL, 1, 1), true, "it did not come to so much");
  assert.equal(stand.looks.length, 5);
});

Deno.test("a copy for each mailbox on another disk is claimed there, links are not", async () => {
  const stand = new Stand("100M");
  stand.space = (path) => ({ device: path.startsWith("/far") ? 2 : 1, free: 110 * M });
  const mailboxes = ["/a", "/b", "/c", "/far/d", "/far/e"];
  assert.equal(await stand.reserve.claim({ mailboxes, queue: [] }, 6 * M, 1), true);
  stand.space = (path) => ({ device: path.startsWith("/far") ? 2 : 1, free: 0 });
  assert.equal(await stand.isShort("/a", "/b"), false, "6 of 10");
  assert.equal(await stand.isShort("/far/d"), true, "12 of 10");
});

Deno.test("a message is one file, and a disk without a limit to files has room for them", async () => {
  const stand = new Stand();
  stand.space = () => ({ freeInodes: 51 });
  for (let i = 0; i < 5; i++) assert.equal(await stand.reserve.claim(SPOOL, 1, 0), true);
  for (let i = 0; i < 2; i++) assert.equal(await stand.reserve.claim(SPOOL, 1, 1), true);
  stand.space = () => ({ freeInodes: 49 });
  assert.equal(await stand.reserve.claim(SPOOL, 1, 1), false);
  const boundless = new Stand();
  boundless.space = () => ({ inodes: 0, freeInodes: 0 });
  for (let i = 0; i < 5; i++) assert.equal(await boundless.reserve.claim(SPOOL, 1, 1), true);
  assert.equal(boundless.looks.length, 1);
});

const HELD = "transactions that were begun in time do not use up the reserve";

Deno.test({ ...skippable(HELD, missingOrNotRoot(["mount"])), fn: beginInTime });

async function beginInTime(): Promise<void> {
  const disk = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  await succeed("mount", ["-t", "tmpfs", "-o", "size=20m", "tmpfs", disk]);
  try {
    await using daemon = await startDaemon({
      mail: `MIN_FREE = 10M\nSPOOL_DIR = ${disk}/spool`,
      users: `jones:${disk}/jones`,
    });
    const clients = await Promise.all(Array.from({ length: 9 }, async () => {
      const client = await greetedClient(daemon.port);
      for (const command of ["MAIL FROM:<>", "RCPT TO:<jones@me.example>"]) {
        assert.match(await client.command(command) ?? "", /^250 /);
      }
      assert.match(await client.command("DATA") ?? "", /^354 /);
      return client;
    }));
    const text = `${"x".repeat(98)}\r\n`.repeat(22_000);
    const replies: string[] = [];
    for (const client of clients) replies.push(await client.command(`${text}.`) ?? "");
    clients.forEach((client) => client.close());
    const taken = replies.filter((reply) => reply.startsWith("250 ")).length;
    assert.ok(taken > 0 && taken < clients.length, replies.join(""));
    assert.deepEqual(replies.filter((reply) => !/^(250|452 4\.3\.1) /.test(reply)), []);
    assert.ok((await systemSpace(disk)).free > 9.5 * M);
    assert.equal((await readMailbox(`${disk}/jones`)).length, taken);
    assert.deepEqual(await namesIn(`${disk}/jones/tmp`), []);
  } finally {
    await new Deno.Command("umount", { args: [disk] }).output();
    await Deno.remove(disk);
  }
}
