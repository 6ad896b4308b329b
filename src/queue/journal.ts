/**
 * What happens to messages too often for a write and a sync each: an attempt begins, a message is gone.
 * A line in one file tells it, and the lines of all who wait share one sync. `SPOOL_DIR/journal-N` is
 * there as long as it says what no envelope does; a daemon that was stopped leaves it to the next one.
 */

import type { Clock } from "../clock.ts";
import type { DurableFile } from "../disk.ts";
import type { QueuedMessage } from "./envelope.ts";
import { AN_ID } from "./id.ts";
import type { Spool } from "./spool.ts";

/** How far a recipient is by an attempt that has begun. */
export interface Begun {
  /** Which of the envelope's recipients, counted from 0. */
  readonly index: number;
  /** Attempts begun. */
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly nextAttempt: number;
}

/** Octets after which another file is begun, which has what still counts of this one. */
const MOST = 1024 * 1024;
/** Milliseconds that a file stays which says nothing any more: most often another line comes. */
const LINGER = 1000;

const NAME = /^journal-([1-9]\d{0,14})$/;
/** A line that is cut off, or half of another, is none: whoever wrote it has not heard that it is there. */
const LINE = new RegExp(`^(${AN_ID})( gone|(?: \\d+:\\d+:\\d+)*)$`);

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Journal {
  readonly #spool: Spool;
  readonly #clock: Clock;
  /** What no envelope tells yet, by id. */
  readonly #begun = new Map<string, readonly Begun[]>();
  /** Ids of messages whose names are yet to be removed. */
  readonly #gone = new Set<string>();
  /** Whether names were removed whose removal only the journal makes durable. */
  #unsynced = false;
  #file: DurableFile | undefined;
  /** The files there are, the latest last. */
  #paths: string[] = [];
  #number = 0;
  #length = 0;
  #most = MOST;
  #lines: string[] = [];
  /** A write that has not begun, and will take all lines there are then. */
  #nextWrite: Promise<void> | undefined;
  /** Writes happen one after another. */
  #written: Promise<void> = Promise.resolve();
  #callOffEnd: (() => void) | undefined;

  constructor(spool: Spool, clock: Clock) {
    this.#spool = spool;
    this.#clock = clock;
  }

  /**
   * Reads what earlier processes have left, and removes what is gone, given the ids of all messages
   * there are. Returns the ids of the others. Rejects with disk errors.
   */
  async recall(ids: readonly string[]): Promise<string[]> {
    const { disk, directory } = this.#spool;
    const numbers = (await disk.list(directory)).map((name) => NAME.exec(name)?.[1])
      .filter((number) => number !== undefined).map(Number);
    for (const number of numbers.sort((a, b) => a - b)) {
      const path = this.#pathOf(number);
      this.#read(decoder.decode(await disk.read(path)));
      this.#paths.push(path);
      this.#number = number;
    }
    const there = new Set(ids);
    for (const id of this.#begun.keys()) if (!there.has(id)) this.#begun.delete(id);
    for (const id of this.#gone) {
      if (there.delete(id)) await this.#removeNames(id);
      else {
        this.#gone.delete(id);
        // Its names were removed, but perhaps not durably.
        this.#unsynced = true;
      }
    }
    this.#endSoon();
    return [...there];
  }

  #read(text: string): void {
    for (const line of text.split("\n").slice(0, -1)) {
      const [, id, rest] = LINE.exec(line) ?? [];
      if (id === undefined || rest === undefined) continue;
      this.#begun.delete(id);
      if (rest === " gone") this.#gone.add(id);
      else if (rest !== "") this.#begun.set(id, rest.slice(1).split(" ").map(readBegun));
    }
  }

  /** A message as its envelope and the journal have it together. */
  amended(message: QueuedMessage): QueuedMessage {
    const begun = this.#begun.get(message.id);
    if (!begun) return message;
    const recipients = [...message.recipients];
    for (const { index, attempts, nextAttempt } of begun) {
      const recipient = recipients[index];
      // Where the envelope was written since then, it knows better.
      if (recipient?.state !== "waiting" || recipient.attempts >= attempts) continue;
      recipients[index] = { ...recipient, attempts, nextAttempt };
    }
    return { ...message, recipients };
  }

  /**
   * Records durably that attempts begin of a message that the journal tells nothing of. Rejects with
   * disk errors; then they must not.
   */
  async begin(id: string, begun: readonly Begun[]): Promise<void> {
    this.#begun.set(id, begun);
    try {
      await this.#write(this.#lineOf(id));
    } catch (error) {
      this.forget(id);
      throw error;
    }
  }

  /** Whether the journal tells something of a message that its envelope does not. */
  has(id: string): boolean {
    return this.#begun.has(id);
  }

  /**
   * Attempts of these recipients were not made after all. Nobody waits for that to be durable: they are
   * made a little later if it is not.
   */
  withdraw(id: string, indexes: ReadonlySet<number>): void {
    const left = this.#begun.get(id)?.filter(({ index }) => !indexes.has(index)) ?? [];
    if (left.length > 0) this.#begun.set(id, left);
    else this.#begun.delete(id);
    this.#lines.push(this.#lineOf(id));
    this.#endSoon();
  }

  /** The envelope tells it all by now, and may tell of fewer attempts: some were not made. */
  forget(id: string): void {
    if (!this.#begun.delete(id)) return;
    this.#lines.push(this.#lineOf(id));
    this.#endSoon();
  }

  /** Removes a message durably. Rejects with disk errors, whatever has been removed by then. */
  async remove(id: string): Promise<void> {
    this.#gone.add(id);
    try {
      await this.#write(this.#lineOf(id));
    } catch {
      // There may be no room for a line.
      this.#gone.delete(id);
      await this.#spool.remove(id);
      return this.forget(id);
    }
    await this.#removeNames(id);
    this.#begun.delete(id);
    this.#endSoon();
  }

  /** Of a message that the journal says is gone. */
  async #removeNames(id: string): Promise<void> {
    await this.#spool.removeNames(id);
    this.#unsynced = true;
    this.#gone.delete(id);
  }

  /** Says no more. What still counts stays for the next process. */
  async close(): Promise<void> {
    this.#callOffEnd?.();
    // Nor is it called for again.
    this.#callOffEnd = () => {};
    await this.#written;
    await this.#endIfIdle();
    // What was taken back would else be taken for done; nothing worse follows where that fails.
    if (this.#paths.length > 0 && this.#lines.length > 0) await this.#writeNow().catch(() => {});
    this.#closeFile();
  }

  #write(line: string): Promise<void> {
    this.#lines.push(line);
    if (this.#nextWrite) return this.#nextWrite;
    const write = this.#written.then(() => {
      this.#nextWrite = undefined;
      return this.#writeNow();
    });
    this.#nextWrite = write;
    this.#written = write.catch(() => {});
    return write;
  }

  /** Rejects with disk errors; then the next lines begin another file. */
  async #writeNow(): Promise<void> {
    const isNew = !this.#file || this.#length > this.#most;
    const before = this.#paths.length;
    try {
      if (isNew) await this.#renew();
      const content = encoder.encode(this.#takeLines());
      this.#length += content.length;
      await this.#file!.write(content);
      await this.#file!.sync();
      // Where all still counts, the next file is not to be begun at once.
      if (isNew) this.#most = MOST + 2 * this.#length;
    } catch (error) {
      this.#closeFile();
      // On a full disk there would be more and more of them.
      for (const failed of this.#paths.splice(before)) {
        await this.#spool.disk.remove(failed).catch(() => this.#paths.push(failed));
      }
      throw error;
    }
    const old = this.#paths.splice(0, this.#paths.length - 1);
    // One that stays is read again some day, and nothing follows from that.
    for (const path of old) await this.#spool.disk.remove(path).catch(() => {});
  }

  /** Begins another file, with all that counts. */
  async #renew(): Promise<void> {
    const { disk, directory } = this.#spool;
    this.#closeFile();
    const path = this.#pathOf(++this.#number);
    this.#file = await disk.create(path);
    this.#paths.push(path);
    this.#length = 0;
    await disk.syncDirectory(directory);
    // Others are removed meanwhile, and this file says nothing of those that are gone by now.
    while (this.#unsynced) await this.#settleRemovals();
    this.#lines = [...this.#begun.keys(), ...this.#gone].map((id) => this.#lineOf(id));
  }

  /** From here on no line is needed for what was removed. */
  async #settleRemovals(): Promise<void> {
    if (!this.#unsynced) return;
    this.#unsynced = false;
    try {
      await this.#spool.syncQueue();
    } catch (error) {
      this.#unsynced = true;
      throw error;
    }
  }

  get #isIdle(): boolean {
    return this.#begun.size === 0 && this.#gone.size === 0 && !this.#nextWrite;
  }

  #endSoon(): void {
    if (this.#callOffEnd || !this.#isIdle || this.#paths.length === 0) return;
    this.#callOffEnd = this.#clock.after(LINGER, () => {
      this.#callOffEnd = undefined;
      this.#written = this.#written.then(() => this.#endIfIdle());
    });
  }

  /** Removes the files where they say nothing any more. Never rejects. */
  async #endIfIdle(): Promise<void> {
    if (!this.#isIdle) return;
    try {
      await this.#settleRemovals();
      // Something may have come meanwhile.
      if (!this.#isIdle) return;
      this.#closeFile();
      for (const path of this.#paths.splice(0)) await this.#spool.disk.remove(path);
    } catch {
      // They stay, and nothing follows from what they say.
    }
  }

  #closeFile(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #takeLines(): string {
    const lines = this.#lines;
    this.#lines = [];
    return lines.join("");
  }

  #lineOf(id: string): string {
    if (this.#gone.has(id)) return `${id} gone\n`;
    const begun = this.#begun.get(id) ?? [];
    const words = begun.map(({ index, attempts, nextAttempt }) => {
      return ` ${index}:${attempts}:${nextAttempt}`;
    });
    return `${id}${words.join("")}\n`;
  }

  #pathOf(number: number): string {
    return `${this.#spool.directory}/journal-${number}`;
  }
}

function readBegun(word: string): Begun {
  const [index, attempts, nextAttempt] = word.split(":").map(Number) as [number, number, number];
  return { index, attempts, nextAttempt };
}
