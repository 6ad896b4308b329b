/**
 * The executable with a certificate. One that was made with an older Deno cannot do TLS as a server: it
 * says so rather than doing it wrongly.
 */

import assert from "node:assert/strict";
import { TLS_SETTINGS } from "../support/certificate.ts";
import { startDaemon } from "../support/daemon.ts";
import { EXECUTABLE, notCompiled } from "../support/executable.ts";
import { makeFolder } from "../support/folder.ts";
import { RawClient } from "../support/raw_client.ts";
import { reload } from "../support/reload.ts";
import { skippable } from "../support/programs.ts";

const WHY = /made with Deno \d+\.\d+\.\d+, which cannot do TLS as a server; 2\.7\.13 and later can/;

function testCompiled(name: string, fn: () => Promise<void>): void {
  Deno.test({ ...skippable(name, notCompiled()), fn });
}

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the executable with these words and the files of a configuration, to its end. */
async function run(words: readonly string[], mail: string): Promise<Outcome> {
  await using folder = await makeFolder();
  const head = "HOSTNAME = me.example\nLISTEN_PORT = 0\nNAME_SERVER = 127.0.0.1:1\n";
  await Deno.writeTextFile(`${folder.path}/mail.conf`, `${head}${mail}\n`);
  await Deno.writeTextFile(`${folder.path}/user.conf`, "jones:mail/jones\n");
  const { code, stdout, stderr } = await new Deno.Command(EXECUTABLE, {
    args: [...words, "mail.conf", "user.conf"],
    cwd: folder.path,
    clearEnv: true,
    stdin: "null",
    signal: AbortSignal.timeout(30_000),
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** What `check` says of STARTTLS where there is a certificate, undefined where it is offered. */
async function whyNot(): Promise<string | undefined> {
  const { out } = await run(["check"], TLS_SETTINGS);
  return /^WRONG +STARTTLS: not offered: (.*)$/m.exec(out)?.[1];
}

testCompiled(
  "it offers STARTTLS, or says at each start and reload once why not, as check does",
  async () => {
    await using daemon = await startDaemon({ command: [EXECUTABLE], mail: TLS_SETTINGS });
    const why = await whyNot();
    if (why !== undefined) assert.match(why, WHY);
    const client = await RawClient.connect(daemon.port);
    await client.reply();
    const reply = await client.command("EHLO client.example") ?? "";
    assert.equal(/^250[- ]STARTTLS$/m.test(reply), why === undefined, reply);
    if (why !== undefined) assert.match(await client.command("STARTTLS") ?? "", /^502 /);
    assert.match(await client.command("QUIT") ?? "", /^221 /);
    client.close();
    const lines = () => daemon.log().match(/ warn STARTTLS not offered reason=.*/g) ?? [];
    const said = why === undefined ? [] : [` warn STARTTLS not offered reason="${why}"`];
    assert.deepEqual(lines(), said);
    assert.match(await reload(daemon), / info reloaded /);
    assert.deepEqual(lines(), [...said, ...said]);
    assert.equal((await daemon.stop()).code, 0);
  },
);

for (const name of ["SUBMISSION_PORT", "SUBMISSIONS_PORT"]) {
  testCompiled(
    `with ${name} it serves there, or ends with 2 and one line that says why`,
    async () => {
      const mail = `${TLS_SETTINGS}\n${name} = 0`;
      if (await whyNot() === undefined) {
        await using daemon = await startDaemon({ command: [EXECUTABLE], mail });
        const service = name === "SUBMISSION_PORT" ? "submission" : "submissions";
        assert(daemon.portFor(service) > 0);
        return;
      }
      for (const words of [[], ["check"]]) {
        const { code, out, err } = await run(words, mail);
        assert.deepEqual([code, out], [2, ""], err);
        assert.match(
          err,
          new RegExp(`^denosmtpd: mail\\.conf:6: ${name}: this program was ${WHY.source}\n$`),
        );
      }
    },
  );
}
