/** How many clients may be connected at once, in all and from one address. */

import * as replies from "../smtp/reply.ts";
import type { Reply } from "../smtp/reply.ts";
import { networkOf } from "./client_network.ts";

/** Counts an IPv6 address as its network's, for whoever has one has all of them. */
export class ClientLimits {
  #all = 0;
  readonly #perNetwork = new Map<string, number>();

  constructor(
    readonly host: string,
    readonly maxClients: number,
    readonly maxPerAddress: number,
  ) {}

  /** Lets a client in (undefined; it must `leave` later), or says what to tell it. */
  enter(address: string): Reply | undefined {
    if (this.#all >= this.maxClients) return replies.tooManyClients(this.host);
    const network = networkOf(address);
    const already = this.#perNetwork.get(network) ?? 0;
    if (already >= this.maxPerAddress) return replies.tooManyFromAddress(this.host);
    this.#all++;
    this.#perNetwork.set(network, already + 1);
    return undefined;
  }

  leave(address: string): void {
    this.#all--;
    const network = networkOf(address);
    const left = (this.#perNetwork.get(network) ?? 1) - 1;
    if (left > 0) this.#perNetwork.set(network, left);
    else this.#perNetwork.delete(network);
  }
}
