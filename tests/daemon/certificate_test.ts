/** The daemon's certificate: broken at the start, broken or renewed at a reload, renewed by itself. */

import assert from "node:assert/strict";
import * as tls from "node:tls";
import { type Issued, makeAuthority } from "../support/authority.ts";
import { type Daemon, readMailbox, startDaemon } from "../support/daemon.ts";
import { makeFolder } from "../support/folder.ts";
import { makePair } from "../support/key_pair.ts";
import { missing, missingOrNotRoot, skippable, testWith } from "../support/programs.ts";
import { RawClient } from "../support/raw_client.ts";
import { reload } from "../support/reload.ts";
import { run } from "../support/run.ts";
import { until } from "../support/until.ts";

const NAMES = ["localhost"];
const MAIL = "TLS_CERT = tls.crt\nTLS_KEY = tls.key\nSUBMISSIONS_PORT = 0\n";
/** New connections in a row after which every thread of two has had some, but for one time in a million. */
const ENOUGH = 20;

/** A daemon whose certificate is of an authority that only clients of the test trust. */
function start({ certificate, key }: Issued, mail = ""): Promise<Daemon> {
  return startDaemon({ mail: MAIL + mail, files: { "tls.crt": certificate, "tls.key": key } });
}

async function put({ folder }: Daemon, { certificate, key }: Issued): Promise<void> {
  await Deno.writeTextFile(`${folder}/tls.crt`, certificate);
  await Deno.writeTextFile(`${folder}/tls.key`, key);
}

/** The serial number of the certificate that a new client gets. */
function serialNumber(daemon: Daemon): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const port = daemon.portFor("submissions");
  const socket = tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  socket.once("secureConnect", () => {
    resolve(socket.getPeerCertificate().serialNumber);
    socket.destroy();
  });
  socket.once("error", reject);
  return promise;
}

/** The same of several clients, each once. */
async function serialNumbers(daemon: Daemon): Promise<string[]> {
  const all = new Set<string>();
  for (let i = 0; i < ENOUGH; i++) all.add(await serialNumber(daemon));
  return [...all];
}

/** A client in the middle of a transaction, under the certificate of this authority. */
async function begun({ port }: Daemon, authority: string): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await client.reply();
  assert.match(await client.command("EHLO client.example") ?? "", /^250[- ]STARTTLS$/m);
  assert.match(await client.command("STARTTLS") ?? "", /^220 /);
  await client.secure({ hostname: NAMES[0]!, caCerts: [authority] });
  await client.command("EHLO client.example");
  await client.command("MAIL FROM:<a@b.example>");
  assert.match(await client.command("RCPT TO:<jones@me.example>") ?? "", /^250 /);
  return client;
}

async function finished(client: RawClient): Promise<void> {
  assert.match(await client.command("DATA") ?? "", /^354 /);
  assert.match(await client.command("Subject: Hi\r\n\r\nHi\r\n.") ?? "", /^250 /);
  assert.match(await client.command("QUIT") ?? "", /^221 /);
  client.close();
}

testWith(
  ["openssl"],
  "a renewed certificate is for new clients of all threads, without a word to the daemon",
  async () => {
    await using authority = await makeAuthority();
    const first = await authority.issue(NAMES);
    await using daemon = await start(first, "WORKERS = 2\n");
    const client = await begun(daemon, authority.certificate);
    const [old, ...others] = await serialNumbers(daemon);
    assert.deepEqual(others, []);

    await put(daemon, await authority.issue(NAMES));
    await until("the renewed certificate", async () => await serialNumber(daemon) !== old);
    await until("it from every thread", async () => !(await serialNumbers(daemon)).includes(old!));
    assert.equal((await serialNumbers(daemon)).length, 1);
    assert.match(daemon.log(), / info certificate changed file=tls\.crt until=\d{4}-/);
    assert.doesNotMatch(daemon.log(), / info reloaded /);

    await finished(client);
    assert.equal((await readMailbox(`${daemon.folder}/mail/jones`)).length, 1);
    assert.equal((await daemon.stop()).code, 0);
  },
);

testWith(["openssl"], "a SIGHUP takes a renewed certificate at once", async () => {
  await using authority = await makeAuthority();
  await using daemon = await start(await authority.issue(NAMES), "WORKERS = 2\n");
  const client = await begun(daemon, authority.certificate);
  const [old] = await serialNumbers(daemon);

  await put(daemon, await authority.issue(NAMES));
  assert.match(await reload(daemon), / info reloaded /);
  const renewed = await serialNumbers(daemon);
  assert.equal(renewed.length, 1);
  assert.notEqual(renewed[0], old);
  await finished(client);
});

