/** What a domain's SPF record says of an address: check_host() of RFC 7208 4. */

import { contains } from "../config/network.ts";
import type { Answer } from "../relay/dns.ts";
import { parseIp } from "../smtp/ip.ts";
import { allAddresses, type Lookup } from "./lookup.ts";
import {
  type Directive,
  isSpf,
  parseSpf,
  type SpfRecord,
  SpfSyntaxError,
  type Verdict,
} from "./spf_record.ts";

export type SpfResult =
  /** `by` is the term that decides. */
  | { readonly result: Verdict; readonly by: string }
  /** No SPF record. */
  | { readonly result: "none" }
  | { readonly result: "permerror"; readonly why: string }
  /** It hangs on what a sender's address would say (macros), or on what is not evaluated here. */
  | ({ readonly result: "cannot tell" } & Doubt);

/** What an evaluation can come to. */
type Outcome = Verdict | "permerror";
const OUTCOMES: readonly Outcome[] = ["pass", "fail", "softfail", "neutral", "permerror"];

/** Why it cannot be told, and what else it may come to. */
interface Doubt {
  readonly why: string;
  readonly might: readonly Outcome[];
}

/** Terms that ask DNS (RFC 7208 4.6.4), and questions among those that may bring nothing. */
const MOST_LOOKUPS = 10;
const MOST_VOID = 2;
/** Exchanges of one `mx`. */
const MOST_EXCHANGES = 10;

class PermError extends Error {}

/**
 * Evaluates for one address in canonical form. Rejects with ResolverError where RFC 7208 has
 * "temperror".
 */
export async function checkHost(
  address: string,
  domain: string,
  lookup: Lookup,
): Promise<SpfResult> {
  try {
    return await new Evaluation(address, lookup).check(domain);
  } catch (error) {
    if (!isPermanent(error)) throw error;
    return { result: "permerror", why: error.message };
  }
}

/** The SPF records of a domain; there should be one. Rejects with ResolverError. */
export async function spfRecords(domain: string, lookup: Lookup): Promise<readonly string[]> {
  const answer = await lookup.txt(domain);
  return answer.kind === "records" ? answer.records.filter(isSpf) : [];
}

class Evaluation {
  readonly #address: string;
  readonly #lookup: Lookup;
  #lookups = 0;
  #void = 0;

  constructor(address: string, lookup: Lookup) {
    this.#address = address;
    this.#lookup = lookup;
  }

  async check(domain: string): Promise<SpfResult> {
    const records = await spfRecords(domain, this.#lookup);
    const [text] = records;
    if (text === undefined) return { result: "none" };
    if (records.length > 1) {
      throw new PermError(`${domain} has ${records.length} SPF records, one is allowed`);
    }
    return await this.#evaluate(parseSpf(text), domain);
  }

  /**
   * A term that cannot be evaluated may match or not: if both come to the same, that is the result.
   */
  async #evaluate(record: SpfRecord, domain: string): Promise<SpfResult> {
    const doubts: Doubt[] = [];
    try {
      return settled(await this.#follow(record, domain, doubts), doubts);
    } catch (error) {
      // Where a term before it matches, nobody meets the error.
      if (!isPermanent(error) || doubts.length === 0) throw error;
      return settled({ result: "permerror", why: error.message }, doubts);
    }
  }

  /** Goes through the terms. What cannot be evaluated does not match, and is added to the doubts. */
  async #follow(
    { directives, redirect }: SpfRecord,
    domain: string,
    doubts: Doubt[],
  ): Promise<SpfResult> {
    for (const directive of directives) {
      const match = await this.#matches(directive, domain);
      if (match === true) return { result: directive.verdict, by: directive.text };
      if (match !== false) doubts.push(match);
    }
    if (redirect !== undefined) return await this.#redirect(redirect);
    return { result: "neutral", by: "the end of the record" };
  }

