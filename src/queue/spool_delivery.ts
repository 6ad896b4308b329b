/** A message on its way into the queue. */

import { allSettled } from "../all_settled.ts";
import type { DurableFile } from "../disk.ts";
import { encodeEnvelope, type QueuedMessage } from "./envelope.ts";
import type { Spool } from "./spool.ts";

/** Octets of text up to which a message stays in memory until it is whole. */
const IN_MEMORY = 64 * 1024;
const FIRST_BUFFER = 4 * 1024;

/** All of a new message's envelope but what its text tells. */
export type NewMessage = Omit<QueuedMessage, "size" | "eightBit" | "delayReported">;

/**
 * One message on its way into the queue: `write` its text, `stage` it with its envelope, `publish`
 * it. `discard` undoes any of it.
 */
export class SpoolDelivery {
  readonly #spool: Spool;
  readonly #message: NewMessage;
  readonly #text: string;
  readonly #temporaryEnvelope: string;
  /** What is in memory; one buffer, for there may be a piece for each octet. */
  #buffer = new Uint8Array(FIRST_BUFFER);
  #held = 0;
  #size = 0;
  #eightBit = false;
  #file: DurableFile | undefined;
  /** The files that exist because of this message; what `discard` must remove. */
  readonly #made = new Set<string>();

  constructor(spool: Spool, message: NewMessage) {
    this.#spool = spool;
    this.#message = message;
    // A text alone is nobody's, so it is written where it belongs.
    this.#text = spool.textPath(message.id);
    this.#temporaryEnvelope = spool.temporaryPath(`${message.id}.json`);
  }

  /** Appends a piece of the text, which is copied; a promise where that takes a while. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    this.#eightBit ||= hasHighOctet(bytes);
    this.#size += bytes.length;
    const needed = this.#held + bytes.length;
    if (needed > this.#buffer.length) this.#grow(needed);
    this.#buffer.set(bytes, this.#held);
    this.#held = needed;
    return this.#held > IN_MEMORY ? this.#flush() : undefined;
  }

  /** Text and envelope complete and synced, the latter under `tmp/`. Rejects with disk errors. */
  async stage(): Promise<void> {
    await this.#flush();
    this.#made.add(this.#temporaryEnvelope);
    const envelope = encodeEnvelope({
      ...this.#message,
      size: this.#size,
      eightBit: this.#eightBit,
      delayReported: false,
    });
    // At one time, so that one commit of the file system can serve both.
    await allSettled([
      this.#file?.sync(),
      this.#spool.stage(this.#temporaryEnvelope, envelope),
    ]);
    this.#close();
  }

  /** The moment of acceptance. Rejects with disk errors; then `discard`. */
  async publish(): Promise<void> {
    const envelope = this.#spool.envelopePath(this.#message.id);
    // A rename that fails may have happened all the same.
    this.#made.add(envelope);
    await this.#spool.disk.rename(this.#temporaryEnvelope, envelope);
    await this.#spool.syncQueue();
  }

  /** Removes whatever there is of the message. Never rejects. */
  async discard(): Promise<void> {
    this.#close();
    const { disk } = this.#spool;
    // The envelope before the text.
    for (const path of [...this.#made].reverse()) await disk.remove(path).catch(() => {});
    if (this.#made.has(this.#spool.envelopePath(this.#message.id))) {
      await this.#spool.syncQueue().catch(() => {});
    }
  }

  async #flush(): Promise<void> {
    if (!this.#file) {
      this.#file = await this.#spool.disk.create(this.#text);
      this.#made.add(this.#text);
    }
    if (this.#held > 0) await this.#file.write(this.#buffer.subarray(0, this.#held));
    this.#held = 0;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, Math.min(IN_MEMORY, 2 * this.#buffer.length)));
    larger.set(this.#buffer.subarray(0, this.#held));
    this.#buffer = larger;
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

function hasHighOctet(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if (bytes[at]! > 127) return true;
  return false;
}
