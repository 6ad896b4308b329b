/** What the daemon asks the system for while something happens, counted: whatever the machine is, it is the same. */

import { type Daemon, type DaemonOptions, startDaemon } from "../support/daemon.ts";
import { makeFolder } from "../support/folder.ts";
import { RawClient } from "../support/raw_client.ts";
import { underStrace } from "../support/strace.ts";

/** Calls by their names. */
export type Counts = ReadonlyMap<string, number>;

/**
 * What has to do with the machine and not with the work: waits for other threads, for sockets and for
 * memory, and looks at the directories above, which may be many.
 */
const WAITS = new Set([
  "readlink",
  "futex",
  "sched_yield",
  "epoll_wait",
  "epoll_pwait",
  "restart_syscall",
  "madvise",
  "mmap",
  "munmap",
  "mprotect",
  "mremap",
  "brk",
  "clone",
  "clone3",
  "exit",
  "rt_sigprocmask",
  "rt_sigreturn",
  "sigaltstack",
  "set_robust_list",
  "rseq",
  "prctl",
  "getpid",
  "gettid",
]);

const BEGIN = "NOOP counting begins";
const END = "NOOP counting ends";

/** Starts a daemon, lets `warmUp` and then `act` happen, and counts what the second one took. */
export async function callsOf(
  options: DaemonOptions,
  warmUp: (daemon: Daemon) => Promise<void>,
  act: (daemon: Daemon) => Promise<void>,
): Promise<Counts> {
  await using folder = await makeFolder();
  const file = `${folder.path}/trace`;
  await using daemon = await startDaemon({ ...options, under: underStrace(file, "all") });
  await warmUp(daemon);
  await mark(daemon, BEGIN);
  await act(daemon);
  await mark(daemon, END);
  await daemon.stop();
  await daemon.logged(" info stopped");
  return count(await Deno.readTextFile(file));
}

/** The command shows in the trace. */
async function mark({ port }: Daemon, command: string): Promise<void> {
  const client = await RawClient.connect(port);
  try {
    await client.reply();
    await client.command(command);
    await client.command("QUIT");
    // Until it is over it counts as somebody who waits.
    await client.line();
  } finally {
    client.close();
  }
}

function count(trace: string): Counts {
  const counts = new Map<string, number>();
  const begin = trace.indexOf(`"${BEGIN}`);
  const end = trace.indexOf(`"${END}`);
  if (begin < 0 || end < begin) throw new Error("the trace lacks its marks");
  for (const [, call = ""] of trace.slice(begin, end).matchAll(/^\d+ +([a-z]\w*)\(/gm)) {
    if (!WAITS.has(call)) counts.set(call, (counts.get(call) ?? 0) + 1);
  }
  return counts;
}

/** How many there are of some, or of all. */
export function total(counts: Counts, ...calls: readonly string[]): number {
  const chosen = calls.length === 0 ? [...counts.keys()] : calls;
  return chosen.reduce((sum, call) => sum + (counts.get(call) ?? 0), 0);
}

/** Most first. */
export function printed(counts: Counts): string {
  const rows = [...counts].sort(([, a], [, b]) => b - a);
  return rows.map(([call, times]) => `${times} ${call}`).join(", ");
}
