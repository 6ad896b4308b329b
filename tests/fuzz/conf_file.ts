/** Configuration files as people, editors and mistakes write them; and what holds for every complaint. */

import assert from "node:assert/strict";
import { ConfigurationError, type Problem } from "../../src/config/problem.ts";
import type { Random } from "../support/random.ts";
import { characters } from "./octets.ts";

/** Calls `use` with the path of a file that holds this, for its owner alone. */
export async function withFile<T>(
  content: Uint8Array,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const file = await Deno.makeTempFile({ prefix: "denosmtpd-test-" });
  try {
    await Deno.writeFile(file, content);
    return await use(file);
  } finally {
    await Deno.remove(file);
  }
}

/** What `read` brings; where that is a ConfigurationError, its problems once they are fit to be shown. */
export async function problemsOf<T>(
  content: Uint8Array,
  file: string,
  read: () => Promise<T>,
): Promise<{ readonly value: T } | { readonly problems: readonly Problem[] }> {
  try {
    return { value: await read() };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const { problems } = error;
    assert.ok(problems.length > 0);
    const lines = characters(content).split("\n").length;
    for (const problem of problems) checkProblem(problem, file, lines);
    return { problems };
  }
}

/** Complaints that are not about a line: about the whole file, or about what it does not say. */
const WHOLE = /^is not UTF-8 text|^names no user|\(not set here\)$/;

function checkProblem({ file, line, message }: Problem, wanted: string, lines: number): void {
  assert.equal(file, wanted);
  assert.doesNotMatch(message.replaceAll("\t", " "), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  assert.notEqual(message, "");
  if (line === undefined) return assert.match(message, WHOLE);
  assert.ok(Number.isInteger(line) && line >= 1 && line <= lines, `line ${line} of ${lines}`);
}

/** A message without what it quotes: the same for the same mistake. */
export function words(message: string): string {
  return message.replace(/".*"|\d+|(?<=^|\s)\S*[^\s:a-z]\S*/g, "…").slice(0, 60);
}

/** A line of a file with its end, with a comment or a blank somewhere. */
export function fileLine(random: Random, text: string): string {
  const blank = () => random.pick(["", "", "", "", " ", "\t"]);
  const comment = random.chance(0.1) ? random.pick([" # x", "#x", " #"]) : "";
  return `${blank()}${text}${blank()}${comment}${random.pick(["\n", "\n", "\n", "\r\n"])}`;
}
