/** How much memory a daemon has. */

import type { Daemon } from "../support/daemon.ts";

/** Resident, in octets (VmRSS). A program reads it, as Deno would want all permissions for it. */
export async function residentMemory({ process }: Pick<Daemon, "process">): Promise<number> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${process.pid}/status`] })
    .output();
  const kilobytes = /^VmRSS:\s*(\d+) kB$/m.exec(new TextDecoder().decode(stdout))?.[1];
  return Number(kilobytes) * 1024;
}
