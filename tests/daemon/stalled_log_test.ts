/** A log that nobody reads stops neither mail nor the daemon's end. */

import assert from "node:assert/strict";
import { COMMAND } from "../support/daemon.ts";
import { freePort } from "../support/free_port.ts";
import { testWith } from "../support/programs.ts";
import { RawClient } from "../support/raw_client.ts";

/** More lines than a pipe holds. */
const CONNECTIONS = 700;

testWith(
  ["mkfifo"],
  "with standard output a full pipe, clients are served and SIGTERM ends it",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
    const port = freePort();
    await Deno.writeTextFile(
      `${folder}/mail.conf`,
      `HOSTNAME = me.example\nLISTEN_PORT = ${port}\n`,
    );
    await Deno.writeTextFile(`${folder}/user.conf`, "jones:mail/jones\n");
    const pipe = `${folder}/pipe`;
    assert.ok((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success);
    // Open for reading, so that the daemon may write, and never read.
    const reader = await Deno.open(pipe, { read: true, write: true });
    const [program, ...words] = COMMAND;
    const process = new Deno.Command("sh", {
      args: ["-c", `exec "$0" "$@" >pipe`, program!, ...words, "mail.conf", "user.conf"],
      cwd: folder,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      for (let i = 0; i < CONNECTIONS; i++) {
        const client = await connect(port);
        assert.match(await client.reply() ?? "", /^220 /);
        assert.match(await client.command("QUIT") ?? "", /^221 /);
        client.close();
      }
      const idle = await connect(port);
      assert.match(await idle.reply() ?? "", /^220 /);
      process.kill("SIGTERM");
      assert.match(await idle.reply() ?? "", /^421 /);
      idle.close();
      assert.equal((await process.status).code, 0);
    } finally {
      kill(process);
      await process.status;
      reader.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
);

/** Tries until the daemon listens. */
async function connect(port: number): Promise<RawClient> {
  for (let tries = 1;; tries++) {
    try {
      return await RawClient.connect(port);
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused) || tries === 100) throw error;
      await pause(50);
    }
  }
}

function kill(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch (error) {
    // It has ended already.
    if (!(error instanceof TypeError)) throw error;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
