/** One message at a time on its way from a session into storage. */

import type { Fields } from "../log.ts";
import { MaildirDelivery } from "../mailbox/maildir.ts";
import { newRecipient, type QueuedRecipient } from "../queue/envelope.ts";
import { type Mailbox, printPath } from "../smtp/address.ts";
import * as replies from "../smtp/reply.ts";
import { type Reply, replyText } from "../smtp/reply.ts";
import type { Transaction } from "../smtp/event.ts";
import { receivedField, returnPathField } from "../smtp/trace.ts";
import type { Credentials } from "../smtp/sasl.ts";
import { SubmittedText } from "../smtp/submitted_text.ts";
import type { TlsFacts } from "../tls/server.ts";
import type { Backend, Ends } from "./backend.ts";
import { Claim } from "./claim.ts";
import { Places } from "./places.ts";
import { decideRecipient, isLocalDomain } from "./recipients.ts";
import { type Store, Storing, storingFailed } from "./storing.ts";

const encoder = new TextEncoder();

/**
 * Answers the events of one connection's sessions: who may send, who gets the mail, and where the text
 * goes.
 */
export class Intake {
  readonly #backend: Backend;
  readonly #ends: Ends;
  /** What the connection is secured by, undefined in plain text. */
  #tls: TlsFacts | undefined;
  /** Who has logged in, as user.conf spells it. */
  #user: string | undefined;
  #submitted: SubmittedText | undefined;
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

  /** The connection is under TLS from now on. */
  secured(tls: TlsFacts): void {
    this.#tls = tls;
  }

  /** A client wants to log in. */
  async login(credentials: Credentials): Promise<Reply> {
    const { logins, host } = this.#backend;
    const outcome = await logins?.check(credentials, this.#ends) ?? { kind: "refused" };
    switch (outcome.kind) {
      case "accepted":
        this.#user = outcome.user;
        return replies.loggedIn;
      case "refused":
        return replies.loginRefused;
      case "limited":
        return replies.tooManyLogins(host);
    }
  }

  /** A transaction begins; a promise where a disk must be looked at first. */
  begin(transaction: Transaction): Reply | Promise<Reply> {
    const { reversePath } = transaction;
    if (reversePath && this.#user !== undefined && !this.#isOwn(this.#user, reversePath)) {
      return this.#refuseSender(transaction, replies.notYourReversePath);
    }
    // Reports and the relay's own records have what is left there.
    const short = this.#backend.reserve?.isShort([this.#backend.spool.queueDirectory]) ?? false;
    if (typeof short === "boolean") return this.#admit(transaction, short);
    return short.then((isShort) => this.#admit(transaction, isShort));
  }

  #admit(transaction: Transaction, isShort: boolean): Reply {
    if (isShort) return this.#refuseSender(transaction, replies.storageFull);
    const { client, reversePath } = transaction;
    const from = printPath(reversePath);
    this.#backend.log.debug("transaction begun", { peer: this.#ends.peer, client, from });
    this.#places = new Places();
    return replies.senderOk;
  }

  #refuseSender({ reversePath }: Transaction, reply: Reply): Reply {
    this.#tellRefused("sender refused", { from: printPath(reversePath) }, reply);
    return reply;
  }

