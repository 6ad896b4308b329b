/** What became of everything that was sent on a stage, when nothing is under way any more. */

import { findNumberedText } from "../numbered_text.ts";
import type { Sent, Stage } from "./stage.ts";

/** Each a line for people. */
export interface Judgement {
  /** Answered 250, and not where it should be. */
  readonly lost: readonly string[];
  /** There, but not whole. */
  readonly half: readonly string[];
  /** Files that are no message's and do not belong to a daemon. */
  readonly leftOver: readonly string[];
  /** Copies beyond the first of a message for a recipient. */
  readonly twice: number;
  /** Answered 250. */
  readonly messages: number;
}

/** Files of a folder in which everything has come to its end. */
const BELONGS =
  /^((mail|user)\.conf|imports\.json|spool\/(lock|policies\.json)|mail\/\w+\/(new|cur)\/\d+\.M\d+P\d+Q\d+R[0-9a-f]{8}\.[^/]+,S=\d+)$/;
const HARMED = /^spool\/damaged\/([0-9a-z]{15})\.(eml|json)$/;

/** The daemon's own fields on top of a text, in a mailbox and on their way elsewhere. */
const TRACE = /^Received: from client\.example .*(\r?\n\t.*)*\r?\n$/;
const RETURN_PATH = /^Return-Path: <jones@me\.example>\n/;

/** What was found of one message or report. */
interface Copy {
  readonly name: string;
  readonly to: string;
}

export async function judge(
  stage: Pick<Stage, "folder" | "sent"> & { readonly host: Pick<Stage["host"], "taken"> },
): Promise<Judgement> {
  const half: string[] = [];
  const copies: Copy[] = [];
  const reported: string[] = [];
  const files = await filesBelow(stage.folder);
  for (const path of files) {
    const [, user] = /^mail\/(\w+)\/(?:new|cur)\/[^.]/.exec(path) ?? [];
    if (user === undefined) continue;
    const bytes = await Deno.readFile(`${stage.folder}/${path}`);
    const text = new TextDecoder().decode(bytes);
    if (!path.endsWith(`,S=${bytes.length}`)) half.push(`${path} has ${bytes.length} octets`);
    if (text.startsWith("Return-Path: <>\n")) {
      if (isWholeReport(text)) reported.push(text);
      else half.push(`${path} is half a report`);
      continue;
    }
    const name = wholeName(bytes, text, "\n");
    if (name === undefined) half.push(path);
    else copies.push({ name, to: `${user}@me.example` });
  }
  for (const { to, text } of stage.host.taken) {
    const name = wholeName(text, new TextDecoder().decode(text), "\r\n");
    if (name === undefined) half.push(`what was sent to ${to}`);
    else copies.push(...to.map((path) => ({ name, to: path.slice(1, -1) })));
  }
  const wanted = stage.sent.flatMap((one) => one.to.map((to) => ({ one, to })));
  const count = ({ name }: Sent, to: string) => {
    return copies.filter((copy) => copy.name === name && copy.to === to).length +
      (to.endsWith("@me.example") ? 0 : reported.filter((text) => tellsOf(text, name, to)).length);
  };
  const lost = wanted.filter(({ one, to }) => isDue(one, to) && count(one, to) === 0)
    .map(({ one, to }) => `${one.name} to ${to}`);
  const back = wanted.filter(({ one, to }) => one.removal === "told" && count(one, to) > 0)
    .map(({ one, to }) => `${one.name} to ${to} was removed, and came`);
  // A kill may come between a text and an envelope of its own, which is nobody's then.
  const harmed = files.filter((path) => HARMED.test(path) && path.endsWith(".eml"));
  const expected = stage.sent.reduce((sum, one) => sum + one.harmed, 0);
  return {
    lost: [...lost, ...back],
    half,
    leftOver: [
      ...files.filter((path) => !BELONGS.test(path) && !HARMED.test(path)),
      ...harmed.length === expected ? [] : [`${harmed.join(" ")} of ${expected} damaged files`],
    ],
    twice: wanted.reduce((sum, { one, to }) => sum + Math.max(count(one, to) - 1, 0), 0),
    messages: stage.sent.filter(({ acknowledged }) => acknowledged).length,
  };
}

/** Whether a copy of it must be somewhere. */
function isDue({ acknowledged, harmed, removal }: Sent, to: string): boolean {
  return acknowledged && (to.endsWith("@me.example") || harmed === 0 && removal === "none");
}

/** Undefined where it is not one of the texts that were sent, octet by octet, with the trace above. */
function wholeName(bytes: Uint8Array, text: string, lineEnd: "\n" | "\r\n"): string | undefined {
  const { name, whole } = findNumberedText(bytes, lineEnd);
  const top = text.slice(0, text.indexOf(`${lineEnd}Subject: `) + lineEnd.length);
  const trace = lineEnd === "\n" ? top.replace(RETURN_PATH, "") : top;
  const complete = lineEnd === "\r\n" || trace !== top;
  return whole && complete && TRACE.test(trace) ? name : undefined;
}

/** A report ends with the end of its multipart (RFC 2046 5.1.1). */
function isWholeReport(text: string): boolean {
  const [, boundary] = /boundary="?([^"\n;]+)"?/.exec(text) ?? [];
  return boundary !== undefined && text.trimEnd().endsWith(`--${boundary}--`);
}

function tellsOf(report: string, name: string, to: string): boolean {
  return report.includes(`Final-Recipient: rfc822; ${to}\n`) &&
    report.includes(`\nSubject: ${name} `);
}

/** Paths of all files below a directory, from there on. */
async function filesBelow(directory: string, prefix = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    if (isDirectory) paths.push(...await filesBelow(`${directory}/${name}`, `${prefix}${name}/`));
    else paths.push(prefix + name);
  }
  return paths.sort();
}
