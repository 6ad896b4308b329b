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
  for (const term of termsOf(text)) {
    const modifier = readModifier(term);
    if (!modifier) {
      directives.push(readDirective(term));
      continue;
    }
    const [name, value] = modifier;
    if (name !== "redirect" && name !== "exp") continue;
    if (modifiers.has(name)) throw new SpfSyntaxError(`${name}= stands there twice`);
    modifiers.set(name, domainSpec(value, term));
  }
  return { directives, redirect: modifiers.get("redirect") };
}

/** `name=value`, undefined where the term is a mechanism. */
export function readModifier(term: string): [name: string, value: string] | undefined {
  const match = /^([a-z][a-z0-9_.-]*)=([!-~]*)$/i.exec(term);
  return match ? [match[1]!.toLowerCase(), match[2]!] : undefined;
}

const VERDICTS: Readonly<Record<string, Verdict>> = {
  "+": "pass",
  "-": "fail",
  "~": "softfail",
  "?": "neutral",
};

/** Throws SpfSyntaxError. */
export function readDirective(text: string): Directive {
  const match = /^([-+~?]?)([a-z][a-z0-9_.-]*)(?::([^/]*))?(\/.*)?$/i.exec(text);
  if (!match) throw unreadable(text);
  const [, qualifier = "", name = "", domain, length] = match;
  const verdict = VERDICTS[qualifier || "+"]!;
  return { verdict, mechanism: readMechanism(name.toLowerCase(), domain, length, text), text };
}

function readMechanism(
  name: string,
  domain: string | undefined,
  length: string | undefined,
  text: string,
): Mechanism {
  switch (name) {
    case "all":
      if (domain !== undefined || length !== undefined) throw unreadable(text);
      return { kind: "all" };
    case "ip4":
      return { kind: "ip", network: readNetwork(parseIpv4(domain ?? ""), length, text) };
    case "ip6": {
      // The one value that has colons itself.
      const address = text.slice(text.indexOf(":") + 1).split("/")[0]!;
      return { kind: "ip", network: readNetwork(parseIpv6(address), length, text) };
    }
    case "a":
    case "mx":
      return {
        kind: name,
        domain: domain === undefined ? undefined : domainSpec(domain, text),
        bits: readBits(length, text),
      };
    case "include":
      if (length !== undefined) throw unreadable(text);
      return { kind: name, domain: domainSpec(domain ?? "", text) };
    case "exists":
      domainSpec(domain ?? "", text);
      return { kind: name };
    case "ptr":
      if (domain !== undefined) domainSpec(domain, text);
      return { kind: name };
    default:
      throw unreadable(text);
  }
}

function readNetwork(
  address: Uint8Array | undefined,
  length: string | undefined,
  text: string,
): Network {
  if (!address) throw unreadable(text);
  const most = 8 * address.length;
  const bits = length === undefined ? most : readNumber(/^\/(.+)$/.exec(length)?.[1], most);
  if (bits === undefined) throw unreadable(text);
  return { address, bits };
}

/** `/24`, `//64` or `/24//64`. */
function readBits(length: string | undefined, text: string): { 4: number; 6: number } {
  const match = /^(?:\/([^/]+))?(?:\/\/([^/]+))?$/.exec(length ?? "");
  const four = match?.[1] === undefined ? 32 : readNumber(match[1], 32);
  const six = match?.[2] === undefined ? 128 : readNumber(match[2], 128);
  if (!match || four === undefined || six === undefined) throw unreadable(text);
  return { 4: four, 6: six };
}

function readNumber(text: string | undefined, most: number): number | undefined {
  if (text === undefined || !/^(?:0|[1-9]\d{0,2})$/.test(text)) return undefined;
  return Number(text) <= most ? Number(text) : undefined;
}

/** A domain of two labels at least, or one that ends in a macro (RFC 7208 7.1). */
function domainSpec(domain: string, text: string): string {
  const readable = /^[!-~]+$/.test(domain) &&
    (/\.(?!\d+\.?$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.?$/i.test(domain) ||
      /%(?:\{[^}]*\}|[%_-])$/.test(domain));
  if (!readable) throw unreadable(text);
  return domain;
}

function unreadable(text: string): SpfSyntaxError {
  return new SpfSyntaxError(`"${text}" cannot be read`);
}
