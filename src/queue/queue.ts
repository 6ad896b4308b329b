/** The messages that wait: which is next, what has come of it, and who is told. */

import { ActiveMessage, type ActiveParts, putAside, type QueueParts, SHORTLY } from "./active.ts";
import { DamagedError, type QueuedMessage } from "./envelope.ts";
import { Journal } from "./journal.ts";
import * as progress from "./progress.ts";
import { Schedule } from "./schedule.ts";
import { QueueAwayError } from "./spool.ts";

/** Messages kept in memory that wait for others to be brought, and the recipients that one may have. */
const MOST_KEPT = 10_000;
const MOST_RECIPIENTS = 4;
/** Milliseconds that the clock may go back, and mail wait for longer, without anybody's notice. */
const SET_BACK = 60_000;

export class Queue {
  readonly #parts: ActiveParts;
  readonly #schedule: Schedule;
  readonly #active = new Map<string, ActiveMessage>();
  /** Active messages to be looked at as soon as they are released. */
  readonly #again = new Set<string>();
  /** Messages to be tried sooner than their envelopes say, by so many milliseconds; Infinity for now. */
  readonly #hastened = new Map<string, number>();
  /** Messages that wait and need not be read again, as they are on the disk. */
  readonly #kept = new Map<string, QueuedMessage>();
  /** Whether the journal has been read. */
  #recalled = false;
  /** The clock at the last look. */
  #latest = -Infinity;
  /** What takes, hastens and removes goes one after another: between reading and acting nobody else acts. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Told when something may be due sooner than it was. */
  changed: () => void = () => {};
  /** Told when the clock was set back: times that were noted before say nothing. */
  setBack: () => void = () => {};

  constructor(parts: QueueParts, schedule = new Schedule()) {
    this.#parts = { ...parts, journal: new Journal(parts.spool, parts.clock) };
    this.#schedule = schedule;
  }

  /** Messages being worked on. */
  get active(): number {
    return this.#active.size;
  }

  /** When there is something to do next, in milliseconds since 1970; Infinity for never. */
  get next(): number {
    return this.#schedule.next;
  }

  /**
   * Reads what is on the disk; at the start, and again when the schedule could not hold all of it.
   * What makes no sense is put aside, what cannot be read now is due later. Returns how many messages
   * wait. Rejects with disk errors where they cannot be listed.
   */
  async load(): Promise<number> {
    const ids = await this.#list();
    this.#schedule.forgetHorizon();
    let count = 0;
    let away: QueueAwayError | undefined;
    for (const id of ids) {
      if (this.#active.has(id)) continue;
      const message = await this.#read(id).catch((error) => {
        if (!(error instanceof QueueAwayError)) throw error;
        away = error;
      });
      if (!message) continue;
      await this.#settleJournal(message);
      if (progress.isDone(message)) {
        // A crash came between the last answer and the removal, which the release makes up for.
        this.#schedule.set(id, 0);
        continue;
      }
      count++;
      const due = progress.dueOf(message, this.#parts.policy);
      const sooner = this.#hastened.get(id) ?? this.#excess(due);
      if (sooner > 0) this.#hastened.set(id, sooner);
      this.#schedule.set(id, Math.max(0, due - sooner));
    }
    if (away) this.#parts.log.error("queue trouble", { error: String(away) });
    return count;
  }

