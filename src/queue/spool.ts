/**
 * Where messages wait: `queue/<id>.eml` is a text with CR LF line ends and behind it the envelope as it
 * came, `queue/<id>.json` the envelope as it is, once that has changed; without the former it is
 * nobody's. A message is written under `tmp/`; when it is synced its rename into `queue/` is the moment
 * of acceptance, durable once `queue/` is synced.
 */

import type { Disk } from "../disk.ts";
import { DamagedError, decodeEnvelope, encodeEnvelope, type QueuedMessage } from "./envelope.ts";
import { decodeEnclosed, lengthOfEnclosed } from "./enclosed.ts";
import { AN_ID } from "./id.ts";
import { type NewMessage, SpoolDelivery } from "./spool_delivery.ts";

/** Octets read at once. */
const PIECE = 64 * 1024;
/** Octets at the end of a file among which most envelopes are. */
const END = 4 * 1024;

const ENVELOPE = ".json";
const TEXT = ".eml";
const ID = new RegExp(`^${AN_ID}$`);

/** Ids that are remembered. */
const MOST_CHANGED = 100_000;

/** The whole queue is away: nothing tells what is in it. The message says of which directory. */
export class QueueAwayError extends Error {
  override name = "QueueAwayError";
}

export class Spool {
  #writes = 0;
  /** Ids of messages that have changed envelopes, of those listed. Who does not write himself may miss the latest. */
  readonly #changed = new Set<string>();
  #listed = false;
  /** Whether there are too many of them: then each message is asked for its changed envelope. */
  #crowded = false;

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
   * Removes what is nobody's: files under `tmp/`, which were never accepted, and what is left of
   * messages that have gone. Only while nobody else writes here. Returns how many files that were.
   */
  async sweep(): Promise<number> {
    const unfinished = (await this.disk.list(this.#tmp)).map((name) => `${this.#tmp}/${name}`);
    const names = await this.disk.list(this.queueDirectory);
    const ids = new Set(idsOf(names, TEXT));
    for (const id of idsOf(names, ENVELOPE)) {
      if (!ids.has(id)) unfinished.push(this.envelopePath(id));
    }
    for (const path of unfinished) await this.disk.remove(path);
    return unfinished.length;
  }

  /** The ids of all messages, oldest first. */
  async list(): Promise<string[]> {
    const names = await this.disk.list(this.queueDirectory);
    for (const id of idsOf(names, ENVELOPE)) this.#remember(id);
    this.#listed = !this.#crowded;
    return [...idsOf(names, TEXT)].sort();
  }

  #remember(id: string): void {
    if (this.#crowded) return;
    if (this.#changed.size < MOST_CHANGED) {
      this.#changed.add(id);
      return;
    }
    this.#changed.clear();
    this.#crowded = true;
    this.#listed = false;
  }

  /** Takes in a new message, whose text is to be written. */
  receive(message: NewMessage): SpoolDelivery {
    return new SpoolDelivery(this, message);
  }

  /** Whether there is such a message. Rejects with disk errors. */
  async has(id: string): Promise<boolean> {
    if (!ID.test(id) || !await this.disk.exists(this.textPath(id))) return false;
    // Somebody may have put both back.
    if (await this.disk.exists(this.envelopePath(id))) this.#remember(id);
    return true;
  }

  /**
   * The envelope of a message. Rejects with DamagedError, with NotFound where there is no such message,
   * with QueueAwayError where there is no telling, or with disk errors.
   */
  async read(id: string): Promise<QueuedMessage> {
    if (!ID.test(id)) throw new Deno.errors.NotFound(id);
    try {
      return await this.#readChanged(id) ?? await this.#readEnclosed(id);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) await this.#mustBeThere();
      throw error;
    }
  }

  async #readChanged(id: string): Promise<QueuedMessage | undefined> {
    if (this.#listed && !this.#changed.has(id)) return undefined;
    try {
      return decodeEnvelope(await this.disk.read(this.envelopePath(id)), id);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  async #readEnclosed(id: string): Promise<QueuedMessage> {
    let end = await this.disk.readEnd(this.textPath(id), END);
    const length = lengthOfEnclosed(end.bytes);
    if (length > end.bytes.length) end = await this.disk.readEnd(this.textPath(id), length);
    const message = decodeEnclosed(end.bytes.subarray(-length), id);
    if (message.size !== end.of - length) throw wrongLength();
    return message;
  }

  /** Rejects where the whole queue is away. */
  async #mustBeThere(): Promise<void> {
    if (await this.disk.exists(this.queueDirectory)) return;
    throw new QueueAwayError(`there is no queue in ${this.directory}`);
  }

  /** Replaces the envelope of a message, durably. */
  async write(message: QueuedMessage): Promise<void> {
    const temporary = this.temporaryPath(message.id + ENVELOPE);
    try {
      await this.stage(temporary, encodeEnvelope(message));
      this.#remember(message.id);
      await this.disk.rename(temporary, this.envelopePath(message.id));
    } catch (error) {
      await this.disk.remove(temporary).catch(() => {});
      throw error;
    }
    await this.disk.syncDirectory(this.queueDirectory);
  }

  /**
   * The text in pieces; each is valid until the next is asked for. Rejects with DamagedError where
   * it is not as long as its envelope says, before the last piece is given out, and with
   * QueueAwayError.
   */
  async *text(message: Pick<QueuedMessage, "id" | "size">): AsyncGenerator<Uint8Array> {
    try {
      if (message.size > PIECE) yield* this.#pieces(message);
      else yield await this.#whole(message);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await this.#mustBeThere();
      throw new DamagedError("the text is missing");
    }
  }

  async #whole({ id, size }: Pick<QueuedMessage, "id" | "size">): Promise<Uint8Array> {
    const all = await this.disk.read(this.textPath(id));
    // With an envelope in a file of its own alone, as earlier versions have left it.
    if (all.length === size) return all;
    if (all.length - lengthOfEnclosed(all) !== size) throw wrongLength();
    return all.subarray(0, size);
  }

  async *#pieces(
    { id, size }: Pick<QueuedMessage, "id" | "size">,
  ): AsyncGenerator<Uint8Array> {
    const path = this.textPath(id);
    const end = await this.disk.readEnd(path, END);
    if (end.of !== size && end.of - lengthOfEnclosed(end.bytes) !== size) throw wrongLength();
    const file = await this.disk.open(path);
    try {
      const buffer = new Uint8Array(PIECE);
      for (let left = size; left > 0;) {
        const length = await file.read(buffer.subarray(0, left)) ?? 0;
        if (length === 0) throw wrongLength();
        left -= length;
        yield buffer.subarray(0, length);
      }
    } finally {
      file.close();
    }
  }

