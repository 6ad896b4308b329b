/** What presets of the configuration take from the system the daemon runs on. */

import type { SystemFacts } from "../config/mail_conf.ts";

export const system: SystemFacts = {
  hostName: () => Deno.hostname(),
  stateDirectory: () => Deno.env.get("STATE_DIRECTORY"),
};
