/** The mail transaction of a session (RFC 5321 3.3): how far it has come, and what has its place in it. */

import type { Mailbox } from "./address.ts";
import type { Mail } from "./command.ts";
import type { Transaction } from "./event.ts";
import { IncomingText } from "./incoming_text.ts";
import * as replies from "./reply.ts";
import type { Reply } from "./reply.ts";

export interface TransactionLimits {
  /** Octets a text may have. */
  readonly maxMessageSize: number;
  /** Recipients a transaction may have. */
  readonly maxRecipients: number;
}

interface OpenTransaction extends Transaction {
  readonly forwardPaths: Mailbox[];
}

/** One after the other, each from MAIL to the end of its text. */
export class MailTransaction {
  readonly #limits: TransactionLimits;
  #open: OpenTransaction | undefined;
  #recipientsTried = false;
  #surplus = 0;
  #text: IncomingText | undefined;

  constructor(limits: TransactionLimits) {
    this.#limits = limits;
  }

  /** What there is of the one that is open. */
  get open(): Transaction | undefined {
    return this.#open;
  }

  /** The text that is coming in. */
  get text(): IncomingText | undefined {
    return this.#text;
  }

  /** Whether more than one recipient was too many. */
  get surplusRepeated(): boolean {
    return this.#surplus > 1;
  }

  /** Why MAIL is out of place, or the text it announces too big. */
  refuseMail({ size = 0 }: Mail): Reply | undefined {
    if (this.#open) return replies.nestedMail;
    return size > this.#limits.maxMessageSize ? replies.tooBig : undefined;
  }

  /** Why there is no room for one more recipient. */
  refuseRcpt(): Reply | undefined {
    if (!this.#open) return replies.mailFirst;
    this.#recipientsTried = true;
    if (this.#open.forwardPaths.length < this.#limits.maxRecipients) return undefined;
    this.#surplus++;
    return replies.tooManyRecipients;
  }

  /** Why no text can come yet. */
  refuseData(): Reply | undefined {
    if (!this.#open) return replies.mailFirst;
    if (this.#open.forwardPaths.length > 0) return undefined;
    return this.#recipientsTried ? replies.noValidRecipients : replies.rcptFirst;
  }

  /** It begins, without recipients. */
  begin(transaction: Omit<Transaction, "forwardPaths">): void {
    this.#open = { ...transaction, forwardPaths: [] };
    this.#recipientsTried = false;
    this.#surplus = 0;
  }

  /** This recipient was accepted. */
  add(forwardPath: Mailbox): void {
    this.#open?.forwardPaths.push(forwardPath);
  }

  /** The text is what comes next. */
  beginText(): void {
    this.#text = new IncomingText(this.#limits.maxMessageSize);
  }

  /** Forgets it; whether there was one. */
  end(): boolean {
    const was = this.#open !== undefined;
    this.#open = this.#text = undefined;
    return was;
  }
}
