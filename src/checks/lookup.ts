/** Questions to name servers as the checks need them: each answer with what it proves. */

import type { Clock } from "../clock.ts";
import { printHostPort } from "../receiver/listener.ts";
import {
  type Answer,
  mapped,
  MAX_LINKS,
  type NameServer,
  plainName,
  query,
  type Question,
  read,
  type Response,
  together,
} from "../relay/dns.ts";
import { type MxRecord, ResolverError } from "../relay/resolver.ts";
import { canonicalIp } from "../smtp/ip.ts";
import { reverseName } from "./record.ts";

/** Names come without a dot at the end, and so they are returned. All reject with ResolverError. */
export interface Lookup {
  mx(name: string): Promise<Answer<MxRecord>>;
  /** In canonical form. */
  addresses(name: string, type: "A" | "AAAA"): Promise<Answer<string>>;
  /** The names of an address. */
  ptr(address: string): Promise<Answer<string>>;
  /** Each record as one text. */
  txt(name: string): Promise<Answer<string>>;
  /** The name that this one is an alias of (CNAME), undefined where it is none. */
  alias(name: string): Promise<string | undefined>;
}

/** No name server can be asked about anything. */
export class UnreachableError extends ResolverError {
  override name = "UnreachableError";
}

/** The addresses of both families, IPv4 first. Rejects where trouble with one leaves none. */
export async function allAddresses(lookup: Lookup, name: string): Promise<Answer<string>> {
  const types = ["A", "AAAA"] as const;
  const asked = types.map((type) => lookup.addresses(name, type));
  return together(await Promise.allSettled(asked));
}

/** Milliseconds that one question to one server may take. */
const PATIENCE = 3000;

/** How often a server that did answer may fail to, before it is not asked again. */
const MOST_SILENCES = 3;

/** What is known of a server. */
interface Standing {
  answered: boolean;
  silences: number;
  trouble: string;
}

export interface DnsLookupOptions {
  /** In the order to ask them. */
  readonly nameServers: readonly NameServer[];
  readonly clock: Clock;
  readonly patience?: number;
}

/**
 * Asks name servers over TCP, each question once. A server that never answers is asked a single
 * time, whatever the number of questions.
 */
export class DnsLookup implements Lookup {
  readonly #servers: ReadonlyMap<NameServer, Standing>;
  readonly #clock: Clock;
  readonly #patience: number;
  readonly #responses = new Map<string, Promise<Response>>();

  constructor({ nameServers, clock, patience = PATIENCE }: DnsLookupOptions) {
    this.#servers = new Map(nameServers.map((server) => {
      return [server, { answered: false, silences: 0, trouble: "" }];
    }));
    this.#clock = clock;
    this.#patience = patience;
  }

  async mx(name: string): Promise<Answer<MxRecord>> {
    return mapped(await this.#ask<MxRecord>("MX", name), ({ preference, exchange }) => {
      return { preference, exchange: plainName(exchange) };
    });
  }

  async addresses(name: string, type: "A" | "AAAA"): Promise<Answer<string>> {
    return mapped(await this.#ask<string>(type, name), (text) => canonicalIp(text) ?? text);
  }

  async ptr(address: string): Promise<Answer<string>> {
    return mapped(await this.#ask<string>("PTR", reverseName(address)), plainName);
  }

  async txt(name: string): Promise<Answer<string>> {
    const decoder = new TextDecoder();
    return mapped(await this.#ask<readonly Uint8Array[]>("TXT", name), (strings) => {
      return strings.map((string) => decoder.decode(string)).join("");
    });
  }

  async alias(name: string): Promise<string | undefined> {
    const question = { name: plainName(name), type: "CNAME" };
    if (!fitsDns(question.name)) return undefined;
    const { rcode, answers } = await this.#response(question);
    if (rcode !== "NOERROR" && rcode !== "NXDOMAIN") throw this.#noAnswer(question);
    const found = answers.find((answer) => {
      return answer.type === "CNAME" && plainName(answer.name) === question.name;
    });
    return found && plainName(String(found.data));
  }

  async #ask<T>(type: string, name: string): Promise<Answer<T>> {
    let question = { name: plainName(name), type };
    for (let link = 0; link <= MAX_LINKS; link++) {
      if (!fitsDns(question.name)) return { kind: "no such domain" };
      const answer = readOf<T>(await this.#response(question), question);
      if (answer.kind !== "alias") return answer;
      question = { name: answer.target, type };
    }
    throw new ResolverError(`${name} is in a circle of CNAMEs`);
  }

  #response(question: Question): Promise<Response> {
    const key = `${question.type} ${question.name}`;
    const response = this.#responses.get(key) ?? this.#askServers(question);
    this.#responses.set(key, response);
    return response;
  }

  /** The first server's answer that proves something. */
  async #askServers(question: Question): Promise<Response> {
    for (const [server, standing] of this.#servers) {
      if (isGone(standing)) continue;
      try {
        const response = await this.#inTime((limit) => query(server, question, limit));
        standing.answered = true;
        standing.trouble = response.rcode;
        if (response.rcode === "NOERROR" || response.rcode === "NXDOMAIN") return response;
      } catch (error) {
        standing.silences++;
        standing.trouble = trouble(error);
      }
    }
    throw this.#noAnswer(question);
  }

  #noAnswer({ type, name }: Question): ResolverError {
    const words = [...this.#servers].map(([{ host, port }, { trouble }]) => {
      return `${printHostPort(host, port)} (${trouble})`;
    });
    const places = words.join(", ");
    if ([...this.#servers.values()].every(isGone)) {
      return new UnreachableError(`no name server answers: ${places}`);
    }
    return new ResolverError(`no usable answer about ${type} of ${name} from ${places}`);
  }

  async #inTime<T>(act: (limit: AbortSignal) => Promise<T>): Promise<T> {
    const limit = new AbortController();
    const callOff = this.#clock.after(this.#patience, () => limit.abort());
    try {
      return await act(limit.signal);
    } catch (error) {
      throw limit.signal.aborted ? new Error("no answer") : error;
    } finally {
      callOff();
    }
  }
}

function isGone({ answered, silences }: Standing): boolean {
  return silences >= (answered ? MOST_SILENCES : 1);
}

function trouble(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "connection refused";
  return error instanceof Error ? error.message : String(error);
}

function readOf<T>(response: Response, question: Question): ReturnType<typeof read<T>> {
  try {
    return read<T>(response, question);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ResolverError(`no usable answer about ${question.type} of ${question.name}: ${why}`);
  }
}

/** What DNS can hold: labels of up to 63 octets, 255 in all (RFC 1035 2.3.4). */
function fitsDns(name: string): boolean {
  return name.length <= 253 && name.split(".").every(({ length }) => length > 0 && length <= 63);
}
