/** Answers of name servers: messages as they are on the wire, and the resolver in front of such a server. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import dnsPacket from "dns-packet";
import { plainName, type Question, read, type Response } from "../../src/relay/dns.ts";
import { DnsResolver, ResolverError } from "../../src/relay/resolver.ts";
import { canonicalIp } from "../../src/smtp/ip.ts";
import type { Random } from "../support/random.ts";
import { rawNameServer } from "./name_server.ts";
import type { Target } from "./target.ts";

/** What is used of dns-packet, which comes without types. */
interface DnsPacket {
  encode(message: unknown): Uint8Array;
  decode(bytes: Buffer): Response;
}

const dns: DnsPacket = dnsPacket;

const NAME = "x.test";
const TYPES = ["MX", "A", "AAAA", "TXT"];
const NAMES = [
  NAME,
  NAME,
  NAME,
  "X.Test",
  "y.test",
  "",
  "a b.test",
  "xn--bcher-kva.test",
  `${"l".repeat(63)}.test`,
];

const RECURSION_AVAILABLE = 1 << 7;
const TRUNCATED = 1 << 9;

/** A record, mostly of this type. */
function record(random: Random, wanted: string): unknown {
  const name = random.chance(0.8) ? NAME : random.pick(NAMES);
  const type = random.chance(0.7) ? wanted : random.pick([...TYPES, "CNAME", "NS", "SOA"]);
  return { type, name, data: dataOf(random, type) };
}

function dataOf(random: Random, type: string): unknown {
  switch (type) {
    case "MX": {
      const exchange = random.pick([...NAMES, ".", "m.x.test"]);
      return { preference: random.between(0, 65535), exchange };
    }
    case "A":
      return "192.0.2.1";
    case "AAAA":
      return "2001:db8::1";
    case "TXT": {
      const text = random.pick(["v=STSv1; id=1", "", "\xff\0", "x".repeat(255)]);
      return [Buffer.from(text, "latin1"), Buffer.from("more")];
    }
    case "SOA":
      return { mname: "ns.test", rname: "h.test" };
    default:
      return random.pick(NAMES);
  }
}

/** An answer about this name and some type, mostly a fitting one, without its id. */
function message(random: Random): Uint8Array {
  const type = random.pick(TYPES);
  const some = (type: string, least: number, most: number) =>
    Array.from({ length: random.between(least, most) }, () => record(random, type));
  const question = { name: random.chance(0.95) ? NAME : random.pick(NAMES), type };
  const encoded = dns.encode({
    type: "response",
    id: 0,
    flags: random.pick([0, 0, 0, 0, 0, 0, 2, 3, 5, 15]) |
      (random.chance(0.8) ? RECURSION_AVAILABLE : 0) | (random.chance(0.05) ? TRUNCATED : 0),
    questions: random.chance(0.97) ? [question] : [],
    answers: some(type, random.chance(0.7) ? 1 : 0, 3),
    authorities: some("SOA", 0, 1),
    additionals: some("A", 0, 1),
  });
  return Uint8Array.from(encoded);
}

const WORDS = [
  "\xc0\x0c",
  "\xc0\x00",
  "\xc0\xff",
  "\0",
  "\x3f",
  "\0\x0f\0\x01",
  "\0\x01\0\x01",
  "\0\x05\0\x01",
]
  .concat([
    "\0\x10\0\x01",
    "\0\x1c\0\x01",
    "\xff\xff",
    "\0\0",
    "\x01x\x04test\0",
    "\0\x29",
    "\x80",
  ]);

/** What a message proves, by itself. */
export const dnsMessage: Target = {
  name: "dns-message",
  runs: 8000,
  words: WORDS,
  reaches: { records: 0.12, "no such domain": 0.03, "no data": 0.03, alias: 0.008, nothing: 0.3 },
  generate: message,
  run(_, input) {
    const response = decoded(input);
    if (!response) return ["garbage"];
    const judged = TYPES.map((type) => judge(response, { name: NAME, type }));
    return [...judged, ...judged.some((one) => one.startsWith("nothing")) ? ["nothing"] : []];
  },
};

function decoded(message: Uint8Array): Response | undefined {
  try {
    return dns.decode(Buffer.from(message));
  } catch {
    return undefined;
  }
}

function judge(response: Response, question: Question): string {
  let answer;
  try {
    answer = read<unknown>(response, question);
  } catch (error) {
    // Not one of its kinds, which a mistake in the reader would throw.
    assert.ok(error instanceof Error && error.constructor === Error, String(error));
    return `nothing ${error.message}`;
  }
  const { rcode, questions } = response;
  assert.equal(plainName(questions[0]!.name), question.name);
  assert.equal(answer.kind === "no such domain", rcode === "NXDOMAIN");
  if (answer.kind === "alias") assert.notEqual(answer.target, question.name);
  return answer.kind;
}

const QUESTIONS = { MX: "mx", A: "addresses", AAAA: "addresses", TXT: "txt" } as const;

/** The resolver, whose questions are all answered by the input: over TCP, or by way of Deno. */
export const resolver: Target = {
  name: "resolver",
  runs: 300,
  words: WORDS,
  reaches: { records: 0.12, "no such domain": 0.01, trouble: 0.3 },
  generate: message,
  async run(random, input) {
    const response = decoded(input);
    const type = (["MX", "A", "AAAA", "TXT"] as const)
      .find((one) => response?.questions[0]?.type === one) ?? "MX";
    // Deno complains of other answers on standard error.
    const fits = response !== undefined && judge(response, { name: NAME, type }) === "records";
    await using server = rawNameServer(input, fits && random.chance(0.5));
    const family = type === "A" ? "A" : "AAAA";
    const resolver = new DnsResolver({ nameServers: [server], families: [family], patience: 150 });
    const question = QUESTIONS[type];
    try {
      const answer = await resolver[question](NAME);
      if (answer.kind === "records") answer.records.forEach(checkRecord);
      return [answer.kind];
    } catch (error) {
      if (!(error instanceof ResolverError)) throw error;
      assert.match(error.message, /^[ -~]{1,500}$/, "the message is fit for logs");
      return ["trouble"];
    }
  },
};

function checkRecord(record: unknown): void {
  if (typeof record === "string") {
    // A text has a character for each octet; an address is one.
    assert.match(record, /^[\0-\xff]*$/);
    if (/^[0-9a-f:.]+$/.test(record)) assert.ok(canonicalIp(record));
    return;
  }
  const { preference, exchange } = record as { preference: unknown; exchange: unknown };
  assert.ok(Number.isInteger(preference));
  assert.ok(typeof exchange === "string" && exchange === plainName(exchange));
}
