/** Who is at the two ends of a connection. */

import { contains, type Network } from "../config/network.ts";
import { addressLiteral, canonicalIp, parseIp } from "../smtp/ip.ts";
import type { Ends } from "./backend.ts";
import { printHostPort } from "./listener.ts";

/** Pairs of addresses that are remembered: who comes often is known. */
const MOST_KNOWN = 1000;

export class EndsFinder {
  readonly #relayFrom: readonly Network[];
  /** All but the port, by both addresses. */
  readonly #known = new Map<string, Omit<Ends, "peer">>();

  /** Clients in the networks of `relayFrom` may send to anyone. */
  constructor(relayFrom: readonly Network[]) {
    this.#relayFrom = relayFrom;
  }

  of({ remoteAddr, localAddr }: Pick<Deno.TcpConn, "remoteAddr" | "localAddr">): Ends {
    const key = `${remoteAddr.hostname} ${localAddr.hostname}`;
    const known = this.#known.get(key) ?? this.#learn(key, remoteAddr, localAddr);
    return { ...known, peer: printHostPort(known.address, remoteAddr.port) };
  }

  #learn(key: string, remote: Deno.NetAddr, local: Deno.NetAddr): Omit<Ends, "peer"> {
    const address = canonicalIp(remote.hostname) ?? remote.hostname;
    const own = parseIp(local.hostname);
    const ends = {
      address,
      ownLiteral: own ? addressLiteral(own) : "",
      mayRelay: this.#relayFrom.some((network) => contains(network, address)),
    };
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(key, ends);
    return ends;
  }
}
