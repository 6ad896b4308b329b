/** Where a domain's mail goes: the hosts to try, in their order (RFC 5321 5.1). */

import { contains, parseNetwork } from "../config/network.ts";
import type { HostPort } from "../config/value.ts";
import { isDomainName } from "../smtp/address.ts";
import { canonicalIp, literalAddress } from "../smtp/ip.ts";
import { type Reply, replyText } from "../smtp/reply.ts";
import { type Answer, type MxRecord, type Resolver, ResolverError } from "./resolver.ts";
import * as verdict from "./verdict.ts";

/** One host to try. */
export interface Target {
  /** Its name, or an address literal. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
}

/** What a route depends on besides the domain. */
export interface RouteFacts {
  readonly resolver: Resolver;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** Of hosts relayed to. */
  readonly port: number;
  /** Whether a name (or literal) is this host's own. */
  readonly isOwnName: (name: string) => boolean;
  /** Whether a connection to there would reach this very daemon. */
  readonly isOwnAddress: (address: string, port: number) => boolean;
  /** The daemon listens on nothing but loopback, so loopback addresses of others are as good as any. */
  readonly loopback: boolean;
  /** Whether IPv6 addresses beyond this machine can be reached. */
  readonly ipv6: boolean;
  /** Everything goes there instead. MX records of its name do not count, its addresses do. */
  readonly relayHost: HostPort | undefined;
}

/** There is nothing to try. The reply says why: 4yz for now, 5yz for good. */
export class RouteError extends Error {
  override name = "RouteError";

