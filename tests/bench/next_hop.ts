/** smtp-sink (Debian: postfix) as the host that mail is relayed to: it counts what comes. */

import { find } from "../support/programs.ts";
import { startProgram } from "./peers/program.ts";

/** Connections that may wait to be accepted, and that it holds at most. */
const BACKLOG = "1000";
const CONNECTIONS = "1000";
/** Octets at the end of its output in which its latest counts are. */
const TAIL = 256;

export interface NextHop extends AsyncDisposable {
  readonly pid: number;
  /** How many messages it has taken. */
  count(): number;
}

/** Starts it at a port. `log` is a file for what it counts. */
export async function startNextHop(port: number, log: string): Promise<NextHop> {
  const program = await startProgram({
    // It refuses to run as root.
    command: [
      find("smtp-sink") ?? "smtp-sink",
      ...Deno.uid() === 0 ? ["-u", "nobody"] : [],
      ...["-c", "-m", CONNECTIONS, `127.0.0.1:${port}`, BACKLOG],
    ],
    port,
    log,
  });
  return {
    pid: program.pid,
    count: () => latestCount(readEnd(log)),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** The last whole count of messages in what smtp-sink prints; 0 where there is none. */
export function latestCount(output: string): number {
  return Number([...output.matchAll(/\bmesg=(\d+)\r/g)].at(-1)?.[1] ?? 0);
}

function readEnd(path: string): string {
  using file = Deno.openSync(path);
  const { size } = file.statSync();
  file.seekSync(Math.max(0, size - TAIL), Deno.SeekMode.Start);
  const bytes = new Uint8Array(TAIL);
  const count = file.readSync(bytes) ?? 0;
  return new TextDecoder().decode(bytes.subarray(0, count));
}
