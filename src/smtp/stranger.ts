/** Lines that are no commands: what they give away, and what of them may be told. */

import { isVerb } from "./command.ts";

/**
 * A browser that is made to post mail speaks like this (RFC 9110 9.3, RFC 4918 9). What it says
 * further must not be read as commands. No command of SMTP is called like its methods.
 */
export function isHttp(line: string): boolean {
  return /^(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PROPFIND)[ \t]/i.test(line);
}

/** The verb of a refused line for the log. What is none might be half of a password. */
export function nameOf(line: string): string {
  const word = /^[A-Za-z]+(?=[ \t]|$)/.exec(line)?.[0].toUpperCase() ?? "";
  return isVerb(word) ? word : "line";
}
