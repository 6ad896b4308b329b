/** Routes in a small made-up world: its domains and hosts, and this host as one of them. */

import assert from "node:assert/strict";
import {
  type Answer,
  type MxRecord,
  type Resolver,
  ResolverError,
} from "../../src/relay/resolver.ts";
import { findTargets, RouteError, type RouteFacts } from "../../src/relay/route.ts";
import { replyText } from "../../src/smtp/reply.ts";

/** What is known of a name. What is missing there is no data, a missing name does not exist. */
interface Known {
  readonly mx?: readonly (readonly [preference: number, exchange: string])[] | "trouble";
  readonly at?: readonly string[] | "trouble";
}

export type World = Readonly<Record<string, Known | "trouble">>;

/** Answers by the world and notes which hosts' addresses were asked for. */
export class WorldResolver implements Resolver {
  readonly lookedUp: string[] = [];
  constructor(readonly world: World) {}

  mx(name: string): Promise<Answer<MxRecord>> {
    return this.#answer(
      name,
      ({ mx }) =>
        mx === "trouble" ? mx : mx?.map(([preference, exchange]) => ({ preference, exchange })),
    );
  }

  addresses(name: string): Promise<Answer<string>> {
    this.lookedUp.push(name);
    return this.#answer(name, ({ at }) => at);
  }

  #answer<T>(
    name: string,
    pick: (known: Known) => readonly T[] | "trouble" | undefined,
  ): Promise<Answer<T>> {
    const known = this.world[name];
    if (known === undefined) return Promise.resolve({ kind: "no such domain" });
    const records = known === "trouble" ? known : pick(known);
    if (records === "trouble") return Promise.reject(new ResolverError("trouble"));
    return Promise.resolve(records ? { kind: "records", records } : { kind: "no data" });
  }
}

export const OWN_ADDRESSES = ["192.0.2.99", "2001:db8::99"];

export function factsOf(resolver: Resolver, facts: Partial<RouteFacts> = {}): RouteFacts {
  return {
    resolver,
    random: () => 0,
    port: 25,
    isOwnName: (name) => name === "me.test" || name === "[192.0.2.99]",
    isOwnAddress: (address, port) => OWN_ADDRESSES.includes(address) && port === 25,
    loopback: false,
    ipv6: true,
    relayHost: undefined,
    ...facts,
  };
}

/** Every target as `host address:port`. */
export async function route(
  world: World,
  domain: string,
  facts: Partial<RouteFacts> = {},
): Promise<string[]> {
  return await routeBy(factsOf(new WorldResolver(world), facts), domain);
}

export async function routeBy(facts: RouteFacts, domain: string): Promise<string[]> {
  const targets = await Array.fromAsync(findTargets(domain, facts));
  return targets.map(({ host, address, port }) => `${host} ${address}:${port}`);
}

/** The domain must have no target, for this reason. */
export async function refused(
  reason: RegExp,
  world: World,
  domain: string,
  facts: Partial<RouteFacts> = {},
): Promise<void> {
  const words = route(world, domain, facts).then(
    (targets) => `${targets.length} targets`,
    (error) => {
      if (!(error instanceof RouteError)) throw error;
      return replyText(error.reply);
    },
  );
  assert.match(await words, reason);
}

export const NO_SUCH_DOMAIN = /^550 5\.1\.2 /;
export const NULL_MX = /^556 5\.1\.10 /;
export const MAIL_LOOP = /^554 5\.4\.6 /;
export const NO_USABLE_HOST = /^550 5\.4\.4 /;
export const NAME_SERVER_TROUBLE = /^451 4\.4\.3 /;
