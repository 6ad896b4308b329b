/** The lines of a configuration file that say something. */

import { ConfigurationError } from "./problem.ts";

export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Without comment and surrounding blanks, never empty. */
  readonly text: string;
}

/**
 * Reads a file. `#` begins a comment at the start of a line or after a blank. CR LF line ends, a
 * byte order mark and blanks at the ends of lines do no harm. Throws ConfigurationError when the
 * file cannot be read, is not UTF-8 or holds control characters.
 */
export async function readLines(file: string): Promise<Line[]> {
  let bytes;
  try {
    bytes = await Deno.readFile(file);
  } catch (error) {
    throw new ConfigurationError([{ file, message: unreadable(error) }]);
  }
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigurationError([{ file, message: "is not UTF-8 text" }]);
  }
  const lines = text.split(/\r?\n/).map((line, i) => {
    return { number: i + 1, text: line.replace(/(^|\s)#.*$/s, "").trim() };
  });
  const problems = lines.filter((line) => /[^\t\P{Cc}]/u.test(line.text)).map(({ number }) => {
    return { file, line: number, message: "holds a control character" };
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
  return lines.filter((line) => line.text !== "");
}

function unreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "may not be read, check its permissions";
  }
  if (error instanceof Deno.errors.NotCapable) {
    return "may not be read, Deno lacks --allow-read for it";
  }
  if (error instanceof Deno.errors.IsADirectory) return "is a directory, not a file";
  return `cannot be read (${error instanceof Error ? error.message : String(error)})`;
}
