/** Whether a mail server answers on its port, seen from this machine; RELAY_HOST must do more. */

import { printHostPort } from "../receiver/listener.ts";
import type { Wire } from "../relay/wire.ts";
import { type Reply, replyText } from "../smtp/reply.ts";
import { ReplyReader } from "../smtp/reply_reader.ts";
import { canonicalIp, literalAddress } from "../smtp/ip.ts";
import { dialled, trouble } from "./dial.ts";
import { type Facts, isPublicName, publicDomains } from "./facts.ts";
import { type Finding, good, unknown, wrong } from "./finding.ts";
import { allAddresses } from "./lookup.ts";
import { checkRelayHost, type RelayHostFacts } from "./relay_host.ts";

/** Addresses that are tried, so that it ends soon. */
const MOST_TARGETS = 4;

const QUIT = new TextEncoder().encode("QUIT\r\n");

const SMTP = 25;

export interface GreetingFacts extends Facts, Omit<RelayHostFacts, "mail"> {
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
  const place = `${host} at ${printHostPort(address, port)}`;
  if (mail.RELAY_HOST) return await checkRelayHost(about, place, { host, address, port }, facts);
  let reply;
  try {
    reply = await dialled(address, port, facts, greeting);
  } catch (error) {
    const is = `${place}: ${trouble(error)}`;
    if (machine.whereIs(address) !== "elsewhere" && !serving) {
      return unknown(about, `${is}; denosmtpd does not run yet, try again when it does`);
    }
    const advice = port === SMTP ? "; many networks close port 25, RELAY_HOST helps" : "";
    return wrong(about, is, `a greeting with 220${advice}`);
  }
  const is = `${place} greets with ${replyText(reply)}`;
  return reply.code === 220 ? good(about, is) : wrong(about, is, "a greeting with 220");
}

/** The first reply of a server, to whom we say goodbye. Rejects with Error. */
async function greeting(wire: Wire): Promise<Reply> {
  const reply = await readReply(wire);
  await wire.write(QUIT).catch(() => {});
  return reply;
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
