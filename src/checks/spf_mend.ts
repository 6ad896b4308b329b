/** The SPF record that a domain should have instead of those it has. */

import { readTerm, SpfSyntaxError, termsOf } from "./spf_record.ts";

/** A term that can be read. */
interface Term {
  readonly text: string;
  /** Of a modifier, or of `all`, which each may stand there once. */
  readonly once: "redirect" | "exp" | "all" | undefined;
}

/**
 * One record of all there are, with the addresses in front: the first term that matches counts. What
 * cannot be read, and what cannot stand beside the rest, is left out.
 */
export function mended(records: readonly string[], addresses: readonly string[]): string {
  const own = addresses.map((address) => `ip${address.includes(":") ? 6 : 4}:${address}`);
  const terms = records.flatMap(termsOf).flatMap(read);
  const first = (once: Term["once"]) => terms.find((term) => term.once === once)?.text;
  const others = terms.filter(({ once }) => once === undefined).map(({ text }) => text);
  // Where there is an `all`, no redirect is followed (RFC 7208 6.1).
  const end = first("all") ?? first("redirect") ?? (records.length === 0 ? "-all" : undefined);
  const last = [end, first("exp")].filter((text) => text !== undefined);
  return ["v=spf1", ...new Set([...own, ...others]), ...last].join(" ");
}

function read(text: string): Term[] {
  try {
    const term = readTerm(text);
    const name = "mechanism" in term ? term.mechanism.kind : term.name;
    const once = name === "redirect" || name === "exp" || name === "all" ? name : undefined;
    return [{ text, once }];
  } catch (error) {
    if (error instanceof SpfSyntaxError) return [];
    throw error;
  }
}
