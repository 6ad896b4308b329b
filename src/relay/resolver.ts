/**
 * Questions to name servers: which hosts take a domain's mail, and which addresses a host has. Deno
 * asks first. Where that brings no record it does not tell "there is none" from "it did not work",
 * so the same is asked again over TCP and the response code read here.
 */

import { Buffer } from "node:buffer";
import { domainToASCII } from "node:url";
import dnsPacket from "dns-packet";

export interface MxRecord {
  readonly preference: number;
  /**
   * In lower case, without the last dot; "" is the root (RFC 7505). Whoever owns the domain wrote
   * it, so it may be anything but a domain name.
   */
  readonly exchange: string;
}

/** What a name server says for sure. Records are in its order, one at least. */
export type Answer<T> =
  | { readonly kind: "records"; readonly records: readonly T[] }
  | { readonly kind: "no data" }
  | { readonly kind: "no such domain" };

/** No name server gave a usable answer; a later question may get one. The message is fit for logs. */
export class ResolverError extends Error {
  override name = "ResolverError";
}

/** Names come in any case, without a dot at the end. Both reject with ResolverError. */
export interface Resolver {
  mx(name: string): Promise<Answer<MxRecord>>;
  /** IP addresses, in the order to try them. */
  addresses(name: string): Promise<Answer<string>>;
}

export interface NameServer {
  /** An IP address without brackets. */
  readonly host: string;
  readonly port: number;
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

/** A longer chain of CNAMEs is taken for a circle. */
const MAX_LINKS = 8;

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

/** A name server did not answer in time. */
class Silence extends Error {
  override message = "no answer";
}

/** Asks name servers, one after the other until one gives an answer. */
export class DnsResolver implements Resolver {
  readonly #nameServers: readonly NameServer[];
  readonly #families: readonly Kind<string>[];
  readonly #patience: number;

  constructor({ nameServers, families, patience = PATIENCE }: DnsOptions) {
    this.#nameServers = nameServers;
    this.#families = ADDRESSES.filter(({ type }) => families.some((family) => family === type));
    this.#patience = patience;
  }

  async mx(name: string): Promise<Answer<MxRecord>> {
    const answer = await this.#ask(MX, name);
    if (answer.kind !== "records") return answer;
    const records = answer.records.map(({ preference, exchange }) => {
      return { preference, exchange: plainName(exchange) };
    });
    return { kind: "records", records };
  }

  async addresses(name: string): Promise<Answer<string>> {
    const asked = this.#families.map((kind) => this.#ask(kind, name));
    const outcomes = await Promise.allSettled(asked);
    const answers = outcomes.flatMap((o) => o.status === "fulfilled" ? o.value : []);
    const records = answers.flatMap((answer) => answer.kind === "records" ? answer.records : []);
    if (records.length > 0) return { kind: "records", records };
    // That one family has none says nothing of the other.
    const failure = outcomes.find((outcome) => outcome.status === "rejected");
    if (failure) throw failure.reason;
    return { kind: answers.some(({ kind }) => kind === "no data") ? "no data" : "no such domain" };
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
      const response = await this.#inTime((limit) => exchange(server, question, limit));
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

function place({ host, port }: NameServer): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A name as it is on the wire. Deno shows the labels of international names decoded. */
function plainName(name: string): string {
  const plain = name.toLowerCase().replace(/\.$/, "");
  return /^[ -~]*$/.test(plain) ? plain : domainToASCII(plain) || plain;
}

interface Question {
  readonly name: string;
  readonly type: string;
  readonly class?: string;
}

/** A DNS message as dns-packet reads it. */
interface Response {
  readonly id: number;
  readonly flag_qr: boolean;
  /** Truncated. */
  readonly flag_tc: boolean;
  /** Recursion available. */
  readonly flag_ra: boolean;
  readonly rcode: string;
  readonly questions: readonly Question[];
  readonly answers: readonly (Question & { readonly data: unknown })[];
  readonly authorities: readonly Question[];
}

/** What is used of dns-packet, which comes without types. */
interface DnsPacket {
  /** With the length that stands in front over TCP. */
  streamEncode(
    query: { type: "query"; id: number; flags: number; questions: readonly Question[] },
  ): Uint8Array;
  decode(message: Buffer): Response;
  readonly RECURSION_DESIRED: number;
}

const dns: DnsPacket = dnsPacket;

/** One question over a TCP connection of its own. Rejects with an Error that says what went wrong. */
async function exchange(
  { host, port }: NameServer,
  question: Question,
  limit: AbortSignal,
): Promise<Response> {
  const [id = 0] = crypto.getRandomValues(new Uint16Array(1));
  const flags = dns.RECURSION_DESIRED;
  const query = dns.streamEncode({ type: "query", id, flags, questions: [question] });
  using connection = await Deno.connect({ hostname: host, port, signal: limit });
  limit.throwIfAborted();
  limit.addEventListener("abort", () => connection[Symbol.dispose]());
  for (let at = 0; at < query.length;) at += await connection.write(query.subarray(at));
  const response = decode(await readMessage(connection));
  if (response?.id !== id || !response.flag_qr) throw new Error("no answer to this question");
  return response;
}

/** Undefined where the bytes are no DNS message. */
function decode(message: Buffer): Response | undefined {
  try {
    return dns.decode(message);
  } catch {
    return undefined;
  }
}

/** Over TCP a message stands behind its length in two octets (RFC 1035 4.2.2). */
async function readMessage(connection: Deno.Conn): Promise<Buffer> {
  const buffer = Buffer.alloc(2 + 0xffff);
  let end = 2;
  for (let filled = 0; filled < end;) {
    const length = await connection.read(buffer.subarray(filled));
    if (length === null) throw new Error("connection closed");
    filled += length;
    if (filled >= 2) end = 2 + buffer.readUInt16BE(0);
  }
  return buffer.subarray(2, end);
}

/**
 * What a response proves, or the other name to ask about. Throws an Error where it proves nothing.
 * Care is due: "no such domain" returns mail, and "no data" sends it to the domain's own address.
 */
function read<T>(
  { rcode, flag_tc, flag_ra, questions, answers, authorities }: Response,
  { name, type }: Question,
): Answer<T> | { readonly kind: "alias"; readonly target: string } {
  if (rcode !== "NOERROR" && rcode !== "NXDOMAIN") throw new Error(rcode);
  const [asked] = questions;
  const same = asked?.type === type && asked.class === "IN" && plainName(asked.name) === name;
  if (!same || flag_tc) throw new Error("no answer to this question");
  if (rcode === "NXDOMAIN") return { kind: "no such domain" };

  const owner = followAliases(answers, name);
  const records = answers.filter((a) => a.type === type && plainName(a.name) === owner);
  // dns-packet makes of each record what Deno makes of it.
  if (records.length > 0) return { kind: "records", records: records.map(({ data }) => data as T) };
  // RFC 2308 2.2: with an SOA record the absence is certain, with NS records alone it is a referral.
  if (authorities.some(({ type }) => type === "SOA")) return { kind: "no data" };
  if (owner !== name) return { kind: "alias", target: owner };
  if (!flag_ra || authorities.length > 0) throw new Error("it does not look further");
  return { kind: "no data" };
}

/** The name at the end of the CNAMEs in an answer. */
function followAliases(answers: Response["answers"], name: string): string {
  let owner = name;
  for (let link = 0; link < MAX_LINKS; link++) {
    const alias = answers.find((a) => a.type === "CNAME" && plainName(a.name) === owner);
    if (!alias) return owner;
    owner = plainName(String(alias.data));
  }
  throw new Error("a circle of CNAMEs");
}
