/**
 * Where messages wait: `queue/<id>.eml` is a text with CR LF line ends, `queue/<id>.json` its
 * envelope. A text without an envelope is nobody's. The envelope is written under `tmp/`; when both are
 * synced its rename into `queue/` is the moment of acceptance, durable once `queue/` is synced.
 */

import type { Disk } from "../disk.ts";
import { DamagedError, decodeEnvelope, encodeEnvelope, type QueuedMessage } from "./envelope.ts";
import { AN_ID } from "./id.ts";
import { type NewMessage, SpoolDelivery } from "./spool_delivery.ts";

/** Octets read at once. */
const PIECE = 64 * 1024;

const ENVELOPE = ".json";
const TEXT = ".eml";
const ID = new RegExp(`^${AN_ID}$`);

/** The whole queue is away: nothing tells what is in it. The message says of which directory. */
export class QueueAwayError extends Error {
  override name = "QueueAwayError";
}

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
    const names = new Set(await this.disk.list(this.queueDirectory));
    for (const name of names) {
      const id = name.slice(0, -TEXT.length);
      if (!name.endsWith(TEXT) || !ID.test(id) || names.has(id + ENVELOPE)) continue;
      unfinished.push(`${this.queueDirectory}/${name}`);
    }
    for (const path of unfinished) await this.disk.remove(path);
    return unfinished.length;
  }

  /** The ids of all messages, oldest first. */
  async list(): Promise<string[]> {
    const names = await this.disk.list(this.queueDirectory);
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
   * with QueueAwayError where there is no telling, or with disk errors.
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
    const text = await this.disk.read(this.textPath(id));
    if (text.length !== size) throw wrongLength();
    return text;
  }

  async *#pieces(
    { id, size }: Pick<QueuedMessage, "id" | "size">,
  ): AsyncGenerator<Uint8Array> {
    const file = await this.disk.open(this.textPath(id));
    try {
      const buffer = new Uint8Array(PIECE);
      for (let left = size; left > 0;) {
        const length = await file.read(buffer) ?? 0;
        left -= length;
        const more = left === 0 && length === buffer.length &&
          await file.read(new Uint8Array(1)) !== null;
        if (length === 0 || left < 0 || more) throw wrongLength();
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
        await this.disk.rename(
          `${this.queueDirectory}/${id}${suffix}`,
          `${this.#damaged}/${id}${suffix}`,
        );
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    await this.disk.syncDirectory(this.#damaged);
    await this.disk.syncDirectory(this.queueDirectory);
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

function wrongLength(): DamagedError {
  return new DamagedError("the text is not as long as its envelope says");
}
