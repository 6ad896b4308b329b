/** How far one transaction's worth of recipients has come, from host to host. */

import type { Security } from "../queue/envelope.ts";
import type { Settlement } from "../queue/progress.ts";
import type { Mailbox } from "../smtp/address.ts";
import type { Reply } from "../smtp/reply.ts";
import type { Outcome } from "./connection.ts";
import type { Task } from "./line.ts";

/** Why no server has taken a message yet. */
export type Trouble = Omit<Settlement, "forwardPath">;

/** One transaction's worth of recipients on the way to their answers. */
export class Attempt {
  /** Who has no answer yet. */
  undecided: readonly Mailbox[];
  /** Whom the server wants in a transaction of their own. */
  remaining: readonly Mailbox[] = [];
  /** Why nobody could be asked, once it is given up. */
  trouble: Trouble | undefined;
  #worst: Trouble | undefined;
  /** The 421 that ended the last transaction. */
  turnedAway: Reply | undefined;

  constructor(readonly task: Task, recipients: readonly Mailbox[]) {
    this.undecided = recipients;
  }

  get done(): boolean {
    return this.undecided.length === 0;
  }

  /** Another host may do better. What may pass outweighs what is for good: that host may come back. */
  fail(trouble: Trouble): void {
    if (!this.#worst || this.#worst.reply.code >= 500) this.#worst = trouble;
  }

  /** Counts only where nothing else does. */
  failAtLeast(trouble: Trouble): void {
    this.#worst ??= trouble;
  }

  /** What failed so far does not count. */
  forgive(): void {
    this.#worst = this.turnedAway = undefined;
  }

  /** What came of a transaction with this host, over a connection so protected. */
  async hear(
    { results, remaining, broken }: Outcome,
    from: { readonly host: string; readonly security: Security },
  ): Promise<void> {
    this.undecided = broken?.undecided ?? [];
    // An earlier host may have put some off already.
    this.remaining = [...this.remaining, ...remaining];
    // 421 is about the connection (RFC 5321 3.8): another one, or another host, may do.
    const closing = results.filter(({ reply }) => reply.code === 421);
    const heard = results.filter(({ reply }) => reply.code !== 421)
      .map((result): Settlement => ({ ...result, ...from }));
    if (broken?.textSent) {
      // The server may have taken it, so nobody else is asked now (RFC 5321 3.8, RFC 1047).
      heard.push(...settlements(this.undecided, { reply: broken.reply, heard: false, ...from }));
      this.undecided = [];
    } else if (broken) this.fail({ reply: broken.reply, heard: false, ...from });
    this.turnedAway = closing[0]?.reply;
    for (const { forwardPath, reply } of closing) {
      this.undecided = [...this.undecided, forwardPath];
      this.fail({ reply, heard: true, ...from });
    }
    if (heard.length > 0) await this.task.settle(heard);
  }

  /** Nobody else can be asked. */
  async giveUp(trouble = this.#worst): Promise<void> {
    if (this.done || !trouble) return;
    this.trouble = trouble;
    await this.task.settle(settlements(this.undecided, trouble));
    this.undecided = [];
  }
}

/** The same trouble for all of these. */
export function settlements(forwardPaths: readonly Mailbox[], trouble: Trouble): Settlement[] {
  return forwardPaths.map((forwardPath) => ({ forwardPath, ...trouble }));
}
