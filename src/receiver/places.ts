/** Where the mail of one transaction goes, each place once. */

import type { Destination } from "../config/address_book.ts";
import { type Mailbox, printMailbox } from "../smtp/address.ts";

/** A recipient on another host. */
export interface Remote {
  readonly forwardPath: Mailbox;
  /** Whom the sender wrote to, where that is a user here who forwards to the forward-path. */
  readonly original?: Mailbox;
}

export class Places {
  readonly #directories = new Set<string>();
  readonly #remote = new Map<string, Remote>();

  /** Mailbox directories on this host. */
  get directories(): readonly string[] {
    return [...this.#directories];
  }

  get remote(): readonly Remote[] {
    return [...this.#remote.values()];
  }

  /** `to` is whom the sender wrote to. */
  add(to: Mailbox, { directories, remote }: Destination): void {
    directories.forEach((directory) => this.#directories.add(directory));
    for (const forwardPath of remote) {
      const key = keyOf(forwardPath);
      if (this.#remote.has(key)) continue;
      this.#remote.set(key, key === keyOf(to) ? { forwardPath } : { forwardPath, original: to });
    }
  }
}

/** The same for the same mailbox: of the domain the case does not count, of the local-part it may. */
function keyOf({ localPart, domain }: Mailbox): string {
  return printMailbox({ localPart, domain: domain.toLowerCase() });
}
