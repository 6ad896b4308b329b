/** The command line of the program, run to its end. */

import { COMMAND } from "./daemon.ts";

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly env?: Record<string, string>;
  /** A program with arguments that runs the command line. */
  readonly under?: readonly string[];
}

/** Runs the program with these words. */
export async function run(
  words: readonly string[],
  { cwd, input = "", env = {}, under = [] }: RunOptions = {},
): Promise<Outcome> {
  const [program, ...args] = [...under, ...COMMAND, ...words];
  const process = new Deno.Command(program!, {
    args,
    env,
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(typeof input === "string" ? new TextEncoder().encode(input) : input)
    .then(() => writer.close())
    // A program that does not read its input may have ended before.
    .catch(() => {});
  const { code, stdout, stderr } = await process.output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}
