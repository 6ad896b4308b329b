/** A pair that the daemon refuses at its start, as `check` tells it: in the same words. */

import assert from "node:assert/strict";

import { hasServerTls, NO_SERVER_TLS } from "../../src/tls/support.ts";
import type { Issued } from "../support/authority.ts";
import { makeFolder } from "../support/folder.ts";
import { makePair } from "../support/key_pair.ts";
import { missing, skippable } from "../support/programs.ts";
import { run } from "../support/run.ts";

const MAIL = "HOSTNAME = mx.test\nLISTEN_PORT = 0\nNAME_SERVER = 127.0.0.1:1\n" +
  "TLS_CERT = tls.crt\nTLS_KEY = tls.key\n";

async function refused({ certificate, key }: Issued, says: RegExp): Promise<void> {
  await using folder = await makeFolder();
  const write = (name: string, text: string) =>
    Deno.writeTextFile(`${folder.path}/${name}`, text, { mode: 0o600 });
  await write("mail.conf", MAIL);
  await write("user.conf", "jones:mail/jones\n");
  await write("tls.crt", certificate);
  await write("tls.key", key);
  const words = ["mail.conf", "user.conf"];
  const daemon = await run(words, { cwd: folder.path });
  assert.match(daemon.err, says);
  const check = await run(["check", ...words], { cwd: folder.path });
  assert.deepEqual(check, { code: 2, out: "", err: daemon.err });
  const { code, out } = await run(["check", ...words, "--json"], { cwd: folder.path });
  const { findings, problems } = JSON.parse(out);
  assert.deepEqual([code, findings, problems.length], [2, [], 1]);
}

function testPairs(name: string, fn: () => Promise<void>): void {
  const reason = hasServerTls ? missing(["openssl"]) : NO_SERVER_TLS;
  Deno.test({ ...skippable(name, reason), fn });
}

testPairs("a key of another certificate is a problem", async () => {
  const [one, other] = [await makePair(), await makePair()];
  const says = /^denosmtpd: mail\.conf:5: TLS_KEY: tls\.key: is not the key of the first /;
  await refused({ ...one, key: other.key }, says);
});

testPairs("a broken certificate is a problem", async () => {
  const { certificate, key } = await makePair();
  const says = /^denosmtpd: mail\.conf:4: TLS_CERT: tls\.crt: is damaged or cut off$/m;
  await refused({ certificate: certificate.slice(0, 200), key }, says);
});

testPairs("a key that is too short is a problem", async () => {
  const says = /^denosmtpd: mail\.conf:5: TLS_KEY: tls\.key: is of no use for TLS, /;
  await refused(await makePair("-newkey", "rsa:1024"), says);
});
