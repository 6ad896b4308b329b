/** Peers that keep mail in `mail/` of their folder, and are never told to go on. */

import { freePort } from "../../support/free_port.ts";
import { makeMaildirs } from "./maildirs.ts";
import type { Peer, Setup } from "./peer.ts";
import { type RunningProgram, startProgram } from "./program.ts";

/** Such a program as it runs. */
export function keeper(
  { folder }: Setup,
  port: number,
  { pid, [Symbol.asyncDispose]: dispose }: RunningProgram,
): Peer {
  return {
    port,
    pid,
    mailbox: (localPart) => `${folder}/mail/${localPart}`,
    retry: () => Promise.resolve(),
    [Symbol.asyncDispose]: dispose,
  };
}

/** A library's script beside this file, whose words are its port and the folder of its Maildirs. */
export async function startScript(
  program: string,
  script: string,
  setup: Setup,
): Promise<Peer> {
  const { folder, mailboxes } = setup;
  const port = freePort();
  await makeMaildirs(`${folder}/mail`, mailboxes);
  const path = new URL(script, import.meta.url).pathname;
  const command = [program, path, String(port), `${folder}/mail`];
  return keeper(setup, port, await startProgram({ command, port, log: `${folder}/log` }));
}
