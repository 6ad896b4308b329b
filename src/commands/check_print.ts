/** Findings as people and programs read them. */

import type { Finding } from "../checks/finding.ts";
import { type Problem, problemText } from "../config/problem.ts";
import { escapeControls, printable } from "../printable.ts";

const MARKS: Readonly<Record<Finding["state"], string>> = {
  good: "ok",
  wrong: "WRONG",
  unknown: "?",
  note: "note",
};

/** Behind the mark, where every line's text begins. */
const INDENT = 7;

/** One line, and below it what would mend it. Others wrote some of it into DNS. */
export function findingLines({ about, state, is, should, mend = [] }: Finding): string[] {
  const below = (text: string) => `${" ".repeat(INDENT)}${text}`;
  return [
    `${MARKS[state].padEnd(INDENT)}${about}: ${is}`,
    ...should === undefined ? [] : [below(`should be: ${should}`)],
    ...mend.map((line) => below(`mend:      ${line}`)),
  ].map(printable);
}

/** `good`, `1 finding`, `3 findings, 1 not known` */
export function summary(findings: readonly Finding[]): string {
  const count = (state: Finding["state"]) => findings.filter((f) => f.state === state).length;
  const [wrong, unknown] = [count("wrong"), count("unknown")];
  const found = wrong === 0 ? "good" : `${wrong} ${wrong === 1 ? "finding" : "findings"}`;
  return unknown === 0 ? found : `${found}, ${unknown} not known`;
}

/** All of a check in one document. */
export interface Report {
  readonly version: string;
  /** HOSTNAME, null where the configuration cannot be used. */
  readonly host: string | null;
  readonly findings: readonly Finding[];
  /** What keeps the daemon from serving; then there are no findings. */
  readonly problems: readonly Problem[];
}

export function jsonText(report: Report): string {
  const problems = report.problems.map((problem) => ({ ...problem, text: problemText(problem) }));
  return escapeControls(JSON.stringify({ ...report, problems }, null, 2));
}
