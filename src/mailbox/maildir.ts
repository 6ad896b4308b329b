/** Mailbox directories in the form of Maildir: tmp, new and cur, one file per message. */

import type { Disk, DurableFile } from "../disk.ts";
import { LinkMemory } from "./link_memory.ts";
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
  readonly #links: LinkMemory;
  readonly #name: string;
  #buffer: Uint8Array;
  #length: number;
  #size = 0;
  #file: DurableFile | undefined;
  /** The files that exist because of this message; what `discard` must remove. */
  readonly #made = new Set<string>();
  /** The directories that readers may have seen it in; after an undoing they must be durably without it. */
  readonly #published = new Set<string>();

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
    this.#links = LinkMemory.of(disk);
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
   * The text complete and synced under tmp of the first mailbox, and by copy under that of each other
   * one that is known to take no link of it. Rejects with disk errors.
   */
  async stage(): Promise<void> {
    await this.#flush();
    this.#releaseBuffer();
    await this.#file!.sync();
    this.#closeFile();
    const [first, ...others] = this.directories;
    for (const directory of others) {
      if (this.#links.areApart(first!, directory)) await this.#copy(directory);
    }
  }

  /**
   * Into new, by a rename in the first mailbox and a link from there into each other one: here readers
   * begin to see it. Returns when it will be there after a crash. Rejects with disk errors; then
   * `discard`.
   */
  async publish(): Promise<void> {
    const [first, ...others] = this.directories;
    for (const directory of others) {
      const isCopied = this.#made.has(this.#temporary(directory));
      if (!isCopied && await this.#link(directory)) continue;
      if (!isCopied) await this.#copy(directory);
      await this.#move(directory);
    }
    // Last, for what the others are linked from must stay where no reader moves it.
    await this.#move(first!);
    await Promise.all([...this.#published].map((path) => this.disk.syncDirectory(path)));
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

  /** From tmp of the first mailbox into new of another; false where a copy has to do. */
  async #link(directory: string): Promise<boolean> {
    const [first] = this.directories;
    const final = this.#publishing(directory);
    try {
      await this.disk.link(this.#temporary(first!), final);
      return true;
    } catch (error) {
      // Not ours to remove.
      if (error instanceof Deno.errors.AlreadyExists) this.#made.delete(final);
      if (this.#links.wantsCopy(first!, directory, error)) return false;
      throw error;
    }
  }

  async #copy(directory: string): Promise<void> {
    const path = this.#temporary(directory);
    this.#made.add(path);
    await this.disk.copy(this.#temporary(this.directories[0]!), path);
  }

  async #move(directory: string): Promise<void> {
    const temporary = this.#temporary(directory);
    await this.disk.rename(temporary, this.#publishing(directory));
    this.#made.delete(temporary);
  }

  /** The name in new, which is about to be there. */
  #publishing(directory: string): string {
    const path = `${directory}/new`;
    const final = `${path}/${this.#name},S=${this.#size}`;
    this.#published.add(path);
    this.#made.add(final);
    return final;
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
