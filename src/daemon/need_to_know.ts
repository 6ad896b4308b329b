/** What of the configuration each thread is told: no secret that it has no use for. */

import type { Configuration } from "../config/configuration.ts";

/** For receivers, which check passwords, but log in nowhere. */
export function forReceivers({ relayLogin: _, ...configuration }: Configuration): Configuration {
  return configuration;
}

/** For the relay, which logs in, but checks nobody's password. */
export function forRelay({ users, ...configuration }: Configuration): Configuration {
  return { ...configuration, users: users.map((user) => ({ ...user, hash: undefined })) };
}
