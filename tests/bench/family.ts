/** What Linux tells of a process and all that come from it: their processor time and memory. */

/** Of a process, out of `/proc/PID/stat`. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** Seconds of processor time, its own and that of the children it has waited for. */
  readonly seconds: number;
}

/** Of `/proc`: the same on every Linux that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** Reads `/proc/PID/stat`. Throws where that is something else. */
export function parseStat(text: string): ProcessStat {
  // The name, in brackets, may hold brackets and spaces itself.
  const match = /^(\d+) \(.*\) (.*)$/s.exec(text.trimEnd());
  const fields = match?.[2]?.split(" ") ?? [];
  // Behind the name: state, parent, ... and as 12th to 15th utime, stime, cutime, cstime.
  const ticks = fields.slice(11, 15).reduce((sum, one) => sum + Number(one), 0);
  const [pid, parent] = [Number(match?.[1]), Number(fields[1])];
  if (fields.length < 15 || [pid, parent, ticks].some(Number.isNaN)) {
    throw new Error(`not the state of a process: ${text}`);
  }
  return { pid, parent, seconds: ticks / TICKS_PER_SECOND };
}

/** The process `root` among `all`, and all that come from it. */
export function familyAmong(all: readonly ProcessStat[], root: number): ProcessStat[] {
  const children = Map.groupBy(all, ({ parent }) => parent);
  const family = all.filter(({ pid }) => pid === root);
  // It grows while it is gone through.
  for (const { pid } of family) family.push(...children.get(pid) ?? []);
  return family;
}

/** The process and all that come from it, as they are now; none where it has ended. */
export function familyOf(root: number): ProcessStat[] {
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) => {
    return /^\d+$/.test(name);
  });
  const all = pids.map((pid) => readIfThere(`/proc/${pid}/stat`)).filter((text) => text !== "");
  return familyAmong(all.map(parseStat), root);
}

/** Whether there is no such process any more. */
export function hasEnded(pid: number): boolean {
  return readIfThere(`/proc/${pid}/stat`) === "";
}

/**
 * Seconds of processor time that the family has had so far. Right to some hundredths as long as whoever
 * ends is waited for by one of the family.
 */
export function processorTime(root: number): number {
  return familyOf(root).reduce((sum, { seconds }) => sum + seconds, 0);
}

/** Seconds of processor time that children had whom this process has waited for. */
export function processorTimeOfPrograms(): number {
  const fields = readIfThere("/proc/self/stat").split(") ").at(-1)!.split(" ");
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

/**
 * Octets of memory that the family holds: what several share is counted once (the proportional set
 * sizes of `smaps_rollup`).
 */
export function memory(root: number): number {
  return familyOf(root).reduce((sum, { pid }) => {
    return sum + octetsIn(readIfThere(`/proc/${pid}/smaps_rollup`), "Pss");
  }, 0);
}

/** Octets of memory that a process has held at most, all its life; 0 where it has ended. */
export function peakMemory(pid: number): number {
  return octetsIn(readIfThere(`/proc/${pid}/status`), "VmHWM");
}

/** A line `Name:   12 kB`, in octets; 0 where there is none, as for a process that ends. */
export function octetsIn(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(text)?.[1] ?? 0) * 1024;
}

/** Milliseconds between two looks, and how much of the time looking may take. */
const PAUSE = 200;
const SHARE = 1 / 50;

/** Looks at a family's memory until it is ended: the more seldom the larger the family is. */
export class MemoryWatch {
  readonly #root: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #peak = 0;

  constructor(root: number) {
    this.#root = root;
    this.#goOn();
  }

  #goOn(): void {
    const before = performance.now();
    this.#look();
    const taken = performance.now() - before;
    this.#timer = setTimeout(() => this.#goOn(), Math.max(PAUSE, taken / SHARE));
  }

  #look(): void {
    this.#peak = Math.max(this.#peak, memory(this.#root));
  }

  /** Returns the octets of the look that saw most. */
  end(): number {
    clearTimeout(this.#timer);
    this.#look();
    return this.#peak;
  }
}

/** Empty where the process has ended. */
function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (!isEnd(error)) throw error;
    return "";
  }
}

/** Whether a process has ended, before its file was opened or since then (ESRCH, which has no name). */
function isEnd(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Error && error.message.includes("os error 3)");
}
