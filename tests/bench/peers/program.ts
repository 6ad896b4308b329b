/** Programs that run in the background, with a file for what they say. */

import { sendSignal } from "../../support/signal.ts";
import { until } from "../../support/until.ts";

export interface ProgramOptions {
  readonly command: readonly string[];
  /** Where it listens, of this machine. */
  readonly port: number;
  /** A file for its standard output and standard error. */
  readonly log: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningProgram extends AsyncDisposable {
  readonly pid: number;
  /** Resolves when it has ended, whatever ended it. */
  readonly ended: Promise<unknown>;
}

/** The first line that a program says when it is run; empty where it says none. */
export function firstLine(program: string, ...args: readonly string[]): string {
  const { stdout } = new Deno.Command(program, { args: [...args], stderr: "null" }).outputSync();
  return new TextDecoder().decode(stdout).split("\n")[0]!.trim();
}

/** Whether a program is good when it is run; what it says is dropped. */
export function succeeds(program: string, ...args: readonly string[]): boolean {
  const command = new Deno.Command(program, { args: [...args], stdout: "null", stderr: "null" });
  return command.outputSync().success;
}

/** Starts a program and waits until it listens. It ends by SIGTERM. */
export async function startProgram(options: ProgramOptions): Promise<RunningProgram> {
  const { command, port, log, cwd, env } = options;
  // What it says must not go through a process that has other things to do.
  const process = new Deno.Command("sh", {
    args: ["-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "sh", log, ...command],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    ...cwd === undefined ? {} : { cwd },
    ...env === undefined ? {} : { env },
  }).spawn();
  let ended = false;
  const status = process.status.finally(() => ended = true);
  const dispose = async () => {
    sendSignal(process, "SIGTERM");
    await status;
  };
  try {
    await until(`${command[0]} at port ${port}`, () => ended || listens(port));
    if (ended) throw new Error(`${command.join(" ")} ended`);
  } catch (error) {
    await dispose();
    throw new Error(`it did not start:\n${await Deno.readTextFile(log)}`, { cause: error });
  }
  return { pid: process.pid, ended: status, [Symbol.asyncDispose]: dispose };
}

async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    const { ConnectionRefused, ConnectionReset } = Deno.errors;
    // It may only try whether it could listen.
    if (error instanceof ConnectionRefused || error instanceof ConnectionReset) return false;
    throw error;
  }
}