for (const workers of [1, 2]) {
  testWith(
    ["openssl"],
    `a SIGHUP refuses a broken pair, and the old one serves on (WORKERS = ${workers})`,
    async () => {
      await using authority = await makeAuthority();
      const first = await authority.issue(NAMES);
      await using daemon = await start(first, `WORKERS = ${workers}\n`);
      const [old] = await serialNumbers(daemon);

      await put(daemon, { ...await authority.issue(NAMES), key: first.key });
      assert.match(
        await reload(daemon),
        / error configuration refused problem="mail\.conf:\d+: TLS_KEY: tls\.key: is not the key of /,
      );
      assert.deepEqual(await serialNumbers(daemon), [old]);
      await Deno.remove(`${daemon.folder}/tls.crt`);
      assert.match(
        await reload(daemon),
        / error configuration refused problem="mail\.conf:\d+: TLS_CERT: tls\.crt: there is no such file"/,
      );
      assert.deepEqual(await serialNumbers(daemon), [old]);

      await put(daemon, await authority.issue(NAMES));
      assert.match(await reload(daemon), / info reloaded /);
      assert.equal((await serialNumbers(daemon)).includes(old!), false);
      assert.equal((await daemon.stop()).code, 0);
    },
  );
}

testWith(["openssl"], "a SIGHUP brings TLS, and takes it away again", async () => {
  await using daemon = await startDaemon();
  const { certificate, key } = await makePair();
  await put(daemon, { certificate, key });
  const offers = async () => {
    const client = await RawClient.connect(daemon.port);
    await client.reply();
    const reply = await client.command("EHLO client.example");
    client.close();
    return /^250[- ]STARTTLS$/m.test(reply ?? "");
  };
  assert.equal(await offers(), false);
  assert.match(
    await reload(daemon, { mail: "TLS_CERT = tls.crt\nTLS_KEY = tls.key" }),
    / info reloaded /,
  );
  assert.equal(await offers(), true);
  const file = `${daemon.folder}/mail.conf`;
  const lines = (await Deno.readTextFile(file)).split("\n");
  await Deno.writeTextFile(file, lines.filter((line) => !line.startsWith("TLS_")).join("\n"));
  assert.match(await reload(daemon), / info reloaded /);
  assert.equal(await offers(), false);
});

/** Fails unless the start ends with 2 and this one line. */
async function assertRefused(
  { certificate, key }: Issued,
  line: RegExp,
  { workers = 1, under = [], owner }: {
    readonly workers?: number;
    readonly under?: readonly string[];
    /** Of the key, which nobody else may read. */
    readonly owner?: number;
  } = {},
): Promise<void> {
  await using folder = await makeFolder();
  const { path } = folder;
  await Deno.writeTextFile(`${path}/tls.crt`, certificate);
  await Deno.writeTextFile(`${path}/tls.key`, key, { mode: 0o400 });
  if (owner !== undefined) await Deno.chown(`${path}/tls.key`, owner, owner);
  const mail = `HOSTNAME = me.example\nLISTEN_PORT = 0\nWORKERS = ${workers}\n${MAIL}`;
  await Deno.writeTextFile(`${path}/mail.conf`, mail);
  await Deno.writeTextFile(`${path}/user.conf`, "jones:mail/jones\n");
  const { code, out, err } = await run(["mail.conf", "user.conf"], { cwd: path, under });
  assert.match(err, line);
  assert.equal(err.trimEnd().split("\n").length, 1, err);
  assert.deepEqual([code, out], [2, ""]);
}

for (const workers of [1, 2]) {
  testWith(
    ["openssl"],
    `a pair that cannot be used keeps the daemon from serving (WORKERS = ${workers})`,
    async () => {
      const { certificate, key } = await makePair();
      const none = /^denosmtpd: mail\.conf:4: TLS_CERT: tls\.crt: holds no PEM certificate\n$/;
      await assertRefused({ certificate: "none\n", key }, none, { workers });
      const damaged = /^denosmtpd: mail\.conf:4: TLS_CERT: tls\.crt: is damaged or cut off\n$/;
      await assertRefused({ certificate: certificate.slice(0, 200), key }, damaged, { workers });
      const noKey =
        /^denosmtpd: mail\.conf:5: TLS_KEY: tls\.key: must hold one PEM key .* Ed25519\n$/;
      await assertRefused({ certificate, key: "" }, noKey, { workers });
      const useless =
        /^denosmtpd: mail\.conf:5: TLS_KEY: tls\.key: is of no use for TLS, .*2048 bits/;
      await assertRefused(await makePair("-newkey", "rsa:1024"), useless, { workers });
    },
  );
}

const NAME = "a key that the daemon's user may not read keeps it from serving";

Deno.test({
  ...skippable(NAME, missing(["openssl"]) ?? missingOrNotRoot(["setpriv"])),
  fn: async () => {
    const line =
      /^denosmtpd: mail\.conf:5: TLS_KEY: tls\.key: may not be read, check its permissions/;
    // Without any capability root is a user like others.
    const under = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    await assertRefused(await makePair(), line, { under, owner: 65534 });
  },
});
