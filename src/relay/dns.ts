/**
 * One question to a name server over TCP, and what its answer proves: that is read from the response
 * code, which Deno does not show.
 */

import { Buffer } from "node:buffer";
import { domainToASCII } from "node:url";

/** What a name server says for sure. Records are in its order, one at least. */
export type Answer<T> =
  | { readonly kind: "records"; readonly records: readonly T[] }
  | { readonly kind: "no data" }
  | { readonly kind: "no such domain" };

/** The same answer, with something else made of each record. */
export function mapped<T, U>(answer: Answer<T>, map: (record: T) => U): Answer<U> {
  return answer.kind === "records" ? { kind: "records", records: answer.records.map(map) } : answer;
}

/**
 * One answer out of those about both families of addresses: that one has none says nothing of the
 * other. Throws where trouble with one leaves none.
 */
export function together<T>(outcomes: readonly PromiseSettledResult<Answer<T>>[]): Answer<T> {
  const answers = outcomes.flatMap((o) => o.status === "fulfilled" ? o.value : []);
  const records = answers.flatMap((answer) => answer.kind === "records" ? answer.records : []);
  if (records.length > 0) return { kind: "records", records };
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure) throw failure.reason;
  return { kind: answers.some(({ kind }) => kind === "no data") ? "no data" : "no such domain" };
}

export interface NameServer {
  /** An IP address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A longer chain of CNAMEs is taken for a circle. */
export const MAX_LINKS = 8;

/** A name as it is on the wire. Deno shows the labels of international names decoded. */
export function plainName(name: string): string {
  const plain = name.toLowerCase().replace(/\.$/, "");
  return /^[ -~]*$/.test(plain) ? plain : domainToASCII(plain) || plain;
}

export interface Question {
  readonly name: string;
  readonly type: string;
  readonly class?: string;
}

/** A DNS message as dns-packet reads it. */
export interface Response {
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

/** Loaded when it is first needed: most questions Deno answers alone. */
async function dnsPacket(): Promise<DnsPacket> {
  const { default: packet } = await import("dns-packet");
  return packet;
}

/** One question over a TCP connection of its own. Rejects with an Error that says what went wrong. */
export async function query(
  { host, port }: NameServer,
  question: Question,
  limit: AbortSignal,
): Promise<Response> {
  const dns = await dnsPacket();
  const [id = 0] = crypto.getRandomValues(new Uint16Array(1));
  const flags = dns.RECURSION_DESIRED;
  const asked = dns.streamEncode({ type: "query", id, flags, questions: [question] });
  using connection = await Deno.connect({ hostname: host, port, signal: limit });
  limit.throwIfAborted();
  limit.addEventListener("abort", () => connection[Symbol.dispose]());
  for (let at = 0; at < asked.length;) at += await connection.write(asked.subarray(at));
  const response = decode(dns, await readMessage(connection));
  if (response?.id !== id || !response.flag_qr) throw new Error("no answer to this question");
  return response;
}

/** Undefined where the bytes are no DNS message. */
function decode(dns: DnsPacket, message: Buffer): Response | undefined {
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
export function read<T>(
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
  // dns-packet makes of each record what Deno makes of it, but of TXT records bytes.
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
