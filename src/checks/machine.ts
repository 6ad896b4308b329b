/** The machine as the internet sees it: which addresses are its own, and which could be. */

import { contains, type Network, parseNetwork } from "../config/network.ts";

const networks = (...texts: string[]): readonly Network[] => texts.map(parseNetwork);

const LOOPBACK = networks("127.0.0.0/8", "::1");
/** Link-local addresses reach no other network. */
const LINK_LOCAL = networks("169.254.0.0/16", "fe80::/10");
/** RFC 1918, RFC 6598 (the networks of providers), RFC 4193. */
const PRIVATE = networks(
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "fc00::/7",
);
/** "This network", multicast, reserved and broadcast: nobody has such an address. */
const NOBODY = networks("0.0.0.0/8", "224.0.0.0/3", "::", "ff00::/8");

const within = (address: string, list: readonly Network[]) =>
  list.some((network) => contains(network, address));

export function isLoopback(address: string): boolean {
  return within(address, LOOPBACK);
}

/** Whether all the internet can reach it, as far as the address tells. */
export function isPublic(address: string): boolean {
  return !within(address, [...LOOPBACK, ...LINK_LOCAL, ...PRIVATE, ...NOBODY]);
}

/** Where an address leads to that stands in DNS. */
export type Where =
  | "here"
  /** To this machine, but the daemon does not listen there. */
  | "not listened on"
  | "elsewhere"
  /** The machine is behind NAT, so the address may be translated to one of its own. */
  | "unknown";

export class Machine {
  /** Those of its addresses that other hosts can see. */
  readonly addresses: readonly string[];
  /** Those of them that are listened on. */
  readonly listening: readonly string[];

  /** Both in canonical form. */
  constructor(addresses: readonly string[], listening: readonly string[]) {
    const isSeen = (address: string) => !within(address, [...LOOPBACK, ...LINK_LOCAL, ...NOBODY]);
    this.addresses = [...new Set(addresses)].filter(isSeen);
    this.listening = [...new Set(listening)].filter(isSeen);
  }

  get publicAddresses(): readonly string[] {
    return this.addresses.filter(isPublic);
  }

  whereIs(address: string): Where {
    if (this.listening.includes(address)) return "here";
    if (this.addresses.includes(address)) return "not listened on";
    if (within(address, [...LOOPBACK, ...LINK_LOCAL, ...NOBODY])) return "elsewhere";
    if (this.publicAddresses.length === 0) return "unknown";
    // Each family has its own way out: often only IPv4 is translated.
    const family = this.addresses.filter((own) => own.includes(":") === address.includes(":"));
    return family.length > 0 && !family.some(isPublic) ? "unknown" : "elsewhere";
  }
}
