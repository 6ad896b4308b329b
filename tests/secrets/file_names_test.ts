/** No file is called as anybody on the wire says: names are configured, or made by the daemon (BUG-27). */

import assert from "node:assert/strict";
import { type Daemon, NOWHERE, startDaemon } from "../support/daemon.ts";
import { makeFolder } from "../support/folder.ts";
import { skippable } from "../support/programs.ts";
import { RawClient } from "../support/raw_client.ts";
import { noStrace, readTrace, underStrace } from "../support/strace.ts";
import { TEXT } from "../support/submit.ts";
import { queue } from "../support/waiting.ts";

/** In all that is said, so that a path made of it gives itself away. */
const MARK = "evil";

const LOCAL_PARTS = [
  "../../evil",
  "/etc/evil",
  "evil/x",
  "..",
  "..\\evil",
  "%2e%2e%2fevil",
  "evil\0",
  "jones/../evil",
  "jones+../../evil",
  "jones+evil/..",
  "+/../evil",
  "~evil",
  "$(touch evil)",
  "`touch evil`",
  ";touch evil;",
  "|touch evil",
  "evil\nx",
  "evil\r\nDATA",
  "-evil",
  "*evil?",
  "tmp/evil",
  "new/evil",
  "evil:2,S",
  "evil,S=1",
  "evil.json",
  "lock",
  "policies.json",
  "evil".repeat(16),
  "evil".repeat(100),
  "\x1b[2Jevil",
  "\xff\xfeevil",
  "\xe2\x80\xaeevil",
];

const DOMAINS = [
  "me.example",
  "far.example",
  "evil.example",
  "[evil:../../evil]",
  "me.example/../evil",
  "[127.0.0.1]",
];

/** What stands in the angle brackets: in quotes, by backslashes, and as it is. */
const PATHS = LOCAL_PARTS.flatMap((localPart) => {
  const quoted = `"${localPart.replace(/["\\]/g, "\\$&")}"`;
  return [
    ...DOMAINS.map((domain) => `${quoted}@${domain}`),
    `${localPart.replace(/[^a-z]/g, "\\$&")}@me.example`,
    `${localPart}@me.example`,
  ];
});

/** Says these to a daemon, each as both paths of a message that jones gets too. */
async function sayAll(
  port: number,
  paths: readonly string[],
): Promise<{ senders: number; recipients: number }> {
  const counts = { senders: 0, recipients: 0 };
  for (const path of paths) {
    const client = await RawClient.connect(port);
    const say = async (line: string) => {
      await client.send(Uint8Array.from(`${line}\r\n`, (character) => character.charCodeAt(0)));
      return await client.reply() ?? "";
    };
    try {
      await client.reply();
      assert.match(await say("EHLO [evil:../../evil]"), /^250-/);
      if ((await say(`MAIL FROM:<${path}>`)).startsWith("250 ")) counts.senders++;
      else await say("MAIL FROM:<evil@evil.example>");
      if ((await say(`RCPT TO:<${path}>`)).startsWith("250 ")) counts.recipients++;
      await say("RCPT TO:<jones@me.example>");
      // What holds CR LF is two commands, and their replies come one too late.
      if (!(await say("DATA")).startsWith("354 ")) continue;
      assert.match(await say(`${TEXT}../../evil\r\n.`), /^250 2\.0\.0 OK/);
    } finally {
      client.close();
    }
  }
  return counts;
}

/** Below the daemon's folder. */
const OWN_NAMES = [
  /^(mail|user)\.conf$/,
  /^mail$/,
  /^mail\/(jones|all)(\/(tmp|new|cur))?$/,
  // Those by which a directory is tried out begin with a period.
  /^mail\/(jones|all)\/(tmp|new)\/\.?\d+\.M\d+P\d+Q\d+R[0-9a-f]{8}\.[\w.\\-]+(,S=\d+)?$/,
  /^(.*\/)?\.denosmtpd(-[\w-]+)?$/,
  /^spool(\/(lock|policies\.json|tmp|queue|damaged|requests))?$/,
  /^spool\/queue\/[0-9a-z]{15}\.(eml|json)$/,
  /^spool\/tmp\/(receiver|relay)[\d-]+-([0-9a-z]{15}\.(eml|json)|policies\.json)$/,
  /^spool\/journal-\d+$/,
  /^spool\/requests\/(retry-all|(retry|remove)-[0-9a-z]{15})$/,
];

function isOwn(path: string): boolean {
  return OWN_NAMES.some((name) => name.test(path)) && !path.includes(MARK);
}

async function* namesBelow(folder: string, above = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${above}`)) {
    yield above + name;
    if (isDirectory) yield* namesBelow(folder, `${above}${name}/`);
  }
}

async function askForAll(daemon: Daemon): Promise<void> {
  for (const action of ["show", "retry", "remove"]) {
    const ids = ["../../evil", "/etc/evil", "..", "evil", "evil\x1b[2J"];
    const { code, err } = await queue(daemon, action, ...ids);
    assert.equal(code, 1);
    assert.equal(err.match(/there is no such message/g)?.length, ids.length);
  }
}

const OPTIONS = { mail: NOWHERE, users: "jones:mail/jones\n*:mail/all\n" };

Deno.test("hostile addresses leave no file but those that the daemon names (BUG-27)", async () => {
  await using daemon = await startDaemon(OPTIONS);
  assert.ok(PATHS.length > 200);
  const counts = await sayAll(daemon.port, PATHS);
  // Many are addresses as good as others.
  assert.ok(counts.senders > 100, String(counts.senders));
  assert.ok(counts.recipients > 100, String(counts.recipients));
  await askForAll(daemon);
  const names = await Array.fromAsync(namesBelow(daemon.folder));
  assert.ok(names.length > 300);
  assert.deepEqual(names.filter((name) => !isOwn(name)), []);
});

Deno.test({
  ...skippable("nor does the system hear of another one", noStrace),
  fn: async () => {
    await using home = await makeFolder();
    const file = `${home.path}/trace`;
    await using daemon = await startDaemon({ ...OPTIONS, under: underStrace(file) });
    // One of each kind will do, as it takes longer.
    await sayAll(daemon.port, PATHS.filter((_, i) => i % 3 === 0));
    assert.equal((await daemon.stop()).code, 0);
    await daemon.logged(" info stopped");
    const { files } = await readTrace(file, daemon.folder);
    const own = `${daemon.folder}/`;
    const paths = new Set(files.map(({ path }) => path));
    assert.deepEqual([...paths].filter((path) => path.includes(MARK)), []);
    const below = [...paths].filter((path) => path.startsWith(own));
    assert.ok(below.length > 200);
    assert.deepEqual(below.filter((path) => !isOwn(path.slice(own.length))), []);
  },
});
