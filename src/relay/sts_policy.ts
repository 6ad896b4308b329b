/** What a domain demands of whoever sends to it (MTA-STS, RFC 8461): its record and its policy. */

import { isDomainName } from "../smtp/address.ts";

export interface StsPolicy {
  readonly mode: "enforce" | "testing" | "none";
  /** In lower case; one may begin with `*.`. Empty only in mode `none`. */
  readonly mx: readonly string[];
  /** Seconds from its fetching for which it holds. */
  readonly maxAge: number;
}

/** The text is no policy. The message says why and holds printable ASCII alone. */
export class StsPolicyError extends Error {
  override name = "StsPolicyError";
}

const VERSION = "STSv1";
const MODES = ["enforce", "testing", "none"] as const;

/** Seconds: a year (RFC 8461 3.2). */
const MAX_AGE = 31_557_600;

/** Patterns of a policy. No route has as many hosts. */
const MAX_MX = 100;

/** `sts-field` without those that are an id or a version (RFC 8461 3.1). */
const FIELD = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[!-:<>-~]+$/;

/** What a key and its delimiter look like; blanks around a value are none of it (RFC 8461 3.2). */
const LINE = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,31}):(.*)$/;

/** Characters of a record, and of a policy's line; what is longer is neither. */
const LONGEST = 1000;

/**
 * The id in the one record of `_mta-sts` that is of this version, undefined where there is none,
 * more than one, or where it is not valid (RFC 8461 3.1).
 */
export function parseStsRecord(texts: readonly string[]): string | undefined {
  const [record, ...more] = texts.filter((text) => /^v=STSv1[ \t]*;/.test(text));
  if (record === undefined || more.length > 0 || record.length > LONGEST) return undefined;
  const fields = record.split(";").slice(1).map(withoutBlanks);
  if (fields.at(-1) === "") fields.pop();
  if (!fields.every((field) => FIELD.test(field))) return undefined;
  // Of a repeated field only the first counts.
  const id = fields.find((field) => field.startsWith("id="));
  const value = id?.slice("id=".length);
  return value !== undefined && isStsId(value) ? value : undefined;
}

/** Whether this can be the id in a record (RFC 8461 3.1). */
export function isStsId(text: string): boolean {
  return /^[A-Za-z0-9]{1,32}$/.test(text);
}

/** Reads a policy as its host serves it (RFC 8461 3.2). Throws StsPolicyError. */
export function parseStsPolicy(text: string): StsPolicy {
  const { first, mx } = readFields(text);
  const version = first.get("version");
  if (version !== VERSION) throw wrong("version", version);
  const mode = MODES.find((mode) => mode === first.get("mode"));
  if (!mode) throw wrong("mode", first.get("mode"));
  if (mx.length === 0 && mode !== "none") throw wrong("mx", undefined);
  const age = first.get("max_age");
  if (age === undefined || !/^\d{1,10}$/.test(age) || Number(age) > MAX_AGE) {
    throw wrong("max_age", age);
  }
  return { mode, mx, maxAge: Number(age) };
}

/** Writes a policy as its host may serve it: what `parseStsPolicy` reads back. */
export function printStsPolicy({ mode, mx, maxAge }: StsPolicy): string {
  const lines = [`version: ${VERSION}`, `mode: ${mode}`, ...mx.map((one) => `mx: ${one}`)];
  return [...lines, `max_age: ${maxAge}`, ""].join("\n");
}

/** The first value of each key, and every pattern. */
function readFields(text: string): { first: ReadonlyMap<string, string>; mx: string[] } {
  const first = new Map<string, string>();
  const mx: string[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    // Hosts end their policies with a blank line or two.
    if (/^[ \t]*$/.test(line)) continue;
    const [, key, rest] = line.length > LONGEST ? [] : LINE.exec(line) ?? [];
    if (key === undefined || rest === undefined) {
      throw new StsPolicyError(`line ${index + 1} is no key with a value: ${shown(line)}`);
    }
    const value = withoutBlanks(rest);
    if (key === "mx") mx.push(pattern(value));
    else if (!first.has(key)) first.set(key, value);
    if (mx.length > MAX_MX) throw new StsPolicyError(`more than ${MAX_MX} mx`);
  }
  return { first, mx };
}

/** Whoever wrote the text, it takes time in proportion to its length. */
function withoutBlanks(text: string): string {
  const isBlank = (at: number) => text[at] === " " || text[at] === "\t";
  let [start, end] = [0, text.length];
  while (start < end && isBlank(start)) start++;
  while (end > start && isBlank(end - 1)) end--;
  return text.slice(start, end);
}

function pattern(value: string): string {
  if (!isDomainName(value.replace(/^\*\./, ""))) throw wrong("mx", value);
  return value.toLowerCase();
}

function wrong(key: string, value: string | undefined): StsPolicyError {
  const why = value === undefined ? "is missing" : `cannot be ${shown(value)}`;
  return new StsPolicyError(`${key} ${why}`);
}

/** A part of what a stranger wrote, fit for one line of a log. */
function shown(text: string): string {
  return `"${text.slice(0, 80).replace(/[^ -~]/g, "?")}"`;
}

/**
 * Whether a policy allows mail to go to a host of this name, as its MX record gives it. `*` stands
 * for exactly one label (RFC 8461 4.1).
 */
export function matchesMx({ mx }: Pick<StsPolicy, "mx">, host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  const wild = name.replace(/^[^.]+\./, "*.");
  return mx.some((pattern) => pattern === name || pattern === wild);
}
