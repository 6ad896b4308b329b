/**
 * Where messages wait: `queue/<id>.eml` is a text with CR LF line ends, `queue/<id>.json` its
 * envelope. Both are written under `tmp/` and synced there; the envelope's rename into `queue/` is
 * the moment of acceptance, durable once `queue/` is synced.
 */

import type { Disk, DurableFile } from "../disk.ts";
import { DamagedError, decodeEnvelope, encodeEnvelope, type QueuedMessage } from "./envelope.ts";

/** Octets of text up to which a message stays in memory until it is whole. */
const IN_MEMORY = 64 * 1024;
/** Octets read at once. */
const PIECE = 64 * 1024;

const ENVELOPE = ".json";
const TEXT = ".eml";
const ID = /^[0-9a-z]{15}$/;

export class Spool {
  #writes = 0;

  /** `directory` is SPOOL_DIR. `owner` tells the parts that write here apart, in names under `tmp/`. */
  constructor(readonly disk: Disk, readonly directory: string, readonly owner: string) {}

  /** Makes what is missing of the directories. */
  async make(): Promise<void> {
    await this.disk.makeDirectory(this.directory);
    for (const part of ["tmp", "queue", "damaged", "requests"]) {
      await this.disk.makeDirectory(`${this.directory}/${part}`);
    }
  }

