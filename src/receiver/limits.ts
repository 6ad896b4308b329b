/** How many clients may be connected at once, in all and from one address. */

import * as replies from "../smtp/reply.ts";
import type { Reply } from "../smtp/reply.ts";

export class ClientLimits {
  #all = 0;
  readonly #perAddress = new Map<string, number>();

  constructor(
    readonly host: string,
    readonly maxClients: number,
    readonly maxPerAddress: number,
  ) {}

  /** Lets a client in (undefined; it must `leave` later), or says what to tell it. */
  enter(address: string): Reply | undefined {
    if (this.#all >= this.maxClients) return replies.tooManyClients(this.host);
    const already = this.#perAddress.get(address) ?? 0;
    if (already >= this.maxPerAddress) return replies.tooManyFromAddress(this.host);
    this.#all++;
    this.#perAddress.set(address, already + 1);
    return undefined;
  }

  leave(address: string): void {
    this.#all--;
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }
}
