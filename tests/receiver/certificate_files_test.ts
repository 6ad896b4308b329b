/** A pair of files that is renewed while it is in use. */

import assert from "node:assert/strict";
import { SettingError } from "../../src/config/setting_error.ts";
import { CertificateFiles, type PairPaths } from "../../src/receiver/certificate_files.ts";
import { type Issued, makeAuthority } from "../support/authority.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { makeFolder } from "../support/folder.ts";
import { makePair } from "../support/key_pair.ts";
import { missing, skippable } from "../support/programs.ts";
import { until } from "../support/until.ts";

/** Milliseconds between two looks. */
const LOOK = 5000;
const START = new Date(Date.UTC(2026, 0, 1));
const DAY = 86_400_000;

/** Files of a test, with some pairs that differ in the days they last. */
interface World {
  readonly folder: string;
  readonly paths: PairPaths;
  readonly log: CollectingLog;
  readonly clock: FakeClock;
  /** The pair that lasts so many days. */
  issue(days: number): Promise<Issued>;
  /** Writes into both files, or into links' targets. */
  put(pair: Issued): Promise<void>;
  open(): Promise<CertificateFiles>;
  /** Lets the next look come and end. */
  look(): Promise<void>;
}

function testFiles(name: string, act: (world: World) => Promise<void>, reason?: string): void {
  Deno.test({ ...skippable(name, reason ?? missing(["openssl"])), fn });
  async function fn(): Promise<void> {
    await using authority = await makeAuthority();
    await using folder = await makeFolder();
    const paths = {
      certificate: `${folder.path}/fullchain.pem`,
      key: `${folder.path}/privkey.pem`,
    };
    const [log, clock] = [new CollectingLog(), new FakeClock()];
    const opened: CertificateFiles[] = [];
    try {
      await act({
        folder: folder.path,
        paths,
        log,
        clock,
        issue: (days) => authority.issue(["mx.test"], { notBefore: START, days }),
        put: async ({ certificate, key }) => {
          await Deno.writeTextFile(paths.certificate, certificate);
          await Deno.writeTextFile(paths.key, key);
        },
        open: async () => {
          const files = await CertificateFiles.open(paths, { clock, log });
          opened.push(files);
          return files;
        },
        look: async () => {
          clock.advance(LOOK);
          await until("the next look to come", () => clock.pending === 1);
        },
      });
    } finally {
      opened.forEach((files) => files.close());
    }
    assert.equal(clock.pending, 0);
  }
}

/** The days that the pair in use lasts. */
function days({ current }: CertificateFiles): number {
  return (current.validTo - START.getTime()) / DAY;
}

