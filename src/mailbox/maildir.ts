/** Mailbox directories in the form of Maildir: tmp, new and cur, one file per message. */

import type { Disk, DurableFile } from "../disk.ts";
import type { MaildirNames } from "./name.ts";
import { MailboxText, withoutCr } from "./text.ts";

/** Octets of text up to which a message stays in memory until it is whole. */
const IN_MEMORY = 64 * 1024;
const FIRST_BUFFER = 8 * 1024;
const MOST_FREE = 64;
const NONE = new Uint8Array(0);

/** Buffers for short texts, used again. */
const free: Uint8Array[] = [];

/** Makes what is missing of a mailbox directory. */
export async function makeMaildir(disk: Disk, directory: string): Promise<void> {
  await disk.makeDirectory(directory);
  for (const part of ["tmp", "new", "cur"]) await disk.makeDirectory(`${directory}/${part}`);
}

/** Removes what earlier daemons left unfinished in `tmp`; returns how many files that were. */
export async function sweepMaildir(
  disk: Disk,
  names: MaildirNames,
  directory: string,
): Promise<number> {
  const leftovers = (await disk.list(`${directory}/tmp`)).filter((name) => names.isLeftover(name));
  for (const name of leftovers) await disk.remove(`${directory}/tmp/${name}`);
  return leftovers.length;
}

/**
 * One message on its way into one or more mailboxes, all or none: `write` its pieces, `stage` it,
 * `publish` it. `discard` undoes any of it.
 */
export class MaildirDelivery {
  readonly #text = new MailboxText();
  readonly #name: string;
  #buffer: Uint8Array;
  #length: number;
  #size = 0;
  #file: DurableFile | undefined;
  /** The files that exist because of this message; what `discard` must remove. */
  readonly #made = new Set<string>();
  /** The directories that readers may have seen it in; after an undoing they must be durably without it. */
  readonly #published: string[] = [];

  /**
   * `directories` are mailboxes that exist, one at least, each once; `top` are the header fields
   * to put above the text, with CR LF.
   */
  constructor(
    readonly disk: Disk,
    names: MaildirNames,
    readonly directories: readonly string[],
    top: Uint8Array,
  ) {
    this.#name = names.next();
    this.#buffer = top.length <= FIRST_BUFFER
      ? free.pop() ?? new Uint8Array(FIRST_BUFFER)
      : new Uint8Array(top.length);
    this.#length = withoutCr(top, 0, top.length, this.#buffer, 0);
  }

  /** Appends a piece of the text; a promise where that takes a while. Rejects with disk errors. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    const needed = this.#length + MailboxText.room(bytes.length);
    if (needed > IN_MEMORY) return this.#writeThrough(bytes);
    if (needed > this.#buffer.length) this.#grow(needed);
    this.#length = this.#text.convert(bytes, this.#buffer, this.#length);
    return undefined;
  }

  /**
   * The text complete and synced under tmp of the first mailbox, and by link in each other's. Rejects
   * with disk errors.
   */
  async stage(): Promise<void> {
    await this.#flush();
    this.#releaseBuffer();
    await this.#file!.sync();
    this.#closeFile();
    const [first, ...others] = this.directories.map((directory) => this.#temporary(directory));
    for (const path of others) {
      this.#made.add(path);
      try {
        await this.disk.link(first!, path);
      } catch {
        // Another file system, or one without links.
        await this.disk.copy(first!, path);
      }
    }
  }

  /**
   * From tmp to new: here readers begin to see it. Returns when it will be there after a crash.
   * Rejects with disk errors; then `discard`.
   */
  async publish(): Promise<void> {
    for (const directory of this.directories) {
      const temporary = this.#temporary(directory);
      const final = `${directory}/new/${this.#name},S=${this.#size}`;
      await this.disk.rename(temporary, final);
      this.#made.delete(temporary);
      this.#made.add(final);
      this.#published.push(`${directory}/new`);
    }
    await Promise.all(this.#published.map((path) => this.disk.syncDirectory(path)));
  }

  /**
   * Removes whatever there is of the message. Never rejects: on a disk that fails, what can be
   * undone is.
   */
  async discard(): Promise<void> {
    this.#releaseBuffer();
    this.#closeFile();
    for (const path of this.#made) await this.disk.remove(path).catch(() => {});
    for (const path of this.#published) await this.disk.syncDirectory(path).catch(() => {});
    this.#made.clear();
  }

  async #writeThrough(bytes: Uint8Array): Promise<void> {
    await this.#flush();
    const room = MailboxText.room(bytes.length);
    if (this.#buffer.length < room) {
      this.#releaseBuffer();
      this.#buffer = new Uint8Array(room);
    }
    this.#length = this.#text.convert(bytes, this.#buffer, 0);
  }

  async #flush(): Promise<void> {
    this.#file ??= await this.#createFile();
    await this.#file.write(this.#buffer.subarray(0, this.#length));
    this.#size += this.#length;
    this.#length = 0;
  }

  async #createFile(): Promise<DurableFile> {
    const path = this.#temporary(this.directories[0]!);
    const file = await this.disk.create(path);
    this.#made.add(path);
    return file;
  }

  #closeFile(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.min(IN_MEMORY, Math.max(needed, 2 * this.#buffer.length)));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#releaseBuffer();
    this.#buffer = larger;
  }

  /** What is in it is of no use any more. */
  #releaseBuffer(): void {
    if (this.#buffer.length === FIRST_BUFFER && free.length < MOST_FREE) free.push(this.#buffer);
    this.#buffer = NONE;
  }

  #temporary(directory: string): string {
    return `${directory}/tmp/${this.#name}`;
  }
}
