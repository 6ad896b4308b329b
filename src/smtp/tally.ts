/** What becomes of the recipients of one transaction: the sending side's bookkeeping. */

import type { Mailbox } from "./address.ts";
import type { Reply } from "./reply.ts";

/** What became of one recipient: the reply that decided it. */
export interface RecipientResult {
  readonly forwardPath: Mailbox;
  readonly reply: Reply;
  /** Whether the server said it; otherwise it is this side's own judgement. */
  readonly heard: boolean;
}

/** Each recipient has its own fate (RFC 5321 4.2.1). */
export class Tally {
  /** In the order they are asked about. */
  readonly #open: Mailbox[];
  readonly #accepted: Mailbox[] = [];
  readonly #results: RecipientResult[] = [];
  readonly #remaining: Mailbox[] = [];

  constructor(forwardPaths: readonly Mailbox[]) {
    this.#open = [...forwardPaths];
  }

  /** Those no RCPT has been answered for. */
  get open(): readonly Mailbox[] {
    return this.#open;
  }

  /** Whether the text has anyone to go to. */
  get hasAccepted(): boolean {
    return this.#accepted.length > 0;
  }

  get results(): readonly RecipientResult[] {
    return this.#results;
  }

  /** Those the server wants in another transaction. */
  get remaining(): readonly Mailbox[] {
    return this.#remaining;
  }

  /** Those no reply has decided yet. */
  get undecided(): readonly Mailbox[] {
    return [...this.#accepted, ...this.#open];
  }

  /** The reply to the RCPT of the first open recipient. */
  answer(reply: Reply): void {
    const forwardPath = this.#open.shift();
    if (!forwardPath) return;
    if (reply.code < 300) this.#accepted.push(forwardPath);
    else if (this.hasAccepted && isTooMany(reply)) this.#remaining.push(forwardPath);
    else this.#results.push({ forwardPath, reply, heard: true });
  }

  /** The same reply for everyone who has none yet. */
  decide(reply: Reply, heard: boolean): void {
    for (const forwardPath of this.undecided) this.#results.push({ forwardPath, reply, heard });
    this.#accepted.length = 0;
    this.#open.length = 0;
  }

  /** Decides about those open ones that do not pass, by this side's own judgement. */
  sift(passes: (forwardPath: Mailbox) => boolean, reply: Reply): void {
    const all = this.#open.splice(0);
    for (const forwardPath of all) {
      if (passes(forwardPath)) this.#open.push(forwardPath);
      else this.#results.push({ forwardPath, reply, heard: false });
    }
  }
}

/** Where some are accepted already these mean too many recipients (RFC 5321 4.5.3.1.10). */
function isTooMany({ code }: Reply): boolean {
  return code === 452 || code === 552;
}
