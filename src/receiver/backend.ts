/** What a receiver's connections work with, and between whom each is. */

import type { Clock } from "../clock.ts";
import type { AddressBook } from "../config/address_book.ts";
import type { Disk } from "../disk.ts";
import type { Log } from "../log.ts";
import type { MaildirNames } from "../mailbox/name.ts";
import type { Presence } from "../mailbox/presence.ts";
import type { MessageIds } from "../queue/id.ts";
import type { Spool } from "../queue/spool.ts";
import type { Logins } from "./logins.ts";
import type { ClientFacts } from "./recipients.ts";
import type { Reserve } from "./reserve.ts";

/** What all connections of a receiver share. */
export interface Backend {
  readonly book: AddressBook;
  readonly disk: Disk;
  readonly names: MaildirNames;
  readonly presence: Presence;
  readonly spool: Spool;
  readonly ids: MessageIds;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Own name. */
  readonly host: string;
  /** Steady time for the limits on waits; each has a timer of its own without it. */
  readonly waits?: Clock;
  /** Told of each message that is new in the queue. */
  readonly queued: (id: string) => void;
  /** Who may log in, where anybody may. */
  readonly logins?: Logins;
  /** What is kept free of new mail, where anything is. */
  readonly reserve?: Reserve;
}

/** Who is at the other end, and at this one. */
export interface Ends extends ClientFacts {
  /** The client's address, canonical, without port. */
  readonly address: string;
  /** The client's address and port, for the log. */
  readonly peer: string;
}
