/** What presets of the configuration take from the system the daemon runs on. */

import { canonicalIp } from "../smtp/ip.ts";
import { ConfigurationError } from "../config/problem.ts";
import type { SystemFacts } from "../config/mail_conf.ts";

/** Asked for once: after its start the daemon may not read the environment any more. */
let state: { readonly directory: string | undefined } | undefined;

export const system: SystemFacts = {
  hostName: () => Deno.hostname(),
  addresses,
  stateDirectory: () => (state ??= { directory: Deno.env.get("STATE_DIRECTORY") }).directory,
};

/** Throws ConfigurationError where the system does not tell. */
function addresses(): string[] {
  try {
    return Deno.networkInterfaces().flatMap(({ address }) => canonicalIp(address) ?? []);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const message = `cannot be listed (a systemd unit must allow AF_NETLINK): ${error}`;
    throw new ConfigurationError([{ file: "network interfaces", message }]);
  }
}
