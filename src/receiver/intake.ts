/** One message at a time on its way from a session into storage. */

import type { AddressBook } from "../config/address_book.ts";
import type { Disk } from "../disk.ts";
import type { Log } from "../log.ts";
import { MaildirDelivery } from "../mailbox/maildir.ts";
import type { MaildirNames } from "../mailbox/name.ts";
import type { MessageIds } from "../queue/id.ts";
import { type Mailbox, printPath } from "../smtp/address.ts";
import * as replies from "../smtp/reply.ts";
import { isPositive, type Reply, replyText } from "../smtp/reply.ts";
import type { Transaction } from "../smtp/event.ts";
import { receivedField, returnPathField } from "../smtp/trace.ts";
import { decideRecipient } from "./recipients.ts";

/** What all connections of a receiver share. */
export interface Backend {
  readonly book: AddressBook;
  readonly disk: Disk;
  readonly names: MaildirNames;
  readonly ids: MessageIds;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Own name. */
  readonly host: string;
}

/** Who is at the other end, and at this one. */
export interface Ends {
  /** The client's address, canonical, without port. */
  readonly address: string;
  /** The client's address and port, for the log. */
  readonly peer: string;
  /** This end's address as a literal. */
  readonly ownLiteral: string;
}

const encoder = new TextEncoder();

export class Intake {
  readonly #backend: Backend;
  readonly #ends: Ends;
  #directories = new Set<string>();
  #id = "";
  #delivery: MaildirDelivery | undefined;
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
    this.#directories = new Set();
    return replies.senderOk;
  }

  recipient(forwardPath: Mailbox): Reply {
    const { book, log } = this.#backend;
    const { peer, ownLiteral } = this.#ends;
    const { reply, destination } = decideRecipient(book, forwardPath, ownLiteral);
    destination?.directories.forEach((directory) => this.#directories.add(directory));
    if (!isPositive(reply)) {
      log.info("recipient refused", { peer, to: printPath(forwardPath), reply: replyText(reply) });
    }
    return reply;
  }

  /** The text is about to come. */
  data(transaction: Transaction): Reply {
    const { disk, names, ids, now, host } = this.#backend;
    this.#id = ids.next();
    this.#trouble = undefined;
    const top = returnPathField(transaction.reversePath) + receivedField({
      transaction,
      peer: this.#ends.address,
      host,
      id: this.#id,
      time: now(),
    });
    this.#delivery = new MaildirDelivery(disk, names, [...this.#directories], encoder.encode(top));
    return replies.startText;
  }

  /** A piece of the text; a promise, which does not reject, where storing it takes a while. */
  text(bytes: Uint8Array): Promise<void> | undefined {
    if (!this.#delivery) return undefined;
    return this.#delivery.write(bytes)?.catch(async (trouble) => {
      this.#trouble = trouble;
      await this.drop();
    });
  }

  /** The whole text came. A positive reply means that it is stored for every recipient. */
  async end(transaction: Transaction, size: number): Promise<Reply> {
    const delivery = this.#delivery;
    this.#delivery = undefined;
    try {
      if (!delivery) throw this.#trouble;
      await delivery.store();
    } catch (trouble) {
      return this.#fail(transaction, trouble);
    }
    this.#backend.log.info("message delivered", {
      id: this.#id,
      peer: this.#ends.peer,
      ...envelope(transaction),
      size,
      mailbox: delivery.directories,
    });
    return replies.stored(this.#id);
  }

  /** The message is not to be; whatever there is of it goes. */
  async drop(): Promise<void> {
    const delivery = this.#delivery;
    this.#delivery = undefined;
    await delivery?.discard();
  }

  #fail(transaction: Transaction, trouble: unknown): Reply {
    const reply = isFull(trouble) ? replies.storageFull : replies.storageTrouble;
    this.#backend.log.error("message refused", {
      id: this.#id,
      peer: this.#ends.peer,
      ...envelope(transaction),
      mailbox: [...this.#directories],
      reply: replyText(reply),
      error: String(trouble),
    });
    return reply;
  }
}

function envelope({ reversePath, forwardPaths }: Transaction): { from: string; to: string[] } {
  return { from: printPath(reversePath), to: forwardPaths.map(printPath) };
}

/** Out of blocks, out of quota, or over the largest file; not every one of them has its code. */
function isFull(trouble: unknown): boolean {
  const { code, message } = (trouble ?? {}) as { code?: unknown; message?: unknown };
  return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG" ||
    /\(os error (28|122|27)\)/.test(String(message));
}
