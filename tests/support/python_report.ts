/** Reports to senders as Python's own parser reads them. */

import { succeed } from "./programs.ts";

/** Names and values, in order. */
export type FieldPairs = readonly (readonly [name: string, value: string])[];

export interface PythonReport {
  readonly defects: readonly string[];
  readonly fields: FieldPairs;
  readonly type: string;
  readonly reportType: string;
  readonly to: readonly string[];
  readonly parts: readonly {
    readonly type: string;
    readonly encoding: string;
    /** In base64. */
    readonly bytes?: string;
    /** Of a delivery status: about the message, then about each recipient. */
    readonly groups?: readonly FieldPairs[];
  }[];
}

const SCRIPT = new URL("report.py", import.meta.url).pathname;

/** Reads a report by each of Python's two policies. Needs python3. */
export async function readReportWithPython(
  report: Uint8Array<ArrayBuffer>,
): Promise<PythonReport[]> {
  const output = await succeed("python3", ["-I", SCRIPT], { input: report });
  return JSON.parse(new TextDecoder().decode(output));
}
