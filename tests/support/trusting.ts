/** A daemon that trusts a test's own authority. */

import { COMMAND } from "./daemon.ts";
import type { Authority } from "./authority.ts";
import { type Folder, makeFolder } from "./folder.ts";

export interface Trust extends AsyncDisposable {
  /** The daemon's command line. */
  readonly command: readonly string[];
}

/** Disposal removes the file that the command line names. */
export async function trusting({ certificate }: Authority): Promise<Trust> {
  const folder: Folder = await makeFolder();
  const file = `${folder.path}/authority.pem`;
  await Deno.writeTextFile(file, certificate);
  const [deno = "", run = "", ...rest] = COMMAND;
  return {
    command: [deno, run, `--cert=${file}`, ...rest],
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