  constructor(readonly reply: Reply, options?: ErrorOptions) {
    super(replyText(reply), options);
  }
}

/** Whoever writes a domain's records must not keep this host busy for hours. */
const MAX_HOSTS_OF_GROUP = 10;
const MAX_HOSTS = 30;
const MAX_TARGETS = 20;

/** "This network", multicast, reserved and broadcast: nobody has such an address. */
const NOBODY = ["0.0.0.0/8", "224.0.0.0/3", "::", "ff00::/8"].map(parseNetwork);
const LOOPBACK = ["127.0.0.0/8", "::1"].map(parseNetwork);

/**
 * The hosts for a domain, best first. It is a name or an address literal as a Mailbox holds it.
 * Hosts of less preference are looked up when the better ones have been tried. Throws RouteError
 * where there is not even a first one.
 */
export async function* findTargets(
  domain: string,
  facts: RouteFacts,
): AsyncGenerator<Target, void, void> {
  if (facts.relayHost) yield* await relayHostTargets(facts.relayHost, facts);
  else if (domain.startsWith("[")) yield literalTarget(domain, facts);
  else yield* hostTargets(domain, facts);
}

async function* hostTargets(
  domain: string,
  facts: RouteFacts,
): AsyncGenerator<Target, void, void> {
  const { groups, ...found } = await findGroups(domain, facts);
  let loop = found.own;
  let trouble: ResolverError | undefined;
  let noIpv6 = false;
  let hosts = 0;
  const given = new Set<string>();
  for (const group of groups) {
    const most = Math.min(MAX_HOSTS_OF_GROUP, MAX_HOSTS - hosts);
    const chosen = shuffle(group, facts.random).slice(0, most);
    hosts += chosen.length;
    const results = await Promise.all(chosen.map((host) => lookUp(host, facts)));
    const targets = results.flatMap((result) => Array.isArray(result) ? result : []);
    noIpv6 ||= results.includes("no IPv6");
    if (targets.some(({ address, port }) => facts.isOwnAddress(address, port))) {
      loop = true;
      break;
    }
    trouble ??= results.find((result) => result instanceof ResolverError);
    for (const target of targets) {
      if (given.has(target.address)) continue;
      if (given.size === MAX_TARGETS) return;
      given.add(target.address);
      yield target;
    }
  }
  // Even after others were tried in vain: the host that could not be looked up might take it.
  if (trouble) throw new RouteError(verdict.nameServerTrouble(domain), { cause: trouble });
  if (given.size > 0) return;
  if (noIpv6) throw new RouteError(verdict.noIpv6(domain));
  throw new RouteError(loop ? verdict.mailLoop(domain) : verdict.noUsableHost(domain));
}

/**
 * The names of the domain's hosts, those of equal preference together, best first. This host and
 * whatever is no better is left out: it would only send the mail back here (RFC 5321 5.1).
 */
async function findGroups(
  domain: string,
  facts: RouteFacts,
): Promise<{ groups: readonly (readonly string[])[]; own: boolean }> {
  const records = await mailExchangers(domain, facts.resolver);
  const own = records.filter(({ exchange }) => facts.isOwnName(exchange));
  const limit = Math.min(...own.map(({ preference }) => preference));
  const usable = records.filter(({ preference, exchange }) =>
    preference < limit && isUsableName(exchange)
  );
  const groups = [...Map.groupBy(usable, ({ preference }) => preference)]
    .sort(([a], [b]) => a - b)
    .map(([, group]) => group.map(({ exchange }) => exchange));
  return { groups, own: own.length > 0 };
}

async function mailExchangers(domain: string, resolver: Resolver): Promise<readonly MxRecord[]> {
  const answer = await certain(resolver.mx(domain));
  if (answer instanceof ResolverError) {
    throw new RouteError(verdict.nameServerTrouble(domain), { cause: answer });
  }
  switch (answer.kind) {
    case "no such domain":
      throw new RouteError(verdict.noSuchDomain(domain));
    case "no data":
      // The implicit MX: the domain is its own host.
      return [{ preference: 0, exchange: domain.toLowerCase() }];
    case "records":
      // The null MX stands alone (RFC 7505 3). Among others the root is just no host.
      if (answer.records.every(({ exchange }) => exchange === "")) {
        throw new RouteError(verdict.nullMx(domain));
      }
      return answer.records;
  }
}

/** An address literal is where the mail goes, no name is looked up for it (RFC 5321 5.1). */
function literalTarget(literal: string, facts: RouteFacts): Target {
  const address = literalAddress(literal);
  if (address !== undefined && facts.isOwnAddress(address, facts.port)) {
    throw new RouteError(verdict.mailLoop(literal));
  }
  if (address === undefined || !isUsable(address, facts.loopback)) {
    throw new RouteError(verdict.unusableLiteral(literal));
  }
  // It may have IPv6 another day.
  if (!isReachable(address, facts)) throw new RouteError(verdict.noIpv6(literal));
  return { host: literal, address, port: facts.port };
}

/** All that is wrong with RELAY_HOST can be mended while the mail waits. */
async function relayHostTargets(
  { host, port }: HostPort,
  facts: RouteFacts,
): Promise<readonly Target[]> {
  const address = canonicalIp(host);
  // Who configures a host on loopback means it.
  const there = { ...facts, port: port ?? facts.port, loopback: true };
  const targets = address === undefined
    ? await lookUp(host, there)
    : [{ host, address, port: there.port }];
  if (targets === "no IPv6") throw new RouteError(verdict.noIpv6(host));
  if (targets instanceof ResolverError) {
    throw new RouteError(verdict.relayHostUnknown(host), { cause: targets });
  }
  if (targets.some((target) => facts.isOwnAddress(target.address, target.port))) {
    throw new RouteError(verdict.relayHostIsSelf(host));
  }
  if (targets.length === 0) throw new RouteError(verdict.relayHostUnknown(host));
  return targets;
}

/** A host's usable addresses in the resolver's order, or why there are none just now. */
export async function lookUp(
  host: string,
  { resolver, port, loopback, ipv6 }: Pick<RouteFacts, "resolver" | "port" | "loopback" | "ipv6">,
): Promise<Target[] | ResolverError | "no IPv6"> {
  const answer = await certain(resolver.addresses(host));
  if (answer instanceof ResolverError) return answer;
  if (answer.kind !== "records") return [];
  const addresses = new Set(answer.records.flatMap((text) => canonicalIp(text) ?? []));
  const usable = [...addresses].filter((address) => isUsable(address, loopback));
  const reachable = usable.filter((address) => isReachable(address, { ipv6 }));
  if (reachable.length === 0 && usable.length > 0) return "no IPv6";
  return reachable.map((address) => ({ host, address, port }));
}

/** A temporary failure as a value. */
async function certain<T>(answer: Promise<Answer<T>>): Promise<Answer<T> | ResolverError> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ResolverError) return error;
    throw error;
  }
}

/** Names of hosts in DNS; some have an underscore, though they should not. */
function isUsableName(name: string): boolean {
  return isDomainName(name.replaceAll("_", "x")) && !/(^|\.)localhost$/.test(name);
}

function isReachable(address: string, { ipv6 }: Pick<RouteFacts, "ipv6">): boolean {
  return ipv6 || !address.includes(":") || address === "::1";
}

function isUsable(address: string, loopback: boolean): boolean {
  const unusable = loopback ? NOBODY : [...NOBODY, ...LOOPBACK];
  return !unusable.some((network) => contains(network, address));
}

/** Every order is as likely as any other. */
function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(Math.floor(random() * left.length), 1));
}
