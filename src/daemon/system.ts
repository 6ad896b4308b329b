/** What presets of the configuration take from the system the daemon runs on. */

import { canonicalIp } from "../smtp/ip.ts";
import type { SystemFacts } from "../config/mail_conf.ts";

/** Asked for once: after its start the daemon may not read the environment any more. */
let state: { readonly directory: string | undefined } | undefined;

export const system: SystemFacts = {
  hostName: () => Deno.hostname(),
  addresses: () => Deno.networkInterfaces().flatMap(({ address }) => canonicalIp(address) ?? []),
  stateDirectory: () => (state ??= { directory: Deno.env.get("STATE_DIRECTORY") }).directory,
};
