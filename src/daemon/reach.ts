/** What the machine's network means for the relay: whom to ask, what can be reached, what is ours. */

import type { Configuration } from "../config/configuration.ts";
import { listenedOn } from "../config/mail_conf.ts";
import type { Place } from "../relay/relay.ts";
import type { NameServer } from "../relay/resolver.ts";
import { nameServers } from "./name_servers.ts";
import { system } from "./system.ts";

const RESOLV_CONF = "/etc/resolv.conf";

export interface Reach {
  readonly nameServers: readonly NameServer[];
  /** The kinds of addresses that can be connected to. */
  readonly families: readonly ("A" | "AAAA")[];
  /** Whether there is IPv6 beyond this machine. */
  readonly ipv6: boolean;
  /** Where this daemon can be reached that listens at these `address:port`. */
  ownPlaces(listening: readonly string[]): Place[];
}

/** Reads what the system says of its network. */
export async function readReach({ mail }: Configuration): Promise<Reach> {
  return reachOf(system.addresses(), nameServers(mail.NAME_SERVER, await resolvConf()));
}

/** The same from the machine's own addresses, in canonical form. */
export function reachOf(
  addresses: readonly string[],
  nameServers: readonly NameServer[],
): Reach {
  const ipv6 = addresses.filter((address) => address.includes(":"));
  return {
    nameServers,
    families: ipv6.length > 0 ? ["A", "AAAA"] : ["A"],
    // Link-local addresses reach no other network.
    ipv6: ipv6.some((address) => address !== "::1" && !/^fe[89ab]/.test(address)),
    ownPlaces: (listening) => listening.flatMap((place) => ownPlaces(place, addresses)),
  };
}

function ownPlaces(listening: string, addresses: readonly string[]): Place[] {
  const colon = listening.lastIndexOf(":");
  const address = listening.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  const port = Number(listening.slice(colon + 1));
  return listenedOn([address], addresses).map((own) => ({ address: own, port }));
}

/** The text of resolv.conf, undefined where there is none. */
async function resolvConf(): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(RESOLV_CONF);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