  /**
   * Removes a message: its text with the first envelope first, for a later one alone is nobody's and is
   * swept. A text that outlived the later one would be a new message again.
   */
  async remove(id: string): Promise<void> {
    await this.disk.remove(this.textPath(id));
    await this.syncQueue();
    await this.#removeChanged(id);
  }

  /** Removes its names, neither durably nor in an order. Rejects with QueueAwayError and disk errors. */
  async removeNames(id: string): Promise<void> {
    // With the queue its names are away too, and come back with it.
    if (!await this.disk.remove(this.textPath(id))) await this.#mustBeThere();
    await this.#removeChanged(id);
  }

  async #removeChanged(id: string): Promise<void> {
    if (this.#listed && !this.#changed.has(id)) return;
    await this.disk.remove(this.envelopePath(id));
    this.#changed.delete(id);
  }

  /** Puts a message aside that cannot be read, for people to look at. */
  async putAside(id: string): Promise<void> {
    // The later envelope last, as in `remove`.
    for (const suffix of [TEXT, ENVELOPE]) await this.#moveAside(id + suffix);
    this.#changed.delete(id);
  }

  /** Durably, where there is such a file. */
  async #moveAside(name: string): Promise<void> {
    try {
      await this.disk.rename(`${this.queueDirectory}/${name}`, `${this.#damaged}/${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    await this.disk.syncDirectory(this.#damaged);
    await this.syncQueue();
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
    return `${this.queueDirectory}/${id}${ENVELOPE}`;
  }

  textPath(id: string): string {
    return `${this.queueDirectory}/${id}${TEXT}`;
  }

  syncQueue(): Promise<void> {
    return this.disk.syncDirectory(this.queueDirectory);
  }

  get #tmp(): string {
    return `${this.directory}/tmp`;
  }

  /** Where the messages are, those that were accepted. */
  get queueDirectory(): string {
    return `${this.directory}/queue`;
  }

  get #damaged(): string {
    return `${this.directory}/damaged`;
  }
}

function* idsOf(names: readonly string[], suffix: string): Generator<string> {
  for (const name of names) {
    const id = name.slice(0, -suffix.length);
    if (name.endsWith(suffix) && ID.test(id)) yield id;
  }
}

function wrongLength(): DamagedError {
  return new DamagedError("the text is not as long as its envelope says");
}
