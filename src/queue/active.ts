/** One message while it is being worked on. */

import { type Mailbox, printMailbox, printPath } from "../smtp/address.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { replyText, shortened } from "../smtp/reply.ts";
import { report } from "./bounce.ts";
import { DamagedError, type QueuedMessage, type QueuedRecipient } from "./envelope.ts";
import type { MessageIds } from "./id.ts";
import type { Begun, Journal } from "./journal.ts";
import * as progress from "./progress.ts";
import type { RetryPolicy, Settlement } from "./progress.ts";
import type { Spool } from "./spool.ts";

export interface QueueParts {
  readonly spool: Spool;
  readonly clock: Clock;
  readonly ids: MessageIds;
  readonly log: Log;
  /** Own name. */
  readonly host: string;
  readonly policy: RetryPolicy;
}

/** What all messages of a queue have in common. */
export interface ActiveParts extends QueueParts {
  readonly journal: Journal;
}

/** Milliseconds until something is done again that the disk or a full line did not permit. */
export const SHORTLY = 60_000;
/** Characters of a reply in the log; recipients may be many, and the envelope has more of it. */
const MOST_LOGGED = 300;

/** A message that is being worked on. Nobody else touches its files meanwhile. */
export class ActiveMessage {
  readonly #given: QueuedMessage;
  #message: QueuedMessage;
  /** What is on the disk; undefined where a save has failed, for some of it may be there. */
  #durable: QueuedMessage | undefined;
  readonly #parts: ActiveParts;
  readonly #released: (due: number, untouched: boolean) => void;
  readonly #reported: (id: string) => void;
  /** Saves happen one after another. */
  #saved: Promise<void> = Promise.resolve();
  /** A save that has not begun, and will take what is newest then. */
  #nextSave: Promise<void> | undefined;
  #returned: Promise<unknown> = Promise.resolve();
  /** Reports before the release. */
  #early: Promise<void> = Promise.resolve();
  #removal: PromiseWithResolvers<void> | undefined;
  #damage: DamagedError | undefined;

  /**
   * `durable` is the message as it is on the disk, `released` gets when it is due again, and whether
   * nothing was done for it, `reported` the ids of reports about it.
   */
  constructor(
    message: QueuedMessage,
    durable: QueuedMessage,
    parts: ActiveParts,
    released: (due: number, untouched: boolean) => void,
    reported: (id: string) => void,
  ) {
    this.#given = message;
    this.#message = message;
    this.#durable = durable;
    this.#parts = parts;
    this.#released = released;
    this.#reported = reported;
  }

  get message(): QueuedMessage {
    return this.#message;
  }

  /** Whether nothing more is to be done for it but to release it. */
  get over(): boolean {
    return this.#removal !== undefined || this.#damage !== undefined;
  }

  /** The recipients to be tried now. */
  due(): QueuedRecipient[] {
    return progress.dueRecipients(this.#message, this.#parts.clock.now());
  }

  /** Its text in pieces. Rejects with DamagedError, after which it is over, and disk errors. */
  async *text(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#parts.spool.text(this.#message);
    } catch (error) {
      if (error instanceof DamagedError) this.damaged(error);
      throw error;
    }
  }

