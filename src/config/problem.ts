/** What is wrong with a configuration, said so that a person can mend it. */

import type { Configuration } from "./configuration.ts";
import type { VariableName } from "./mail_conf.ts";

/** One thing that is wrong. */
export interface Problem {
  /** The file it is in. */
  readonly file: string;
  /** Counted from 1; undefined where it is not about a line. */
  readonly line?: number | undefined;
  /** What is wrong and what would be right, in one line. */
  readonly message: string;
}

/** Thrown when a configuration cannot be used; holds everything found, in the order of the files. */
export class ConfigurationError extends Error {
  override name = "ConfigurationError";

  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(problemText).join("\n"));
  }
}

/** `file:line: message` */
export function problemText({ file, line, message }: Problem): string {
  return `${file}${line === undefined ? "" : `:${line}`}: ${message}`;
}

/** A problem with a variable of mail.conf. */
export function problemAt(
  { files, lines }: Pick<Configuration, "files" | "lines">,
  name: VariableName,
  message: string,
): Problem {
  return { file: files.mail, line: lines.get(name), message: `${name}: ${message}` };
}

/** Thrown by the readers of single values; the message says what the value should be. */
export class ValueError extends Error {
  override name = "ValueError";
}