  /** A recipient is named; a promise where a disk must be looked at first. */
  recipient(forwardPath: Mailbox): Reply | Promise<Reply> {
    const { book, reserve } = this.#backend;
    const mayRelay = this.#ends.mayRelay || this.#user !== undefined;
    const { reply, destination } = decideRecipient(book, forwardPath, { ...this.#ends, mayRelay });
    if (!destination) return this.#refuseRecipient(forwardPath, reply);
    // Others whose mailboxes are elsewhere get theirs.
    const short = reserve?.isShort(destination.directories) ?? false;
    const decide = (isShort: boolean) => {
      if (isShort) return this.#refuseRecipient(forwardPath, replies.storageFull);
      this.#places.add(forwardPath, destination);
      return reply;
    };
    return typeof short === "boolean" ? decide(short) : short.then(decide);
  }

  #refuseRecipient(forwardPath: Mailbox, reply: Reply): Reply {
    this.#tellRefused("recipient refused", { to: printPath(forwardPath) }, reply);
    return reply;
  }

  /** The text is about to come; a promise where a mailbox must be looked for first. */
  data(transaction: Transaction): Reply | Promise<Reply> {
    const away = this.#backend.presence.away(this.#places.directories);
    if ("then" in away) return away.then((directories) => this.#begin(transaction, directories));
    return this.#begin(transaction, away);
  }

  /** A piece of the text; a promise, which does not reject, where storing it takes a while. */
  text(bytes: Uint8Array): Promise<void> | undefined {
    if (!this.#storing) return undefined;
    const kept = this.#submitted ? this.#submitted.feed(bytes) : bytes;
    if (kept.length === 0) return undefined;
    return this.#storing.write(kept)?.catch(async (trouble) => {
      this.#trouble = trouble;
      await this.drop();
    });
  }

  /** The whole text came. A positive reply means that it is stored for every recipient. */
  async end(transaction: Transaction, size: number): Promise<Reply> {
    try {
      const refusal = await this.#endSubmitted();
      if (refusal) return refusal;
    } catch (trouble) {
      this.#trouble = trouble;
      await this.drop();
    }
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

  /** What a user submits has its last word now. Returns why it is refused; rejects with disk errors. */
  async #endSubmitted(): Promise<Reply | undefined> {
    const submitted = this.#submitted;
    this.#submitted = undefined;
    if (!submitted) return undefined;
    const rest = submitted.end();
    const { refusal } = submitted;
    if (refusal) {
      await this.drop();
      this.#tellRefused("message refused", { id: this.#id }, refusal);
    } else if (rest.length > 0) await this.#storing?.write(rest);
    return refusal;
  }

  /** The message is not to be; whatever there is of it goes. A promise where there is any. */
  drop(): Promise<void> | undefined {
    const storing = this.#storing;
    this.#storing = undefined;
    return storing?.discard();
  }

  /** Opens the places where the text goes: mailboxes that are there, and the queue for the rest. */
  #begin(transaction: Transaction, away: readonly string[]): Reply {
    const { disk, names, spool, ids, now, host, book, reserve } = this.#backend;
    this.#id = ids.next();
    this.#trouble = undefined;
    const time = now();
    const received = receivedField({
      transaction,
      peer: this.#ends.address,
      tls: this.#tls,
      host,
      id: this.#id,
      time,
    });
    this.#submitted = this.#user === undefined
      ? undefined
      : this.#submission(this.#user, transaction, time);
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
    if (reserve) {
      const queue = this.#queued.length > 0 ? [spool.queueDirectory] : [];
      stores.push(new Claim(reserve, { mailboxes: this.#mailboxes, queue }));
    }
    this.#storing = new Storing(stores);
    return replies.startText;
  }

  #submission(user: string, { reversePath }: Transaction, time: number): SubmittedText {
    return new SubmittedText({
      reversePath,
      isOwn: (mailbox) => this.#isOwn(user, mailbox),
      time,
      messageId: `${this.#id}@${this.#backend.host}`,
    });
  }

  #isOwn(user: string, { localPart, domain }: Mailbox): boolean {
    const { book } = this.#backend;
    return isLocalDomain(book, domain, this.#ends) && book.owns(user, localPart);
  }

  #tellRefused(event: string, what: Fields, reply: Reply): void {
    const { peer } = this.#ends;
    this.#backend.log.info(event, { peer, user: this.#user, ...what, reply: replyText(reply) });
  }

  #tell(transaction: Transaction, size: number): void {
    const { log, queued } = this.#backend;
    const { peer } = this.#ends;
    const tls = this.#tls?.protocol;
    const fields = { id: this.#id, peer, tls, user: this.#user, ...envelope(transaction), size };
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
