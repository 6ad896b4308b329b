/** What a program says, which is where it shows its conversation. */

import { type Program, run, type RunOptions } from "../support/programs.ts";

/** Runs a program; all that it wrote, lines ended by LF. Rejects with the same unless it succeeded. */
export async function said(
  program: Program,
  args: readonly string[],
  options?: RunOptions,
): Promise<string> {
  const { code, words } = await run(program, args, options);
  const lines = words.replaceAll("\r\n", "\n");
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${lines}`);
  return lines;
}
