/** Whether a mail server answers on its port, seen from this machine. */

import type { Clock } from "../clock.ts";
import { printHostPort } from "../receiver/listener.ts";
import type { Dialer, Wire } from "../relay/wire.ts";
import { type Reply, replyText } from "../smtp/reply.ts";
import { ReplyReader } from "../smtp/reply_reader.ts";
import { canonicalIp, literalAddress } from "../smtp/ip.ts";
import { type Facts, isPublicName, publicDomains } from "./facts.ts";
import { type Finding, good, unknown, wrong } from "./finding.ts";
import { allAddresses } from "./lookup.ts";

/** Milliseconds from dialling to the whole greeting. */
const PATIENCE = 5000;
/** Addresses that are tried, so that it ends soon. */
const MOST_TARGETS = 4;

const QUIT = new TextEncoder().encode("QUIT\r\n");

export interface GreetingFacts extends Facts {
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly patience?: number;
  /** Whether the daemon serves now: it cannot greet otherwise. */
  readonly serving: boolean;
}

/** Connects to RELAY_HOST, else to the hosts of the first own domain. Rejects with ResolverError. */
export async function checkGreeting(facts: GreetingFacts): Promise<Finding[]> {
  const { mail, machine } = facts;
  const port = mail.RELAY_HOST?.port ?? mail.RELAY_PORT;
  const hosts = mail.RELAY_HOST ? [mail.RELAY_HOST.host] : await ownHosts(facts);
  const targets: { host: string; address: string }[] = [];
  for (const host of hosts) {
    for (const address of await addressesOf(host, facts)) {
      // Whoever has no IPv6 cannot try it.
      const has = !address.includes(":") || machine.addresses.some((own) => own.includes(":"));
      if (has) targets.push({ host, address });
    }
  }
  if (targets.length === 0) {
    return [unknown(`port ${port} outward`, "no host to connect to is known")];
  }
  return await Promise.all(
    targets.slice(0, MOST_TARGETS).map(({ host, address }) => {
      return checkHostGreeting(host, address, port, facts);
    }),
  );
}

/** The names (or the literal) that others find this server by, best first. */
async function ownHosts({ mail, lookup }: GreetingFacts): Promise<string[]> {
  const domains = publicDomains(mail);
  const domain = mail.LOCAL_DOMAINS.find(isPublicName)?.toLowerCase() ?? domains[0];
  if (domain === undefined) return [mail.HOSTNAME];
  const answer = await lookup.mx(domain);
  if (answer.kind !== "records") return [domain];
  return answer.records.toSorted((a, b) => a.preference - b.preference)
    .map(({ exchange }) => exchange).filter((exchange) => exchange !== "");
}

async function addressesOf(host: string, { lookup }: Facts): Promise<readonly string[]> {
  const address = literalAddress(host) ?? canonicalIp(host);
  if (address !== undefined) return [address];
  if (host.startsWith("[")) return [];
  const answer = await allAddresses(lookup, host);
  return answer.kind === "records" ? answer.records : [];
}

async function checkHostGreeting(
  host: string,
  address: string,
  port: number,
  facts: GreetingFacts,
): Promise<Finding> {
  const { mail, machine, serving } = facts;
  const about = `port ${port} outward`;
  const own = mail.RELAY_HOST === undefined && machine.whereIs(address) !== "elsewhere";
  const place = `${host} at ${printHostPort(address, port)}`;
  let reply;
  try {
    reply = await greeting(address, port, facts);
  } catch (error) {
    const is = `${place}: ${trouble(error)}`;
    if (own && !serving) {
      return unknown(about, `${is}; denosmtpd does not run yet, try again when it does`);
    }
    return wrong(about, is, "a greeting with 220; many networks close port 25, RELAY_HOST helps");
  }
  const is = `${place} greets with ${replyText(reply)}`;
  return reply.code === 220 ? good(about, is) : wrong(about, is, "a greeting with 220");
}

/** The first reply of a server, to whom we say goodbye. Rejects with Error. */
async function greeting(
  address: string,
  port: number,
  { dialer, clock, patience = PATIENCE }: GreetingFacts,
): Promise<Reply> {
  const limit = new AbortController();
  let wire: Wire | undefined;
  const callOff = clock.after(patience, () => {
    limit.abort();
    wire?.close();
  });
  try {
    wire = await dialer.connect(address, port, limit.signal);
    limit.signal.throwIfAborted();
    const reply = await readReply(wire);
    await wire.write(QUIT).catch(() => {});
    return reply;
  } catch (error) {
    throw limit.signal.aborted ? new Error("no answer") : error;
  } finally {
    callOff();
    wire?.close();
  }
}

async function readReply(wire: Wire): Promise<Reply> {
  const reader = new ReplyReader();
  for (;;) {
    const bytes = await wire.read();
    if (bytes === null) throw new Error("the connection ends without a greeting");
    const { reply } = reader.read(bytes, 0);
    if (reply) return reply;
  }
}

function trouble(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "connection refused";
  return error instanceof Error ? error.message : String(error);
}