/** What was said, each with the name of its file. */
function said({ log }: World): string[] {
  return log.all.map(({ level, event, fields }) => {
    const file = String(fields["file"]).replace(/.*\//, "");
    return `${level} ${event} ${file} ${fields["error"] ?? fields["until"]}`;
  });
}

testFiles(
  "a pair that has changed is in use when both files were left alone between two looks",
  async (world) => {
    const { look, put, issue, open } = world;
    await put(await issue(1));
    const files = await open();
    assert.equal(days(files), 1);
    await look();
    assert.equal(days(files), 1);

    await put(await issue(2));
    await look();
    assert.equal(days(files), 1);
    await look();
    assert.equal(days(files), 2);
    const changed = "info certificate changed fullchain.pem 2026-01-03T00:00:00.000Z";
    assert.deepEqual(said(world), [changed]);
    await look();
    assert.equal(said(world).length, 1);
  },
);

testFiles("while it is being written it is not read", async (world) => {
  const { look, put, issue, open, paths } = world;
  await put(await issue(1));
  const files = await open();
  const { certificate, key } = await issue(2);
  // Each time it is another half.
  for (const length of [100, 300, certificate.length]) {
    await Deno.writeTextFile(paths.certificate, certificate.slice(0, length));
    await look();
  }
  await Deno.writeTextFile(paths.key, key);
  await look();
  assert.equal(days(files), 1);
  await look();
  assert.equal(days(files), 2);
  assert.equal(said(world).length, 1);
});

/** What may come into the place of a pair, and what is said of it. */
const BROKEN: Readonly<
  Record<string, readonly [act: (world: World) => Promise<void>, said: RegExp]>
> = {
  "a key of another certificate": [
    async ({ issue, paths }) => Deno.writeTextFile(paths.certificate, (await issue(2)).certificate),
    /^error certificate refused privkey\.pem is not the key of the first certificate/,
  ],
  "a certificate that was cut off": [
    async ({ issue, paths }) => {
      const { certificate } = await issue(2);
      await Deno.writeTextFile(paths.certificate, certificate.slice(0, -100));
    },
    /^error certificate refused fullchain\.pem is damaged or cut off$/,
  ],
  "an empty key": [
    ({ paths }) => Deno.writeTextFile(paths.key, ""),
    /^error certificate refused privkey\.pem must hold one PEM key /,
  ],
  "a missing key": [
    ({ paths }) => Deno.remove(paths.key),
    /^error certificate refused privkey\.pem there is no such file$/,
  ],
  "a directory": [
    async ({ paths }) => {
      await Deno.remove(paths.certificate);
      await Deno.mkdir(paths.certificate);
    },
    /^error certificate refused fullchain\.pem is a directory or a device, not a file$/,
  ],
  "a link to nothing": [
    async ({ paths }) => {
      await Deno.remove(paths.certificate);
      await Deno.symlink("nowhere", paths.certificate);
    },
    /^error certificate refused fullchain\.pem there is no such file$/,
  ],
  "a pair that no handshake succeeds with": [
    async ({ put }) => put(await makePair("-newkey", "rsa:1024")),
    /^error certificate refused privkey\.pem is of no use for TLS, /,
  ],
};

for (const [what, [act, words]] of Object.entries(BROKEN)) {
  testFiles(
    `${what}: it is told once, the old pair stays, a good one later is taken`,
    async (world) => {
      const { look, put, issue, open, paths } = world;
      await put(await issue(1));
      const files = await open();
      await act(world);
      for (let i = 0; i < 5; i++) await look();
      assert.equal(days(files), 1);
      assert.equal(said(world).length, 1);
      assert.match(said(world)[0]!, words);

      await Deno.remove(paths.certificate, { recursive: true });
      await put(await issue(3));
      for (let i = 0; i < 3; i++) await look();
      assert.equal(days(files), 3);
      assert.equal(said(world).length, 2);
    },
  );
}

testFiles("another broken pair is told of again", async (world) => {
  const { look, put, issue, open, paths } = world;
  await put(await issue(1));
  await open();
  for (const text of ["broken\n", "broken again\n"]) {
    await Deno.writeTextFile(paths.key, text);
    for (let i = 0; i < 3; i++) await look();
  }
  assert.equal(said(world).length, 2);
});

testFiles(
  "a pair that may not be read is taken once it may, though nothing else changes",
  async (world) => {
    const { look, put, issue, open, paths } = world;
    await put(await issue(1));
    const files = await open();
    await put(await issue(2));
    await Deno.chmod(paths.key, 0);
    for (let i = 0; i < 3; i++) await look();
    assert.equal(days(files), 1);
    assert.match(said(world)[0]!, /refused privkey\.pem may not be read, check its permissions/);
    await Deno.chmod(paths.key, 0o400);
    await look();
    assert.equal(days(files), 2);
  },
  Deno.uid() === 0 ? "root may read everything" : undefined,
);

testFiles("links whose targets change are followed, one after the other", async (world) => {
  const { look, issue, open, folder, paths } = world;
  await Deno.mkdir(`${folder}/archive/me.example`, { recursive: true });
  await Deno.mkdir(`${folder}/live/me.example`, { recursive: true });
  const linked = {
    certificate: `${folder}/live/me.example/fullchain.pem`,
    key: `${folder}/live/me.example/privkey.pem`,
  };
  const renew = async (number: number) => {
    const pair = await issue(number);
    for (const part of ["certificate", "key"] as const) {
      const name = linked[part].replace(/.*\/(.*)\.pem$/, `$1${number}.pem`);
      await Deno.writeTextFile(`${folder}/archive/me.example/${name}`, pair[part]);
      await Deno.symlink(`../../archive/me.example/${name}`, `${linked[part]}.new`);
      await Deno.rename(`${linked[part]}.new`, linked[part]);
    }
  };
  await renew(1);
  // The name that is configured is a link itself.
  await Deno.symlink(linked.certificate, paths.certificate);
  await Deno.symlink("live/me.example/privkey.pem", paths.key);
  const files = await open();
  assert.equal(days(files), 1);
  await renew(2);
  await look();
  await look();
  assert.equal(days(files), 2);
});

testFiles("a pair that is put back is no change", async (world) => {
  const { look, put, issue, open, paths } = world;
  await put(await issue(1));
  const files = await open();
  const { current } = files;
  await Deno.rename(paths.key, `${paths.key}.away`);
  await look();
  await Deno.rename(`${paths.key}.away`, paths.key);
  for (let i = 0; i < 3; i++) await look();
  assert.equal(files.current, current);
  assert.deepEqual(said(world), []);
});

testFiles("after its close nothing is looked at any more", async ({ clock, put, issue, open }) => {
  await put(await issue(1));
  const files = await open();
  assert.equal(clock.pending, 1);
  files.close();
  assert.equal(clock.pending, 0);
  files.close();
});

testFiles("a close during a look is the end too", async ({ clock, put, issue, open }) => {
  await put(await issue(1));
  const files = await open();
  clock.advance(LOOK);
  files.close();
  // It would have come to its end by then.
  await Deno.stat("/");
  await until(
    "some time",
    (() => {
      let rounds = 0;
      return () => ++rounds > 3;
    })(),
  );
  assert.equal(clock.pending, 0);
});

const UNUSABLE: Readonly<Record<string, readonly [act: BrokenAct, setting: string, RegExp]>> = {
  "a missing certificate": [
    ({ paths }) => Deno.remove(paths.certificate),
    "TLS_CERT",
    /\/fullchain\.pem: there is no such file$/,
  ],
  "no certificate": [
    ({ paths }) => Deno.writeTextFile(paths.certificate, "none\n"),
    "TLS_CERT",
    /\/fullchain\.pem: holds no PEM certificate$/,
  ],
  "no key": [
    ({ paths }) => Deno.writeTextFile(paths.key, "none\n"),
    "TLS_KEY",
    /\/privkey\.pem: must hold one PEM key and nothing else: RSA /,
  ],
  "a pair that no handshake succeeds with": [
    async ({ put }) => put(await makePair("-newkey", "rsa:1024")),
    "TLS_KEY",
    /\/privkey\.pem: is of no use for TLS, the key must be RSA of 2048 bits/,
  ],
};
type BrokenAct = (world: World) => Promise<void>;

for (const [what, [act, setting, words]] of Object.entries(UNUSABLE)) {
  testFiles(`at first ${what} is an error of its setting`, async (world) => {
    await world.put(await world.issue(1));
    await act(world);
    const error = await world.open().then(() => undefined, (error) => error);
    assert.ok(error instanceof SettingError, String(error));
    assert.equal(error.setting, setting);
    assert.match(error.message, words);
    assert.equal(world.clock.pending, 0);
  });
}
