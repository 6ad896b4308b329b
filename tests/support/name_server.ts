/**
 * A name server for tests, on loopback, over UDP and TCP. It answers as a resolving one does, from
 * a table that a test may change while the server runs.
 */

import { Buffer } from "node:buffer";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import dnsPacket from "dns-packet";

const CODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };

/** How a question is answered without records. */
export type Behaviour =
  | "NXDOMAIN"
  | "SERVFAIL"
  | "REFUSED"
  | "FORMERR"
  /** NOERROR without a record, but with the name of another server: this one will not resolve. */
  | "referral"
  /** NOERROR without anything, from a server that does not resolve. */
  | "not recursive"
  | "silence"
  /** Silence over UDP; the connection is closed over TCP. */
  | "close"
  /** Bytes that are no DNS message. */
  | "garbage"
  /** NXDOMAIN to a question with another id. */
  | "wrong id"
  /** NXDOMAIN to a question about another name. */
  | "wrong name";

/** What is known of a name. A type that is not there is answered by no data: NOERROR without records. */
export interface Entry {
  readonly A?: readonly string[] | Behaviour;
  readonly AAAA?: readonly string[] | Behaviour;
  /** "." is the root. */
  readonly MX?: readonly (readonly [preference: number, exchange: string])[] | Behaviour;
  /** Each record as one text of octets; one that is long goes out in several strings. */
  readonly TXT?: readonly string[] | Behaviour;
  readonly PTR?: readonly string[] | Behaviour;
  /** The answer goes on with what the table has for that name, unless `unfollowed`. */
  readonly CNAME?: string;
  readonly unfollowed?: boolean;
  /** The answer does not fit into UDP, whatever its length. */
  readonly truncated?: boolean;
  /** What is said over TCP instead. */
  readonly overTcp?: Entry | Behaviour;
}

/** Names in lower case without the last dot. A name that is not there does not exist: NXDOMAIN. */
export type Table = Record<string, Entry | Behaviour>;

type Transport = "UDP" | "TCP";

export interface Question {
  /** In lower case. */
  readonly name: string;
  readonly type: string;
  readonly over: Transport;
}

export interface NameServer {
  readonly host: string;
  /** Of both transports. */
  readonly port: number;
  readonly table: Table;
  /** Everything asked so far. */
  readonly questions: readonly Question[];
  [Symbol.asyncDispose](): Promise<void>;
}

interface ResourceRecord {
  readonly type: string;
  readonly name: string;
  readonly ttl: number;
  readonly data: unknown;
}

interface Response {
  readonly flags: number;
  readonly answers?: readonly ResourceRecord[];
  readonly authorities?: readonly ResourceRecord[];
}

interface Message extends Response {
  readonly id: number;
  readonly type: "response";
  readonly questions: readonly { readonly name: string; readonly type: string }[];
}

/** What is used of dns-packet, which comes without types. */
interface DnsPacket {
  encode(message: Message): Uint8Array;
  decode(bytes: Buffer): Pick<Message, "id" | "questions">;
  readonly RECURSION_AVAILABLE: number;
  readonly RECURSION_DESIRED: number;
  readonly TRUNCATED_RESPONSE: number;
}

const dns: DnsPacket = dnsPacket;

const HOST = "127.0.0.1";
const TTL = 60;

/** Octets of an answer over UDP (RFC 1035 4.2.1). */
const MAX_DATAGRAM = 512;

/** Starts a name server, on a free port where none is given. */
export async function startNameServer(table: Table = {}, port = 0): Promise<NameServer> {
  const { listener, socket } = await bind(port);
  const questions: Question[] = [];
  const connections = new Set<Deno.TcpConn>();

  socket.on("message", (bytes, { port, address }) => {
    const response = respond(bytes, "UDP");
    if (typeof response !== "string") socket.send(response, port, address);
  });
  const accepting = accept();

  return {
    host: HOST,
    port: listener.addr.port,
    table,
    questions,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of connections) connection.close();
      const closed = once(socket, "close");
      socket.close();
      await Promise.all([closed, accepting]);
    },
  };

  function respond(bytes: Buffer, over: Transport): Uint8Array | "silence" | "close" {
    const { id, questions: [question] } = dns.decode(bytes);
    if (!question) return "silence";
    const name = question.name.toLowerCase();
    questions.push({ name, type: question.type, over });
    const found = consult(table, name, question.type, over);
    if (found === "silence" || found === "close") return found;
    if (found === "garbage") return new Uint8Array(40).fill(0xff);
    const message: Message = {
      id: found === "wrong id" ? id ^ 1 : id,
      type: "response",
      questions: [found === "wrong name" ? { ...question, name: "another.test" } : question],
      ...typeof found === "string" ? noRecords("NXDOMAIN") : found,
    };
    const whole = dns.encode(message);
    if (over === "TCP" || whole.length <= MAX_DATAGRAM) return whole;
    return dns.encode({ ...message, answers: [], flags: FLAGS | dns.TRUNCATED_RESPONSE });
  }

  async function accept(): Promise<void> {
    const serving: Promise<void>[] = [];
    for await (const connection of listener) serving.push(serve(connection));
    await Promise.all(serving);
  }

  async function serve(connection: Deno.TcpConn): Promise<void> {
    connections.add(connection);
    try {
      for (;;) {
        const length = new DataView((await read(connection, 2)).buffer).getUint16(0);
        const response = respond(Buffer.from(await read(connection, length)), "TCP");
        if (response === "close") break;
        if (response !== "silence") await write(connection, response);
      }
    } catch (error) {
      // Whoever asked may go at any time, and so may the server.
      if (!GONE.some((kind) => error instanceof kind)) throw error;
    } finally {
      connections.delete(connection);
      connection[Symbol.dispose]();
    }
  }
}