  /** What a process has left that was stopped goes into the envelope, where everybody reads it. */
  async #settleJournal(message: QueuedMessage): Promise<void> {
    const { spool, journal, log } = this.#parts;
    if (!journal.has(message.id)) return;
    try {
      await spool.write(message);
      journal.forget(message.id);
    } catch (error) {
      log.error("queue trouble", { id: message.id, error: String(error) });
    }
  }

  /** The ids of all messages, without those that the journal says are gone. */
  async #list(): Promise<string[]> {
    const { spool, journal } = this.#parts;
    const ids = await spool.list();
    if (this.#recalled) return ids;
    const left = await journal.recall(ids);
    this.#recalled = true;
    return left;
  }

  /** Works no more. Those that are being worked on have been released before. */
  close(): Promise<void> {
    return this.#parts.journal.close();
  }

  /**
   * Milliseconds by which a message waits too long. The present policy sets no attempt later than its
   * longest delay from now; but the clock may have been ahead when this one was set, or the delays longer.
   * Whole delays are left out, so that not all such mail is due at one time.
   */
  #excess(due: number): number {
    const { clock, policy } = this.#parts;
    const longest = Math.max(...policy.delays);
    const wait = due - clock.now();
    return wait > longest + SET_BACK ? Math.floor(wait / longest) * longest : 0;
  }

  /**
   * The time. Where the clock was set back, what waits would wait for longer by as much; so it is tried
   * when it would have been, whatever its envelope says.
   */
  #now(): number {
    const { clock, log } = this.#parts;
    const now = clock.now();
    const back = this.#latest - now;
    this.#latest = now;
    if (back < SET_BACK) return now;
    log.warn("clock set back", { seconds: Math.round(back / 1000) });
    for (const id of this.#schedule.advance(back)) {
      this.#hastened.set(id, (this.#hastened.get(id) ?? 0) + back);
    }
    for (const id of this.#active.keys()) {
      this.#hastened.set(id, Infinity);
      this.#again.add(id);
    }
    this.setBack();
    return now;
  }

  /** A message is new on the disk, or there is reason to look at it now. */
  add(id: string): void {
    if (this.#active.has(id)) {
      this.#again.add(id);
      return;
    }
    this.#schedule.set(id, 0);
    this.changed();
  }

  /**
   * Begins to work on the next message that is due; undefined where none is. Whoever gets one calls
   * its `release` at last. Rejects with disk errors where the queue cannot be read, and then nothing
   * is lost.
   */
  take(): Promise<ActiveMessage | undefined> {
    return this.#inTurn(() => this.#take());
  }

  async #take(): Promise<ActiveMessage | undefined> {
    for (;;) {
      const now = this.#now();
      const id = this.#schedule.take(now);
      if (id === undefined) {
        if (this.#schedule.horizon > now) return undefined;
        await this.load();
        if (this.#schedule.next > now) return undefined;
        continue;
      }
      if (this.#active.has(id)) continue;
      const message = this.#kept.get(id) ?? await this.#read(id);
      this.#kept.delete(id);
      if (!message) continue;
      const hastened = this.#hastened.delete(id);
      return this.#activate(
        hastened ? progress.hastened(message, now, this.#parts.policy) : message,
        message,
      );
    }
  }

  /** Makes every message due at once, or as soon as it is released. Rejects with disk errors. */
  hastenAll(): Promise<void> {
    return this.#inTurn(async () => {
      for (const id of await this.#list()) {
        this.#hastened.set(id, Infinity);
        this.add(id);
      }
    });
  }

  /** Makes a message due at once, or as soon as it is released. False where there is none. */
  hasten(id: string): Promise<boolean> {
    return this.#inTurn(async () => {
      if (!this.#active.has(id) && !await this.#parts.spool.has(id)) return false;
      // Recorded when the attempt is.
      this.#hastened.set(id, Infinity);
      this.add(id);
      return true;
    });
  }

  /**
   * Removes a message, untold to anybody; one that is being worked on goes after that. Returns when
   * it has gone; false where there was none.
   */
  async remove(id: string): Promise<boolean> {
    // The turn does not wait until an active one has gone.
    const { gone } = await this.#inTurn(async () => {
      const active = this.#active.get(id);
      if (active) return { gone: active.remove().then(() => true) };
      if (!await this.#parts.spool.has(id)) return { gone: false };
      this.#schedule.delete(id);
      this.#hastened.delete(id);
      this.#kept.delete(id);
      await this.#parts.spool.remove(id);
      this.#parts.journal.forget(id);
      this.#parts.log.warn("message removed", { id });
      return { gone: true };
    });
    return await gone;
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** `durable` is the same message as it is on the disk. */
  #activate(message: QueuedMessage, durable: QueuedMessage): ActiveMessage {
    const active = new ActiveMessage(message, durable, this.#parts, (due, untouched) => {
      this.#active.delete(message.id);
      const again = this.#again.delete(message.id);
      if (untouched && due < Infinity) {
        if (message !== durable) this.#hastened.set(message.id, Infinity);
        this.#keep(durable);
      }
      if (due < Infinity) this.#schedule.set(message.id, again ? 0 : due);
      else this.#hastened.delete(message.id);
      this.changed();
    }, (id) => this.add(id));
    this.#active.set(message.id, active);
    return active;
  }

  /** It is looked at again soon, and nobody else touches its files meanwhile. */
  #keep(message: QueuedMessage): void {
    if (this.#kept.size >= MOST_KEPT || message.recipients.length > MOST_RECIPIENTS) return;
    this.#kept.set(message.id, message);
  }

  /**
   * Undefined where it is gone, or could not be read and is put aside, or is to be tried later. Rejects
   * with QueueAwayError where it is one of all.
   */
  async #read(id: string): Promise<QueuedMessage | undefined> {
    const { spool, journal, log, clock } = this.#parts;
    try {
      return journal.amended(await spool.read(id));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) {
        this.#hastened.delete(id);
        journal.forget(id);
        return undefined;
      }
      if (error instanceof DamagedError) {
        await putAside(this.#parts, id, error);
        return undefined;
      }
      // A disk that fails now may not fail later, and the message is still on it.
      this.#schedule.set(id, clock.now() + SHORTLY);
      // Which all that wait would tell alike.
      if (error instanceof QueueAwayError) throw error;
      log.error("queue trouble", { id, error: String(error) });
      return undefined;
    }
  }
}