  /**
   * Removes what was never accepted: files under `tmp/` and texts without an envelope. Only while
   * nobody else writes here. Returns how many files that were.
   */
  async sweep(): Promise<number> {
    const unfinished = (await this.disk.list(this.#tmp)).map((name) => `${this.#tmp}/${name}`);
    const names = new Set(await this.disk.list(this.#queue));
    for (const name of names) {
      const id = name.slice(0, -TEXT.length);
      if (!name.endsWith(TEXT) || !ID.test(id) || names.has(id + ENVELOPE)) continue;
      unfinished.push(`${this.#queue}/${name}`);
    }
    for (const path of unfinished) await this.disk.remove(path);
    return unfinished.length;
  }

  /** The ids of all messages, oldest first. */
  async list(): Promise<string[]> {
    const names = await this.disk.list(this.#queue);
    return names.filter((name) => name.endsWith(ENVELOPE))
      .map((name) => name.slice(0, -ENVELOPE.length))
      .filter((id) => ID.test(id))
      .sort();
  }

  /** Takes in a new message, whose text is to be written. */
  receive(message: NewMessage): SpoolDelivery {
    return new SpoolDelivery(this, message);
  }

  /** Whether there is such a message. Rejects with disk errors. */
  async has(id: string): Promise<boolean> {
    return ID.test(id) && await this.disk.exists(this.envelopePath(id));
  }

  /**
   * The envelope of a message. Rejects with DamagedError, with NotFound where there is no such message,
   * or with disk errors.
   */
  async read(id: string): Promise<QueuedMessage> {
    if (!ID.test(id)) throw new Deno.errors.NotFound(id);
    let bytes;
    try {
      bytes = await this.disk.read(this.envelopePath(id));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) await this.#mustBeThere();
      throw error;
    }
    return decodeEnvelope(bytes, id);
  }

  /** Rejects where the whole queue is away: nothing tells then what is in it. */
  async #mustBeThere(): Promise<void> {
    if (await this.disk.exists(this.#queue)) return;
    throw new Error(`there is no queue in ${this.directory}`);
  }

  /** Replaces the envelope of a message, durably. */
  async write(message: QueuedMessage): Promise<void> {
    const temporary = this.temporaryPath(message.id + ENVELOPE);
    try {
      await this.stage(temporary, encodeEnvelope(message));
      await this.disk.rename(temporary, this.envelopePath(message.id));
    } catch (error) {
      await this.disk.remove(temporary).catch(() => {});
      throw error;
    }
    await this.disk.syncDirectory(this.#queue);
  }

  /**
   * The text in pieces; each is valid until the next is asked for. Rejects with DamagedError where
   * it is not as long as its envelope says, before the last piece is given out.
   */
  async *text({ id, size }: Pick<QueuedMessage, "id" | "size">): AsyncGenerator<Uint8Array> {
    let file;
    try {
      file = await this.disk.open(this.textPath(id));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await this.#mustBeThere();
      throw new DamagedError("the text is missing");
    }
    try {
      const buffer = new Uint8Array(Math.min(PIECE, size + 1));
      for (let left = size; left > 0;) {
        const length = await file.read(buffer) ?? 0;
        left -= length;
        const more = left === 0 && length === buffer.length &&
          await file.read(new Uint8Array(1)) !== null;
        if (length === 0 || left < 0 || more) {
          throw new DamagedError("the text is not as long as its envelope says");
        }
        yield buffer.subarray(0, length);
      }
    } finally {
      file.close();
    }
  }

  /**
   * Removes a message: the envelope first, for a text alone is nobody's and is swept. An envelope that
   * outlived its text, as it may where both go at a time and a power cut comes, would be damaged mail.
   */
  async remove(id: string): Promise<void> {
    await this.disk.remove(this.envelopePath(id));
    await this.syncQueue();
    await this.disk.remove(this.textPath(id));
  }

  /** Puts a message aside that cannot be read, for people to look at. */
  async putAside(id: string): Promise<void> {
    for (const suffix of [TEXT, ENVELOPE]) {
      try {
        await this.disk.rename(`${this.#queue}/${id}${suffix}`, `${this.#damaged}/${id}${suffix}`);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    await this.disk.syncDirectory(this.#damaged);
    await this.disk.syncDirectory(this.#queue);
  }

  /** A new file with this content, synced. */
  async stage(path: string, content: Uint8Array): Promise<void> {
    const file = await this.disk.create(path);
    try {
      await file.write(content);
      await file.sync();
    } finally {
      file.close();
    }
  }

  temporaryPath(name: string): string {
    return `${this.#tmp}/${this.owner}${++this.#writes}-${name}`;
  }

  envelopePath(id: string): string {
    return `${this.#queue}/${id}${ENVELOPE}`;
  }

  textPath(id: string): string {
    return `${this.#queue}/${id}${TEXT}`;
  }

  syncQueue(): Promise<void> {
    return this.disk.syncDirectory(this.#queue);
  }

  get #tmp(): string {
    return `${this.directory}/tmp`;
  }

  get #queue(): string {
    return `${this.directory}/queue`;
  }

  get #damaged(): string {
    return `${this.directory}/damaged`;
  }
}

/** All of a new message's envelope but what its text tells. */
export type NewMessage = Omit<QueuedMessage, "size" | "eightBit" | "delayReported">;

/**
 * One message on its way into the queue: `write` its text, `stage` it with its envelope, `publish`
 * it. `discard` undoes any of it.
 */
export class SpoolDelivery {
  readonly #spool: Spool;
  readonly #message: NewMessage;
  readonly #temporaryText: string;
  readonly #temporaryEnvelope: string;
  #pieces: Uint8Array[] = [];
  #held = 0;
  #size = 0;
  #eightBit = false;
  #file: DurableFile | undefined;
  #published = false;
  /** The files that exist because of this message; what `discard` must remove. */
  readonly #made = new Set<string>();

  constructor(spool: Spool, message: NewMessage) {
    this.#spool = spool;
    this.#message = message;
    this.#temporaryText = spool.temporaryPath(message.id + TEXT);
    this.#temporaryEnvelope = spool.temporaryPath(message.id + ENVELOPE);
  }

  /** Appends a piece of the text, which is copied; a promise where that takes a while. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    this.#eightBit ||= hasHighOctet(bytes);
    this.#size += bytes.length;
    this.#held += bytes.length;
    this.#pieces.push(bytes.slice());
    return this.#held > IN_MEMORY ? this.#flush() : undefined;
  }

  /** Text and envelope complete and synced under `tmp/`. Rejects with disk errors. */
  async stage(): Promise<void> {
    await this.#flush();
    await this.#file?.sync();
    this.#close();
    this.#made.add(this.#temporaryEnvelope);
    const envelope = encodeEnvelope({
      ...this.#message,
      size: this.#size,
      eightBit: this.#eightBit,
      delayReported: false,
    });
    await this.#spool.stage(this.#temporaryEnvelope, envelope);
  }

  /** The moment of acceptance. Rejects with disk errors; then `discard`. */
  async publish(): Promise<void> {
    const { disk } = this.#spool;
    const text = this.#spool.textPath(this.#message.id);
    const envelope = this.#spool.envelopePath(this.#message.id);
    this.#published = true;
    // A rename that fails may have happened all the same.
    this.#made.add(text);
    await disk.rename(this.#temporaryText, text);
    this.#made.add(envelope);
    await disk.rename(this.#temporaryEnvelope, envelope);
    await this.#spool.syncQueue();
  }

  /** Removes whatever there is of the message. Never rejects. */
  async discard(): Promise<void> {
    this.#close();
    const { disk } = this.#spool;
    // The envelope before the text.
    for (const path of [...this.#made].reverse()) await disk.remove(path).catch(() => {});
    if (this.#published) await this.#spool.syncQueue().catch(() => {});
  }

  async #flush(): Promise<void> {
    if (!this.#file) {
      this.#file = await this.#spool.disk.create(this.#temporaryText);
      this.#made.add(this.#temporaryText);
    }
    const [only, another] = this.#pieces;
    if (only) await this.#file.write(another ? joined(this.#pieces, this.#held) : only);
    this.#pieces = [];
    this.#held = 0;
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function hasHighOctet(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if (bytes[at]! > 127) return true;
  return false;
}
