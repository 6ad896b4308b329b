/** Waiting for mail where it ends, without being in the way of those who bring it. */

import { processorTime } from "./family.ts";

/** What has come somewhere so far. */
export interface Arrival {
  readonly count: number;
  /** When the last one came, in milliseconds of Unix time. */
  readonly last: number;
}

/** Milliseconds after which nothing more is expected. */
const PATIENCE = 30_000;
/** Milliseconds between two looks at a counter, and at whether somebody is idle. */
const PAUSE = 5;
const IDLE_PAUSE = 100;
/** Milliseconds for what is still to be done when all has been sent. */
const IDLE_PATIENCE = 300_000;
/** So many looks in which somebody did nothing. */
const IDLE_LOOKS = 4;
/** Of the time, that looking may take at most. */
const SHARE = 1 / 20;

/** The new messages of these Maildirs. */
export function arrivedIn(maildirs: readonly string[]): Arrival {
  const found = maildirs.map((maildir) => {
    const path = `${maildir}/new`;
    // That is when its last entry was made, as nobody takes one out.
    const last = timeOf(path);
    return { count: last === undefined ? 0 : [...Deno.readDirSync(path)].length, last: last ?? 0 };
  });
  return {
    count: found.reduce((sum, { count }) => sum + count, 0),
    last: Math.max(...found.map(({ last }) => last)),
  };
}

/** Undefined where it is not there, as a Maildir before its first message. */
function timeOf(path: string): number | undefined {
  try {
    return Deno.statSync(path).mtime?.getTime();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Looks until so many have come, or until for half a minute none has; returns what the last look saw.
 * Looks the more seldom the longer each takes.
 */
export async function awaitArrival(expected: number, look: () => Arrival): Promise<Arrival> {
  for (let best = -1, since = performance.now();;) {
    const before = performance.now();
    const arrival = look();
    const now = performance.now();
    if (arrival.count >= expected) return arrival;
    if (arrival.count > best) [best, since] = [arrival.count, now];
    if (now - since > PATIENCE) return arrival;
    await pause(Math.max(PAUSE, (now - before) / SHARE));
  }
}

/** Waits until a process and all that come from it have nothing to do. Rejects where that never comes. */
export async function idle(pid: number): Promise<void> {
  let [last, looks] = [-1, 0];
  for (const begun = performance.now(); looks < IDLE_LOOKS;) {
    if (performance.now() - begun > IDLE_PATIENCE) throw new Error(`process ${pid} is never idle`);
    const now = processorTime(pid);
    looks = now === last ? looks + 1 : 0;
    last = now;
    await pause(IDLE_PAUSE);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
