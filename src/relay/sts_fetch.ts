/**
 * Fetches the policy of a domain over HTTPS (RFC 8461 3.3). Its host is a stranger's: it is given
 * one deadline, and a bound on all that it says.
 */

import type { Buffer } from "node:buffer";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import type { Clock } from "../clock.ts";
import { type Bytes, ByteStream } from "../tls/stream.ts";
import { ResolverError } from "./resolver.ts";
import { lookUp, type RouteFacts, type Target } from "./route.ts";
import type { Dialer, Wire } from "./wire.ts";

/** What fetching depends on besides the domain. */
export interface StsFetchFacts extends Pick<RouteFacts, "resolver" | "loopback" | "ipv6"> {
  readonly dialer: Dialer;
  readonly clock: Pick<Clock, "after">;
  /** 443 unless told. */
  readonly port?: number;
}

/** There is no policy to be had. The message says why, with words of the host: any characters. */
export class StsFetchError extends Error {
  override name = "StsFetchError";
}

/** Milliseconds for everything, and for one address to take a connection. */
const PATIENCE = 60_000;
const CONNECT_PATIENCE = 15_000;

/** Of the host's addresses. */
const MAX_ADDRESSES = 4;

/** Bytes of a policy, of a header, and of all that the host says under TLS. */
const MAX_POLICY = 64 * 1024;
const MAX_HEADER = 16 * 1024;
const MAX_ALL = 4 * MAX_POLICY;

/**
 * The text at `https://mta-sts.DOMAIN/.well-known/mta-sts.txt`. Rejects with StsFetchError, one
 * minute from now at the latest; no connection is left behind.
 */
export async function fetchStsPolicy(domain: string, facts: StsFetchFacts): Promise<string> {
  const limit = new AbortController();
  const callOff = facts.clock.after(PATIENCE, () => {
    limit.abort(new StsFetchError("it takes longer than a minute"));
  });
  try {
    return await fetchFrom(`mta-sts.${domain}`, facts, limit.signal);
  } catch (error) {
    // What a closed connection says is of no interest.
    limit.signal.throwIfAborted();
    throw error instanceof StsFetchError ? error : trouble("it does not work", error);
  } finally {
    callOff();
  }
}

function trouble(what: string, cause: unknown): StsFetchError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new StsFetchError(`${what}: ${why}`, { cause });
}

async function fetchFrom(host: string, facts: StsFetchFacts, limit: AbortSignal): Promise<string> {
  const targets = await findHost(host, facts, limit);
  const wire = await connect(targets, facts, limit);
  const close = () => wire.close();
  limit.addEventListener("abort", close);
  let stream: ByteStream | undefined;
  try {
    limit.throwIfAborted();
    stream = new ByteStream(bounded(await secure(wire, host)));
    return await get(stream, host);
  } finally {
    limit.removeEventListener("abort", close);
    stream?.destroy();
    wire.close();
  }
}

/** Questions to name servers end by themselves, but it may take them longer than there is. */
async function findHost(
  host: string,
  { resolver, loopback, ipv6, port = 443 }: StsFetchFacts,
  limit: AbortSignal,
): Promise<readonly Target[]> {
  const late = Promise.withResolvers<never>();
  const reject = () => late.reject(limit.reason);
  limit.addEventListener("abort", reject);
  try {
    const looking = lookUp(host, { resolver, loopback, ipv6, port });
    const found = await Promise.race([looking, late.promise]);
    if (found instanceof ResolverError) throw trouble("its host cannot be looked up", found);
    if (found === "no IPv6") throw new StsFetchError(`${host} has nothing but IPv6 addresses`);
    if (found.length === 0) throw new StsFetchError(`${host} has no usable address`);
    return found;
  } finally {
    limit.removeEventListener("abort", reject);
  }
}

async function connect(
  targets: readonly Target[],
  { dialer, clock }: StsFetchFacts,
  limit: AbortSignal,
): Promise<Wire> {
  let failure: unknown;
  for (const { address, port } of targets.slice(0, MAX_ADDRESSES)) {
    const attempt = new AbortController();
    const callOff = clock.after(CONNECT_PATIENCE, () => attempt.abort(new Error("no answer")));
    try {
      return await dialer.connect(address, port, AbortSignal.any([limit, attempt.signal]));
    } catch (error) {
      limit.throwIfAborted();
      failure = error;
    } finally {
      callOff();
    }
  }
  throw trouble("its host cannot be reached", failure);
}

/** The same bytes, as long as there are not too many of them. */
function bounded(wire: Wire): Bytes {
  let left = MAX_ALL;
  return {
    async read() {
      const bytes = await wire.read();
      left -= bytes?.length ?? 0;
      if (left < 0) throw new StsFetchError("its host says too much");
      return bytes;
    },
    write: (bytes) => wire.write(bytes),
    close: () => wire.close(),
  };
}

/** Only a certificate of the host's own will do, by an authority that the dialer trusts (RFC 8461 3.3). */
async function secure(wire: Wire, host: string): Promise<Wire> {
  try {
    return await wire.secure(host, { verify: true });
  } catch (error) {
    throw trouble(`TLS with ${host} failed`, error);
  }
}

function unlessOurs(error: unknown, what: string): StsFetchError {
  return error instanceof StsFetchError ? error : trouble(what, error);
}

/** One request, on a connection of its own. Whatever is not the policy itself is an error. */
async function get(stream: ByteStream, host: string): Promise<string> {
  try {
    const response = await answer(stream, host);
    const { statusCode, headers } = response;
    if (statusCode !== 200) throw new StsFetchError(`${host} answers ${statusCode}`);
    const [type = ""] = (headers["content-type"] ?? "").split(";");
    if (type.trim().toLowerCase() !== "text/plain") {
      throw new StsFetchError(`the media type is not text/plain but "${type.trim()}"`);
    }
    // Anyone in between may end a connection, and so what ends with it.
    if (!isDelimited(headers)) throw new StsFetchError(`${host} does not tell the policy's length`);
    return await bodyOf(response);
  } catch (error) {
    throw unlessOurs(error, `no answer from ${host}`);
  }
}

function answer(stream: ByteStream, host: string): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asking = request({
    createConnection: () => stream,
    path: "/.well-known/mta-sts.txt",
    headers: { host, accept: "text/plain", connection: "close" },
    maxHeaderSize: MAX_HEADER,
  });
  asking.once("response", resolve);
  asking.on("error", reject);
  asking.once("close", () => reject(new Error("the connection was closed")));
  asking.end();
  return promise;
}

/** Whether a body of this header is known to be whole (RFC 9112 6.3). */
function isDelimited(headers: IncomingHttpHeaders): boolean {
  const coding = headers["transfer-encoding"];
  return coding === undefined ? "content-length" in headers : /(^|[ \t,])chunked$/i.test(coding);
}

async function bodyOf(response: AsyncIterable<Buffer>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const piece of response) {
    length += piece.length;
    if (length > MAX_POLICY) throw new StsFetchError("the policy is longer than 64 KiB");
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}
