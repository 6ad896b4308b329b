/**
 * Questions to name servers: which hosts take a domain's mail, which addresses a host has, and which
 * texts stand at a name. Deno asks first. Where that brings no record it does not tell "there is
 * none" from "it did not work", so the same is asked again over TCP and the response code read here.
 */

import { Buffer } from "node:buffer";
import {
  type Answer,
  mapped,
  MAX_LINKS,
  type NameServer,
  plainName,
  query,
  read,
  together,
} from "./dns.ts";

export type { Answer, NameServer } from "./dns.ts";

export interface MxRecord {
  readonly preference: number;
  /**
   * In lower case, without the last dot; "" is the root (RFC 7505). Whoever owns the domain wrote
   * it, so it may be anything but a domain name.
   */
  readonly exchange: string;
}

/** No name server gave a usable answer; a later question may get one. The message is fit for logs. */
export class ResolverError extends Error {
  override name = "ResolverError";
}

/** Names come in any case, without a dot at the end. All reject with ResolverError. */
export interface Resolver {
  mx(name: string): Promise<Answer<MxRecord>>;
  /** IP addresses, in the order to try them. */
  addresses(name: string): Promise<Answer<string>>;
}

/** The same for texts. */
export interface TextResolver {
  /** Each TXT record as one text, a character for each octet. */
  txt(name: string): Promise<Answer<string>>;
}

export interface DnsOptions {
  /** In the order to ask them. */
  readonly nameServers: readonly NameServer[];
  /** The kinds of addresses that are of use; one at least. */
  readonly families: readonly ("A" | "AAAA")[];
  /** Milliseconds that one question to one server may take. */
  readonly patience?: number;
}

/**
 * What Deno allows itself where it is handed a signal: it asks twice in that time. Without a signal
 * it takes fifteen seconds and cannot be stopped.
 */
const PATIENCE = 2000;

/** How often a silent server is asked. What it has to look for itself it mostly has after six seconds. */
const ROUNDS = 3;

/** The characters of the longest name that DNS can hold: 255 octets (RFC 1035 2.3.4) on the wire. */
const MAX_NAME = 253;

interface Kind<T> {
  readonly type: string;
  resolve(name: string, options: Deno.ResolveDnsOptions): Promise<readonly T[]>;
}

const MX: Kind<MxRecord> = {
  type: "MX",
  resolve: (name, options) => Deno.resolveDns(name, "MX", options),
};

/** IPv4 first: the IPv6 addresses of many machines have no name, and receivers ask for one. */
const ADDRESSES: readonly Kind<string>[] = (["A", "AAAA"] as const).map((type) => {
  return { type, resolve: (name, options) => Deno.resolveDns(name, type, options) };
});

/** A record's strings, by Deno a character for each octet, over TCP as octets. */
const TXT: Kind<readonly (string | Uint8Array)[]> = {
  type: "TXT",
  resolve: (name, options) => Deno.resolveDns(name, "TXT", options),
};

/** A name server did not answer in time. */
class Silence extends Error {
  override message = "no answer";
}

/** Asks name servers, one after the other until one gives an answer. */
export class DnsResolver implements Resolver, TextResolver {
  readonly #nameServers: readonly NameServer[];
  readonly #families: readonly Kind<string>[];
  readonly #patience: number;

  constructor({ nameServers, families, patience = PATIENCE }: DnsOptions) {
    this.#nameServers = nameServers;
    this.#families = ADDRESSES.filter(({ type }) => families.some((family) => family === type));
    this.#patience = patience;
  }

  async mx(name: string): Promise<Answer<MxRecord>> {
    return mapped(await this.#ask(MX, name), ({ preference, exchange }) => {
      return { preference, exchange: plainName(exchange) };
    });
  }

  async addresses(name: string): Promise<Answer<string>> {
    const asked = this.#families.map((kind) => this.#ask(kind, name));
    return together(await Promise.allSettled(asked));
  }

  async txt(name: string): Promise<Answer<string>> {
    return mapped(await this.#ask(TXT, name), (strings) => strings.map(octetText).join(""));
  }

  async #ask<T>(kind: Kind<T>, name: string): Promise<Answer<T>> {
    if (name.length > MAX_NAME) return { kind: "no such domain" };
    const troubles = new Map<NameServer, string>();
    let servers = this.#nameServers;
    for (let round = 1; round <= ROUNDS && servers.length > 0; round++) {
      const silent: NameServer[] = [];
      for (const server of servers) {
        try {
          return await this.#askServer(server, kind, name);
        } catch (error) {
          troubles.set(server, error instanceof Error ? error.message : String(error));
          if (error instanceof Silence) silent.push(server);
        }
      }
      servers = silent;
    }
    const words = [...troubles].map(([server, trouble]) => `${place(server)} (${trouble})`);
    throw new ResolverError(
      `no usable answer about ${kind.type} of ${name} from ${words.join(", ")}`,
    );
  }

  async #askServer<T>(server: NameServer, kind: Kind<T>, name: string): Promise<Answer<T>> {
    const nameServer = { ipAddr: server.host, port: server.port };
    try {
      // A name that ends in a dot is whole, no search list completes it.
      const records = await this.#inTime((signal) =>
        kind.resolve(`${name}.`, { nameServer, signal })
      );
      if (records.length > 0) return { kind: "records", records };
    } catch (error) {
      if (error instanceof Silence) throw error;
    }
    return await this.#askOverTcp(server, kind, name);
  }

  async #askOverTcp<T>(server: NameServer, { type }: Kind<T>, name: string): Promise<Answer<T>> {
    let question = { name: plainName(name), type };
    for (let link = 0; link <= MAX_LINKS; link++) {
      const response = await this.#inTime((limit) => query(server, question, limit));
      const answer = read<T>(response, question);
      if (answer.kind !== "alias") return answer;
      question = { name: answer.target, type };
    }
    throw new Error("a circle of CNAMEs");
  }

  async #inTime<T>(act: (limit: AbortSignal) => Promise<T>): Promise<T> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), this.#patience);
    try {
      return await act(limit.signal);
    } catch (error) {
      const late = limit.signal.aborted || error instanceof Deno.errors.TimedOut;
      throw late ? new Silence() : error;
    } finally {
      clearTimeout(timer);
    }
  }
}

function octetText(string: string | Uint8Array): string {
  return typeof string === "string" ? string : Buffer.from(string).toString("latin1");
}

function place({ host, port }: NameServer): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
