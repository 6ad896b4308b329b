/** How much of the machine others have had while something was measured. */

import { parseStat } from "../family.ts";

/** Of `/proc`: the same on every Linux that Deno runs on. */
const TICKS_PER_SECOND = 100;
/** From this share on, rates tell more of the others than of what was measured. */
const MUCH = 0.1;

/** Looks from its making on. */
export class Others {
  readonly #since = performance.now();
  readonly #busy = machineTime();
  readonly #own = ownTime();

  /** The share of all processors' time that neither this process had nor those that it has ended. */
  share(): number {
    const seconds = (performance.now() - this.#since) / 1000 * navigator.hardwareConcurrency;
    const others = machineTime() - this.#busy - (ownTime() - this.#own);
    return Math.max(0, others / seconds);
  }

  /** What to say of it; undefined where it was little. */
  warning(): string | undefined {
    const share = this.share();
    if (share < MUCH) return undefined;
    const percent = (share * 100).toFixed(0);
    return `Others had ${percent} % of the processors meanwhile: measure again where they have none.`;
  }
}

/** Seconds that the processors have worked, or would have if other machines had left them (proc_stat(5)). */
export function busySeconds(stat: string): number {
  const [user, nice, system, , , irq, softirq, steal] = stat.split("\n")[0]!.split(/\s+/).slice(1);
  const ticks = [user, nice, system, irq, softirq, steal].map(Number);
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND;
}

function machineTime(): number {
  return busySeconds(Deno.readTextFileSync("/proc/stat"));
}

function ownTime(): number {
  return parseStat(Deno.readTextFileSync("/proc/self/stat")).seconds;
}
