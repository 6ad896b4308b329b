/** What presets of the configuration take from the system the daemon runs on. */

import { canonicalIp } from "../smtp/ip.ts";
import type { SystemFacts } from "../config/mail_conf.ts";

export const system: SystemFacts = {
  hostName: () => Deno.hostname(),
  addresses: () => Deno.networkInterfaces().flatMap(({ address }) => canonicalIp(address) ?? []),
  stateDirectory: () => Deno.env.get("STATE_DIRECTORY"),
};
