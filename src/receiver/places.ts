/** Where the mail of one transaction goes, each place once. */

import type { Destination } from "../config/address_book.ts";
import { type Mailbox, mailboxKey } from "../smtp/address.ts";

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
      const key = mailboxKey(forwardPath);
      if (this.#remote.has(key)) continue;
      this.#remote.set(
        key,
        key === mailboxKey(to) ? { forwardPath } : { forwardPath, original: to },
      );
    }
  }
}
