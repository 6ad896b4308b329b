/** The lines of a configuration file that say something. */

import { findFile, unreadable } from "./file.ts";
import { ConfigurationError } from "./problem.ts";

/** Characters. */
const LONGEST_LINE = 65536;

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
    await findFile(file);
    bytes = await Deno.readFile(file);
  } catch (error) {
    throw new ConfigurationError([{ file, message: unreadable(error) }]);
  }
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigurationError([{
      file,
      message: "is not UTF-8 text, save it in that encoding",
    }]);
  }
  const lines = text.split(/\r?\n/).map((line, i) => {
    return { number: i + 1, text: line.replace(/(^|\s)#.*$/s, "").trim() };
  });
  const problems = lines.flatMap(({ number, text }) => {
    const message = flaw(text);
    return message === undefined ? [] : [{ file, line: number, message }];
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
  return lines.filter((line) => line.text !== "");
}

/** What no line may have: it would cost time, or deceive whoever reads it in a message. */
function flaw(text: string): string | undefined {
  if (text.length > LONGEST_LINE) return `is longer than ${LONGEST_LINE} characters`;
  const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text.replaceAll("\t", " "));
  return invisible ? "holds a control character" : undefined;
}