  async #redirect(domain: string): Promise<SpfResult> {
    this.#count();
    if (domain.includes("%")) {
      return { result: "cannot tell", why: macros(`redirect=${domain}`), might: OUTCOMES };
    }
    const result = await this.check(domain);
    if (result.result !== "none") return result;
    throw new PermError(`${domain} of redirect= has no SPF record`);
  }

  async #matches(directive: Directive, domain: string): Promise<boolean | Doubt> {
    const { mechanism, verdict, text } = directive;
    if (mechanism.kind === "all") return true;
    if (mechanism.kind === "ip") return contains(mechanism.network, this.#address);
    this.#count();
    if (mechanism.kind === "exists" || mechanism.kind === "ptr") {
      return { why: `"${text}" is not evaluated here`, might: [verdict] };
    }
    const target = mechanism.domain ?? domain;
    if (target.includes("%")) {
      const isError = mechanism.kind === "include" ? ["permerror" as const] : [];
      return { why: macros(text), might: [verdict, ...isError] };
    }
    switch (mechanism.kind) {
      case "a":
        return this.#isNear(await this.#addressesOf(target), mechanism.bits);
      case "mx":
        return this.#isNear(await this.#addressesOfExchanges(target), mechanism.bits);
      case "include":
        return await this.#includes(target, verdict);
    }
  }

  /** RFC 7208 5.2: only "pass" is a match, and an error is one of the whole. */
  async #includes(domain: string, verdict: Verdict): Promise<boolean | Doubt> {
    const result = await this.check(domain);
    if (result.result === "none") throw new PermError(`${domain} of include: has no SPF record`);
    if (result.result !== "cannot tell") return result.result === "pass";
    const might = result.might.flatMap((outcome) => {
      if (outcome === "permerror") return outcome;
      return outcome === "pass" ? verdict : [];
    });
    return might.length > 0 && { why: result.why, might };
  }

  #isNear(addresses: readonly string[], bits: { 4: number; 6: number }): boolean {
    return addresses.some((address) => {
      const network = networkOf(address, bits);
      return network !== undefined && contains(network, this.#address);
    });
  }

  /** Of the address's own family (RFC 7208 5.3). */
  async #addressesOf(name: string): Promise<readonly string[]> {
    const type = this.#address.includes(":") ? "AAAA" : "A";
    return this.#recordsOf(await this.#lookup.addresses(name, type));
  }

  async #addressesOfExchanges(domain: string): Promise<readonly string[]> {
    const records = this.#recordsOf(await this.#lookup.mx(domain));
    if (records.length > MOST_EXCHANGES) {
      throw new PermError(`${domain} has more than ${MOST_EXCHANGES} MX records`);
    }
    const names = records.map(({ exchange }) => exchange).filter((exchange) => exchange !== "");
    const found: string[] = [];
    // That one of them has no address counts for nothing: only the question for MX is a term's.
    for (const name of names) {
      const answer = await allAddresses(this.#lookup, name);
      if (answer.kind === "records") found.push(...answer.records);
    }
    return found;
  }

  #recordsOf<T>(answer: Answer<T>): readonly T[] {
    if (answer.kind === "records") return answer.records;
    if (++this.#void > MOST_VOID) {
      throw new PermError(`more than ${MOST_VOID} of its look-ups bring nothing`);
    }
    return [];
  }

  #count(): void {
    if (++this.#lookups > MOST_LOOKUPS) {
      throw new PermError(`it takes more than ${MOST_LOOKUPS} look-ups`);
    }
  }
}

function isPermanent(error: unknown): error is PermError | SpfSyntaxError {
  return error instanceof PermError || error instanceof SpfSyntaxError;
}

/** What comes of it if what is in doubt may match before. */
function settled(result: SpfResult, doubts: readonly Doubt[]): SpfResult {
  const [first] = doubts;
  if (!first || result.result === "none") return result;
  const own = result.result === "cannot tell" ? result.might : [result.result];
  const might = [...new Set([...doubts.flatMap((doubt) => doubt.might), ...own])];
  return might.length === 1 ? result : { result: "cannot tell", why: first.why, might };
}

function networkOf(address: string, bits: { 4: number; 6: number }) {
  const bytes = parseIp(address);
  return bytes && { address: bytes, bits: bytes.length === 4 ? bits[4] : bits[6] };
}

function macros(text: string): string {
  return `"${text}" has macros, which are not evaluated here`;
}
