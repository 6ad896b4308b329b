/** One message at a time on its way from a session into storage. */

import type { AddressBook } from "../config/address_book.ts";
import type { Disk } from "../disk.ts";
import type { Log } from "../log.ts";
import { MaildirDelivery } from "../mailbox/maildir.ts";
import type { MaildirNames } from "../mailbox/name.ts";
import type { Presence } from "../mailbox/presence.ts";
import { newRecipient, type QueuedRecipient } from "../queue/envelope.ts";
import type { MessageIds } from "../queue/id.ts";
import type { Spool } from "../queue/spool.ts";
import { type Mailbox, printPath } from "../smtp/address.ts";
import * as replies from "../smtp/reply.ts";
import { isPositive, type Reply, replyText } from "../smtp/reply.ts";
import type { Transaction } from "../smtp/event.ts";
import { receivedField, returnPathField } from "../smtp/trace.ts";
import { Places } from "./places.ts";
import { type ClientFacts, decideRecipient } from "./recipients.ts";
import { type Store, Storing } from "./storing.ts";

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
  /** Told of each message that is new in the queue. */
  readonly queued: (id: string) => void;
}

/** Who is at the other end, and at this one. */
export interface Ends extends ClientFacts {
  /** The client's address, canonical, without port. */
  readonly address: string;
  /** The client's address and port, for the log. */
  readonly peer: string;
}

const encoder = new TextEncoder();

export class Intake {
  readonly #backend: Backend;
  readonly #ends: Ends;
  #places = new Places();
  #id = "";
  #storing: Storing | undefined;
  #queued: readonly QueuedRecipient[] = [];
  #mailboxes: readonly string[] = [];
  /** What went wrong while the text came in; it is answered at the text's end. */
  #trouble: unknown;

  constructor(backend: Backend, ends: Ends) {
    this.#backend = backend;
    this.#ends = ends;
  }

  /** A transaction begins. */
  begin({ client, reversePath }: Transaction): Reply {
    const { log } = this.#backend;
    log.debug("transaction begun", { peer: this.#ends.peer, client, from: printPath(reversePath) });
    this.#places = new Places();
    return replies.senderOk;
  }

  recipient(forwardPath: Mailbox): Reply {
    const { book, log } = this.#backend;
    const { reply, destination } = decideRecipient(book, forwardPath, this.#ends);
    if (destination) this.#places.add(forwardPath, destination);
    if (!isPositive(reply)) {
      const { peer } = this.#ends;
      log.info("recipient refused", { peer, to: printPath(forwardPath), reply: replyText(reply) });
    }
    return reply;
  }

  /** The text is about to come; a promise where a mailbox must be looked for first. */
  data(transaction: Transaction): Reply | Promise<Reply> {
    const away = this.#backend.presence.away(this.#places.directories);
    if ("then" in away) return away.then((directories) => this.#begin(transaction, directories));
    return this.#begin(transaction, away);
  }

  /** A piece of the text; a promise, which does not reject, where storing it takes a while. */
  text(bytes: Uint8Array): Promise<unknown> | undefined {
    if (!this.#storing) return undefined;
    return this.#storing.write(bytes)?.catch(async (trouble) => {
      this.#trouble = trouble;
      await this.drop();
    });
  }

  /** The whole text came. A positive reply means that it is stored for every recipient. */
  async end(transaction: Transaction, size: number): Promise<Reply> {
    const storing = this.#storing;
    this.#storing = undefined;
    try {
      if (!storing) throw this.#trouble;
      await storing.store();
    } catch (trouble) {
      return this.#fail(transaction, trouble);
    }
    this.#tell(transaction, size);
    return replies.stored(this.#id);
  }

  /** The message is not to be; whatever there is of it goes. */
  async drop(): Promise<void> {
    const storing = this.#storing;
    this.#storing = undefined;
    await storing?.discard();
  }

  /** Opens the places where the text goes: mailboxes that are there, and the queue for the rest. */
  #begin(transaction: Transaction, away: readonly string[]): Reply {
    const { disk, names, spool, ids, now, host, book } = this.#backend;
    this.#id = ids.next();
    this.#trouble = undefined;
    const time = now();
    const received = receivedField({
      transaction,
      peer: this.#ends.address,
      host,
      id: this.#id,
      time,
    });
    this.#mailboxes = this.#places.directories.filter((directory) => !away.includes(directory));
    this.#queued = [
      ...this.#places.remote.map((one) => newRecipient(one.forwardPath, time, one.original)),
      ...away.map((directory) => {
        return newRecipient({ localPart: book.ownerOf(directory)!.name, domain: host }, time);
      }),
    ];
    const stores: Store[] = [];
    if (this.#mailboxes.length > 0) {
      const top = encoder.encode(returnPathField(transaction.reversePath) + received);
      stores.push(new MaildirDelivery(disk, names, this.#mailboxes, top));
    }
    if (this.#queued.length > 0) {
      const delivery = spool.receive({
        id: this.#id,
        arrived: time,
        reversePath: transaction.reversePath,
        recipients: this.#queued,
      });
      // A relay adds this and nothing else (RFC 5321 3.6.3). It is short, so it only goes to memory.
      delivery.write(encoder.encode(received));
      stores.push(delivery);
    }
    this.#storing = new Storing(stores);
    return replies.startText;
  }

  #tell(transaction: Transaction, size: number): void {
    const { log, queued } = this.#backend;
    const fields = { id: this.#id, peer: this.#ends.peer, ...envelope(transaction), size };
    if (this.#mailboxes.length > 0) {
      log.info("message delivered", { ...fields, mailbox: this.#mailboxes });
    }
    if (this.#queued.length === 0) return;
    const recipients = this.#queued.map(({ forwardPath }) => printPath(forwardPath));
    log.info("message queued", { ...fields, recipients });
    queued(this.#id);
  }

  #fail(transaction: Transaction, trouble: unknown): Reply {
    const reply = storingFailed(trouble);
    this.#backend.log.error("message refused", {
      id: this.#id,
      peer: this.#ends.peer,
      ...envelope(transaction),
      mailbox: this.#mailboxes.length > 0 ? this.#mailboxes : undefined,
      reply: replyText(reply),
      error: String(trouble),
    });
    return reply;
  }
}

function envelope({ reversePath, forwardPaths }: Transaction): { from: string; to: string[] } {
  return { from: printPath(reversePath), to: forwardPaths.map(printPath) };
}

/** The reply for a disk that failed. */
export function storingFailed(trouble: unknown): Reply {
  return isFull(trouble) ? replies.storageFull : replies.storageTrouble;
}

/** Out of blocks, out of quota, or over the largest file; not every one of them has its code. */
function isFull(trouble: unknown): boolean {
  const { code, message } = (trouble ?? {}) as { code?: unknown; message?: unknown };
  return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG" ||
    /\(os error (28|122|27)\)/.test(String(message));
}
