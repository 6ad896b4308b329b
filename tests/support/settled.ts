/** Waiting for what comes of something by itself. */

import { setImmediate } from "node:timers";

/** Returns when no promise can go on without something from outside. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
