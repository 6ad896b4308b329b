/** The compiled executable, which `deno task compile` makes. */

import type { Outcome } from "./run.ts";

export const EXECUTABLE = new URL("../../dist/denosmtpd", import.meta.url).pathname;

/** Why a test of the executable cannot run here; undefined where it can. */
export function notCompiled(): string | undefined {
  try {
    Deno.statSync(EXECUTABLE);
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "dist/denosmtpd is not compiled";
    throw error;
  }
}

/** Runs it with these words in an empty directory and with an empty environment. */
export async function runExecutable(...words: readonly string[]): Promise<Outcome> {
  const cwd = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    const { code, stdout, stderr } = await new Deno.Command(EXECUTABLE, {
      args: [...words],
      cwd,
      clearEnv: true,
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  } finally {
    // Fails where something is in it.
    await Deno.remove(cwd);
  }
}