const GONE = [
  Deno.errors.BadResource,
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionReset,
  Deno.errors.Interrupted,
  Deno.errors.UnexpectedEof,
];

/** One port number that is free for both transports. */
async function bind(port: number): Promise<{ listener: Deno.TcpListener; socket: Socket }> {
  for (;;) {
    const listener = Deno.listen({ hostname: HOST, port });
    const socket = createSocket("udp4");
    try {
      socket.bind(listener.addr.port, HOST);
      await once(socket, "listening");
      return { listener, socket };
    } catch (error) {
      listener.close();
      socket.close();
      const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
      if (!taken || port !== 0) throw error;
    }
  }
}

/** What the table says to a question. */
function consult(
  table: Table,
  asked: string,
  type: string,
  over: Transport,
): Response | Exclude<Behaviour, keyof typeof CODES> {
  const answers: ResourceRecord[] = [];
  for (let name = asked;;) {
    let entry = table[name] ?? "NXDOMAIN";
    if (typeof entry !== "string" && over === "TCP") entry = entry.overTcp ?? entry;
    if (typeof entry !== "string" && over === "UDP" && entry.truncated) {
      return { flags: FLAGS | dns.TRUNCATED_RESPONSE };
    }
    if (typeof entry !== "string" && entry.CNAME !== undefined) {
      answers.push({ type: "CNAME", name, ttl: TTL, data: entry.CNAME });
      if (entry.unfollowed || type === "CNAME") return { flags: FLAGS, answers };
      name = entry.CNAME;
      continue;
    }
    const found = typeof entry === "string" ? entry : recordsOf(entry, type);
    if (typeof found !== "string") {
      answers.push(...found.map((data) => ({ type, name, ttl: TTL, data })));
      return found.length > 0 ? { flags: FLAGS, answers } : noRecords("NOERROR", answers);
    }
    if (found in CODES) return noRecords(found as keyof typeof CODES, answers);
    if (found === "not recursive") return { flags: dns.RECURSION_DESIRED };
    if (found !== "referral") return found as Exclude<Behaviour, keyof typeof CODES>;
    const server = { type: "NS", name: "test", ttl: TTL, data: "another.test" };
    return { flags: FLAGS, authorities: [server] };
  }
}

const FLAGS = dns.RECURSION_DESIRED | dns.RECURSION_AVAILABLE;

/** The data of each record, as dns-packet takes it. */
function recordsOf(entry: Entry, type: string): readonly unknown[] | Behaviour {
  if (type === "A" || type === "AAAA" || type === "PTR") return entry[type] ?? [];
  if (type === "TXT") return typeof entry.TXT === "string" ? entry.TXT : stringsOf(entry.TXT ?? []);
  if (type !== "MX" || entry.MX === undefined) return [];
  if (typeof entry.MX === "string") return entry.MX;
  return entry.MX.map(([preference, exchange]) => ({ preference, exchange }));
}

/** Each text in character-strings of up to 255 octets (RFC 1035 3.3). */
function stringsOf(texts: readonly string[]): Buffer[][] {
  return texts.map((text) => {
    const bytes = Buffer.from(text, "latin1");
    const count = Math.max(1, Math.ceil(bytes.length / 255));
    return Array.from({ length: count }, (_, i) => bytes.subarray(255 * i, 255 * (i + 1)));
  });
}

/** The SOA record is how a negative answer is known to be whole (RFC 2308 2). */
function noRecords(code: keyof typeof CODES, answers: readonly ResourceRecord[] = []): Response {
  const soa = {
    type: "SOA",
    name: "test",
    ttl: TTL,
    data: {
      mname: "ns.test",
      rname: "hostmaster.test",
      serial: 1,
      refresh: 3600,
      retry: 600,
      expire: 86400,
      minimum: TTL,
    },
  };
  const known = code === "NOERROR" || code === "NXDOMAIN";
  return { flags: FLAGS | CODES[code], answers, authorities: known ? [soa] : [] };
}

/** Throws UnexpectedEof where the connection ends before. */
async function read(connection: Deno.TcpConn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const more = await connection.read(bytes.subarray(at));
    if (more === null) throw new Deno.errors.UnexpectedEof();
    at += more;
  }
  return bytes;
}

/** Messages over TCP stand behind their length in two bytes (RFC 1035 4.2.2). */
async function write(connection: Deno.TcpConn, message: Uint8Array): Promise<void> {
  const framed = new Uint8Array(2 + message.length);
  new DataView(framed.buffer).setUint16(0, message.length);
  framed.set(message, 2);
  for (let at = 0; at < framed.length;) at += await connection.write(framed.subarray(at));
}
