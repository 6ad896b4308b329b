/** SPF records taken apart (RFC 7208 4.6, 5, 6). */

import { parseIpv4, parseIpv6 } from "../smtp/ip.ts";
import type { Network } from "../config/network.ts";

/** What a mechanism says of the addresses that it matches. */
export type Verdict = "pass" | "fail" | "softfail" | "neutral";

/** Names as they stand there. One with "%" in it has macros. */
export type Mechanism =
  | { readonly kind: "all" }
  | { readonly kind: "ip"; readonly network: Network }
  | {
    readonly kind: "a" | "mx";
    /** Undefined for the domain of the record. */
    readonly domain: string | undefined;
    readonly bits: { readonly 4: number; readonly 6: number };
  }
  | { readonly kind: "include"; readonly domain: string }
  | { readonly kind: "exists" }
  | { readonly kind: "ptr" };

export interface Directive {
  readonly verdict: Verdict;
  readonly mechanism: Mechanism;
  /** As it stands in the record. */
  readonly text: string;
}

export interface Modifier {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
}

export interface SpfRecord {
  readonly directives: readonly Directive[];
  readonly redirect: string | undefined;
}

/** The record is none that anybody could follow. The message quotes what it cannot read. */
export class SpfSyntaxError extends Error {
  override name = "SpfSyntaxError";
}

/** Whether a TXT record is meant as an SPF record (RFC 7208 4.5). */
export function isSpf(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text);
}

/** The terms behind the version. */
export function termsOf(text: string): string[] {
  return text.split(/ +/).slice(1).filter((term) => term !== "");
}

/** Throws SpfSyntaxError. */
export function parseSpf(text: string): SpfRecord {
  const directives: Directive[] = [];
  const modifiers = new Map<string, string>();
  for (const term of termsOf(text).map(readTerm)) {
    if ("mechanism" in term) {
      directives.push(term);
      continue;
    }
    const { name, value } = term;
    if (name !== "redirect" && name !== "exp") continue;
    if (modifiers.has(name)) throw new SpfSyntaxError(`${name}= stands there twice`);
    modifiers.set(name, value);
  }
  return { directives, redirect: modifiers.get("redirect") };
}

/** Throws SpfSyntaxError. */
export function readTerm(text: string): Directive | Modifier {
  const match = /^([a-z][a-z0-9_.-]*)=(.*)$/is.exec(text);
  return match ? readModifier(match[1]!.toLowerCase(), match[2]!, text) : readDirective(text);
}

function readModifier(name: string, value: string, text: string): Modifier {
  // Those that mean nothing to us must be readable too (RFC 7208 6).
  if (name === "redirect" || name === "exp") domainSpec(value, text);
  else if (!MACRO_STRING.test(value)) throw unreadable(text);
  return { name, value };
}

const VERDICTS: Readonly<Record<string, Verdict>> = {
  "+": "pass",
  "-": "fail",
  "~": "softfail",
  "?": "neutral",
};

function readDirective(text: string): Directive {
  const match = /^([-+~?]?)([a-z][a-z0-9_.-]*)([:/].*)?$/i.exec(text);
  if (!match) throw unreadable(text);
  const [, qualifier = "", name = "", rest = ""] = match;
  const verdict = VERDICTS[qualifier || "+"]!;
  return { verdict, mechanism: readMechanism(name.toLowerCase(), rest, text), text };
}

/** `rest` is what stands behind the name, with its ":" or "/". */
function readMechanism(name: string, rest: string, text: string): Mechanism {
  const value = rest.startsWith(":") ? rest.slice(1) : undefined;
  switch (name) {
    case "all":
      if (rest !== "") throw unreadable(text);
      return { kind: "all" };
    case "ip4":
      return { kind: "ip", network: readNetwork(parseIpv4, value, text) };
    case "ip6":
      return { kind: "ip", network: readNetwork(parseIpv6, value, text) };
    case "a":
    case "mx": {
      // A domain may hold "/" too, but it ends in none of these.
      const [, domain, length] = /^(:.*?)?((?:\/\d+)?(?:\/\/\d+)?)$/.exec(rest) ?? [];
      if (length === undefined) throw unreadable(text);
      return {
        kind: name,
        domain: domain === undefined ? undefined : domainSpec(domain.slice(1), text),
        bits: readBits(length, text),
      };
    }
    case "include":
      return { kind: name, domain: domainSpec(value, text) };
    case "exists":
      domainSpec(value, text);
      return { kind: name };
    case "ptr":
      if (rest !== "") domainSpec(value, text);
      return { kind: name };
    default:
      throw unreadable(text);
  }
}

function readNetwork(
  parse: (address: string) => Uint8Array | undefined,
  value: string | undefined,
  text: string,
): Network {
  const [, printed = "", length] = /^([^/]*)(?:\/(.*))?$/.exec(value ?? "") ?? [];
  const address = parse(printed);
  if (!address) throw unreadable(text);
  const most = 8 * address.length;
  const bits = length === undefined ? most : readNumber(length, most);
  if (bits === undefined) throw unreadable(text);
  return { address, bits };
}

/** `/24`, `//64`, `/24//64` or nothing. */
function readBits(length: string, text: string): { 4: number; 6: number } {
  const [four, six] = length.split("//");
  const bits = {
    4: four ? readNumber(four.slice(1), 32) : 32,
    6: six === undefined ? 128 : readNumber(six, 128),
  };
  if (bits[4] === undefined || bits[6] === undefined) throw unreadable(text);
  return { 4: bits[4], 6: bits[6] };
}

function readNumber(text: string, most: number): number | undefined {
  if (!/^(?:0|[1-9]\d{0,2})$/.test(text)) return undefined;
  return Number(text) <= most ? Number(text) : undefined;
}

/** What stands for something else, with these letters (RFC 7208 7.1; the number is not 0: 7.3). */
const macro = (letters: string) =>
  String.raw`%(?:[%_-]|\{[${letters}](?:0*[1-9]\d*)?r?[-.+,/_=]*\})`;
/** "c", "r" and "t" stand for something in explanations alone (RFC 7208 7.2). */
const IN_DOMAINS = macro("slodiphv");
const LITERAL = "[!-$&-~]";
const TOP_LABEL = String.raw`(?!\d+\.?$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?`;
const MACRO_STRING = new RegExp(`^(?:${LITERAL}|${macro("slodiphvcrt")})*$`, "i");
const DOMAIN_SPEC = new RegExp(
  String.raw`^(?:${LITERAL}|${IN_DOMAINS})*(?:\.${TOP_LABEL}\.?|${IN_DOMAINS})$`,
  "i",
);

/** A domain of two labels at least, or one that ends in a macro (RFC 7208 7.1). */
function domainSpec(domain: string | undefined, text: string): string {
  if (domain === undefined || !DOMAIN_SPEC.test(domain)) throw unreadable(text);
  return domain;
}

function unreadable(text: string): SpfSyntaxError {
  return new SpfSyntaxError(`"${text}" cannot be read`);
}
