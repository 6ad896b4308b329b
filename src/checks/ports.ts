/** Whether the daemon could listen where it shall, or does already. */

import type { Configuration } from "../config/configuration.ts";
import type { Problem } from "../config/problem.ts";
import { tryListening } from "../daemon/ports.ts";
import { isSpoolLocked } from "../daemon/spool.ts";
import { listenAddresses, printHostPort } from "../receiver/listener.ts";
import { type Finding, good, join } from "./finding.ts";

export interface PortsFound {
  /** What would keep the daemon from serving. */
  readonly problems: readonly Problem[];
  /** Whether a daemon with the same spool has the ports. */
  readonly serving: boolean;
}

export async function tryPorts(configuration: Configuration): Promise<PortsFound> {
  const problems = tryListening(configuration);
  if (problems.length === 0) return { problems, serving: false };
  const serving = isTaken(configuration) && await hasDaemon(configuration);
  return { problems: serving ? [] : problems, serving };
}

export function checkPorts({ mail }: Configuration, { serving }: PortsFound): Finding {
  const places = listenAddresses(mail).map((address) => printHostPort(address, mail.LISTEN_PORT));
  const is = serving ? "denosmtpd listens there already" : "can be listened on";
  return good(`port ${mail.LISTEN_PORT}`, `${join(places)} ${is}`);
}

/** Whether nothing is in the way but somebody who listens there. */
function isTaken({ mail }: Configuration): boolean {
  return listenAddresses(mail).every((hostname) => {
    try {
      Deno.listen({ hostname, port: mail.LISTEN_PORT }).close();
      return true;
    } catch (error) {
      return error instanceof Deno.errors.AddrInUse;
    }
  });
}

/** A lock that cannot be looked at is not this daemon's. */
async function hasDaemon({ mail }: Configuration): Promise<boolean> {
  try {
    return await isSpoolLocked(mail.SPOOL_DIR);
  } catch {
    return false;
  }
}
