/** Waiting for what no single text in a log shows. */

import type { Daemon } from "./daemon.ts";

/** Milliseconds between two looks, and until it is given up. */
const PAUSE = 20;
const PATIENCE = 20_000;

/** Looks until there is something, and returns it. Rejects after `patience` milliseconds. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  patience = PATIENCE,
): Promise<T> {
  for (let waited = 0;; waited += PAUSE) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (waited >= patience) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** Returns the first line of a daemon's log that shows all of these, as soon as there is one. */
export function loggedLine(daemon: Pick<Daemon, "log">, ...texts: string[]): Promise<string> {
  return until(`a line with ${texts.join(" and ")} in:\n${daemon.log()}`, () => {
    return daemon.log().split("\n").find((line) => texts.every((text) => line.includes(text)));
  });
}