  /** Records durably that an attempt begins. Rejects with disk errors; then it must not begin. */
  async begin(forwardPaths: readonly Mailbox[]): Promise<void> {
    // All are held back: the envelope is as it was.
    if (forwardPaths.length === 0) return;
    const { clock, policy, journal } = this.#parts;
    const before = this.#message;
    const attempted = progress.attempted(before, forwardPaths, clock.now(), policy);
    this.#message = attempted;
    try {
      // What a process has left that was stopped goes into the envelope first.
      if (journal.has(before.id)) await this.#save();
      else {
        await journal.begin(before.id, begunBetween(before, attempted));
        if (this.#durable === before) this.#durable = attempted;
      }
    } catch (error) {
      this.#message = this.#message === attempted
        ? before
        : progress.withdrawn(this.#message, forwardPaths, clock.now());
      throw error;
    }
  }

  /**
   * What has come of an attempt. Returns when it is recorded; a disk that does not take it is
   * logged, and tried again at the release.
   */
  async settle(settlements: readonly Settlement[]): Promise<void> {
    const { clock, policy } = this.#parts;
    const short = settlements.map((one) => ({ ...one, reply: shortened(one.reply) }));
    this.#message = progress.settled(this.#message, short, clock.now(), policy);
    this.#tell(short);
    // The release, which is next, removes the message.
    if (progress.isDone(this.#message)) return;
    await this.#save().catch((error) => this.#trouble(error));
  }

  /** An attempt that was to begin for these has not been made. Returns when that is recorded. */
  async withdraw(forwardPaths: readonly Mailbox[]): Promise<void> {
    const { clock, journal } = this.#parts;
    const before = this.#message;
    const withdrawn = progress.withdrawn(before, forwardPaths, clock.now());
    this.#message = withdrawn;
    if (journal.has(before.id)) {
      const begun = begunBetween(before, withdrawn);
      journal.withdraw(before.id, new Set(begun.map(({ index }) => index)));
      // It is due, as it was.
      if (this.#durable === before) this.#durable = withdrawn;
      return;
    }
    await this.#save().catch((error) => this.#trouble(error));
  }

  /** Its text cannot be read. */
  damaged(damage: DamagedError): void {
    this.#damage = damage;
  }

  /** Tells the sender of those who have failed so far. Never rejects. */
  reportFailures(): Promise<void> {
    // Trouble is met again, and logged, at the release.
    if (this.over) return Promise.resolve();
    this.#early = this.#returnFailed()
      .then((told) => told ? this.#save() : undefined)
      .catch(() => {});
    return this.#early;
  }

  /** The message goes as soon as nobody works on it; returns when it has. */
  remove(): Promise<void> {
    this.#removal ??= Promise.withResolvers();
    return this.#removal.promise;
  }

  /**
   * All attempts of this round are over: reports, then removes the message or lets it wait again.
   * Where the disk does not permit that the message stays active, with what is known of it. `pause`
   * are the milliseconds until it is looked at again if it is due even now.
   */
  async release(pause = SHORTLY): Promise<void> {
    const { clock } = this.#parts;
    try {
      let due = await this.#settleUp(pause);
      // The removal may have been asked for meanwhile.
      if (this.#removal && due < Infinity) due = await this.#settleUp(pause);
      this.#released(due, this.#isUntouched);
      this.#removal?.resolve();
    } catch (error) {
      if (error instanceof DamagedError) this.damaged(error);
      else this.#trouble(error);
      clock.after(error instanceof DamagedError ? 0 : SHORTLY, () => this.release(pause));
    }
  }

  /** When the message is due again. Rejects with disk errors and DamagedError. */
  async #settleUp(pause: number): Promise<number> {
    const { journal, log } = this.#parts;
    const { id } = this.#message;
    // What it saves must not come after a removal.
    await this.#early;
    if (this.#damage) {
      await putAside(this.#parts, id, this.#damage);
      return Infinity;
    }
    if (!this.#removal) await this.#report();
    if (!this.#removal && !progress.isDone(this.#message)) {
      const recorded = this.#message === this.#durable && !journal.has(id);
      if (!recorded && !this.#isUntouched) await this.#save();
      return this.#dueAgain(pause);
    }
    await journal.remove(id);
    // Nothing was removed of one that had gone to everybody by then.
    const left = this.#message.recipients.some(({ state }) => state !== "delivered");
    if (this.#removal && left) log.warn("message removed", { id });
    return Infinity;
  }

  /** Whether nothing has come of it: it is on the disk as it was, and as urgent as it was. */
  get #isUntouched(): boolean {
    return this.#message === this.#given && this.#durable !== undefined;
  }

  #dueAgain(pause: number): number {
    const { clock, policy } = this.#parts;
    const now = clock.now();
    // What is due even now could not be tried for want of room: not again at once.
    return progress.dueOf(this.#message, policy, now, now + pause);
  }

  async #report(): Promise<void> {
    const { clock, policy } = this.#parts;
    const now = clock.now();
    this.#message = progress.expired(this.#message, now, policy);
    await this.#returnFailed();
    if (progress.isNoticeDue(this.#message, now, policy)) {
      const waiting = this.#message.recipients.filter(({ state }) => state === "waiting");
      await this.#send("delayed", waiting, now);
      this.#message = { ...this.#message, delayReported: true };
    }
  }

  /** One after another, so that nobody is told twice. Whether there was anything to tell. */
  #returnFailed(): Promise<boolean> {
    const returning = this.#returned.then(async () => {
      const failed = this.#message.recipients.filter(({ state }) => state === "failed");
      if (failed.length === 0) return false;
      await this.#send("failed", failed, this.#parts.clock.now());
      this.#message = progress.returned(this.#message, failed);
      return true;
    });
    this.#returned = returning.catch(() => {});
    return returning;
  }

  async #send(
    kind: "failed" | "delayed",
    recipients: readonly QueuedRecipient[],
    now: number,
  ): Promise<void> {
    const { log, policy } = this.#parts;
    const { id, arrived, reversePath } = this.#message;
    const until = arrived + policy.lifetime;
    const reportId = await report(this.#parts, kind, this.#message, recipients, now, until);
    const to = recipients.map(({ forwardPath }) => printPath(forwardPath));
    if (reportId === undefined) {
      return log.error("message lost", { id, to, reason: "it has no sender to return it to" });
    }
    const event = kind === "failed" ? "message returned" : "delay reported";
    log.info(event, { id, to, from: printPath(reversePath), report: reportId });
    this.#reported(reportId);
  }

  #tell(settlements: readonly Settlement[]): void {
    const byPath = new Map(settlements.map((one) => [printMailbox(one.forwardPath), one]));
    for (const recipient of this.#message.recipients) {
      const settlement = byPath.get(printMailbox(recipient.forwardPath));
      if (settlement) this.#tellOf(recipient, settlement);
    }
  }

  #tellOf(recipient: QueuedRecipient, { forwardPath, reply, heard, ...talk }: Settlement): void {
    const { log } = this.#parts;
    const { id } = this.#message;
    const said = replyText(reply).slice(0, MOST_LOGGED);
    const { host, security } = talk;
    const fields = {
      id,
      to: printPath(forwardPath),
      host,
      tls: security?.protocol,
      verified: security?.verified,
      reply: said,
    };
    // Into a mailbox here: whoever keeps that has told it.
    if (recipient.state === "delivered" && !heard) return;
    if (recipient.state === "delivered") return log.info("message sent", fields);
    if (recipient.state === "failed") return log.warn("message failed", fields);
    const next = new Date(recipient.nextAttempt).toISOString();
    log.info("message deferred", { ...fields, attempts: recipient.attempts, next });
  }

  #save(): Promise<void> {
    if (this.#nextSave) return this.#nextSave;
    const save = this.#saved.then(async () => {
      this.#nextSave = undefined;
      this.#durable = undefined;
      const message = this.#message;
      await this.#parts.spool.write(message);
      this.#durable = message;
      this.#parts.journal.forget(message.id);
    });
    this.#nextSave = save;
    this.#saved = save.catch(() => {});
    return save;
  }

  #trouble(error: unknown): void {
    this.#parts.log.error("queue trouble", { id: this.#message.id, error: String(error) });
  }
}

/** Moves a message out of the way that cannot be read, and says so. Never rejects. */
export async function putAside(
  { spool, journal, log }: ActiveParts,
  id: string,
  { message }: DamagedError,
): Promise<void> {
  log.error("message damaged", { id, reason: message, moved: `${spool.directory}/damaged` });
  journal.forget(id);
  await spool.putAside(id).catch((error) => {
    log.error("queue trouble", { id, error: String(error) });
  });
}

/** The recipients that an attempt, or its withdrawal, has changed. */
function begunBetween(before: QueuedMessage, after: QueuedMessage): Begun[] {
  return after.recipients.flatMap((recipient, index) => {
    const { attempts, nextAttempt } = recipient;
    return recipient === before.recipients[index] ? [] : { index, attempts, nextAttempt };
  });
}
