/** denoSMTPD: the executable, or from source. */

import { COMMAND } from "../../support/daemon.ts";
import { EXECUTABLE, notCompiled } from "../../support/executable.ts";
import { freePort } from "../../support/free_port.ts";
import type { Kind, Peer, Setup } from "./peer.ts";
import { firstLine, startProgram } from "./program.ts";

export const executable: Kind = {
  name: "denoSMTPD",
  missing: () => {
    const reason = notCompiled();
    return reason && `${reason}: deno task compile, or measure it with --source`;
  },
  version: () => versionOf([EXECUTABLE]),
  relays: true,
  start: (setup) => start([EXECUTABLE], setup),
};

export const fromSource: Kind = {
  name: "denoSMTPD (source)",
  missing: () => undefined,
  version: () => versionOf(COMMAND),
  relays: true,
  start: (setup) => start(COMMAND, setup),
};

function versionOf([program, ...words]: readonly string[]): string {
  return firstLine(program!, ...words, "--version").replace(/^denosmtpd /, "");
}

/** Writes its two files: these variables besides those that all measurements share, and these users. */
export async function configure(
  folder: string,
  variables: Readonly<Record<string, string | number>>,
  users: readonly string[],
): Promise<void> {
  const mail = {
    LISTEN_ADDR: "127.0.0.1",
    MAX_CLIENTS_PER_ADDRESS: 1000,
    // Nobody is asked.
    NAME_SERVER: "127.0.0.1:1",
    SPOOL_DIR: "spool",
    ...variables,
  };
  const lines = Object.entries(mail).map(([name, value]) => `${name} = ${value}\n`);
  await Deno.writeTextFile(`${folder}/mail.conf`, lines.join(""));
  await Deno.writeTextFile(`${folder}/user.conf`, users.map((one) => `${one}\n`).join(""));
}

async function start(command: readonly string[], setup: Setup): Promise<Peer> {
  const { folder, domain, mailboxes, nextHop } = setup;
  const port = freePort();
  await configure(folder, {
    HOSTNAME: domain,
    LISTEN_PORT: port,
    RELAY_HOST: `127.0.0.1:${nextHop ?? 1}`,
  }, mailboxes.map((one) => `${one}:mail/${one}`));
  const { pid, [Symbol.asyncDispose]: dispose } = await startProgram({
    command: [...command, "mail.conf", "user.conf"],
    cwd: folder,
    port,
    log: `${folder}/log`,
    env: environmentOfService(),
  });
  return {
    port,
    pid,
    mailbox: (localPart) => `${folder}/mail/${localPart}`,
    retry: async () => {
      const [program, ...words] = [...command, "queue", "retry", "mail.conf", "--all"];
      const run = new Deno.Command(program!, { args: words, cwd: folder });
      const { success, stderr } = await run.output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** The variables that the unit sets for the service. */
function environmentOfService(): Record<string, string> {
  const unit = Deno.readTextFileSync(new URL("../../../conf/denosmtpd.service", import.meta.url));
  const settings = unit.matchAll(/^Environment=(\w+)=(.*)$/gm);
  return Object.fromEntries([...settings].map(([, name, value]) => [name!, value!]));
}
