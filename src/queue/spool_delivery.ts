/** A message on its way into the queue. */

import type { DurableFile } from "../disk.ts";
import { encodeEnclosed } from "./enclosed.ts";
import type { QueuedMessage } from "./envelope.ts";
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
  readonly #temporary: string;
  /** What is in memory; one buffer, for there may be a piece for each octet. */
  #buffer = new Uint8Array(FIRST_BUFFER);
  #held = 0;
  #size = 0;
  #eightBit = false;
  #file: DurableFile | undefined;
  /** Whether its file is there, or may be; `discard` must remove it then. */
  #made: "no" | "under tmp" | "in the queue" = "no";

  constructor(spool: Spool, message: NewMessage) {
    this.#spool = spool;
    this.#message = message;
    this.#temporary = spool.temporaryPath(`${message.id}.eml`);
  }

  /** Appends a piece of the text, which is copied; a promise where that takes a while. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    this.#eightBit ||= hasHighOctet(bytes);
    this.#size += bytes.length;
    this.#hold(bytes);
    return this.#held > IN_MEMORY ? this.#flush() : undefined;
  }

  /** Text and envelope complete and synced, under `tmp/`. Rejects with disk errors. */
  async stage(): Promise<void> {
    this.#hold(encodeEnclosed({
      ...this.#message,
      size: this.#size,
      eightBit: this.#eightBit,
      delayReported: false,
    }));
    await this.#flush();
    await this.#file!.sync();
    this.#close();
  }

  /** The moment of acceptance. Rejects with disk errors; then `discard`. */
  async publish(): Promise<void> {
    // A rename that fails may have happened all the same.
    this.#made = "in the queue";
    await this.#spool.disk.rename(this.#temporary, this.#final);
    await this.#spool.syncQueue();
  }

  /** Removes whatever there is of the message. Never rejects. */
  async discard(): Promise<void> {
    this.#close();
    const { disk } = this.#spool;
    if (this.#made !== "no") await disk.remove(this.#temporary).catch(() => {});
    if (this.#made !== "in the queue") return;
    await disk.remove(this.#final).catch(() => {});
    await this.#spool.syncQueue().catch(() => {});
  }

  async #flush(): Promise<void> {
    if (!this.#file) {
      this.#file = await this.#spool.disk.create(this.#temporary);
      this.#made = "under tmp";
    }
    await this.#file.write(this.#buffer.subarray(0, this.#held));
    this.#held = 0;
  }

  #hold(bytes: Uint8Array): void {
    const needed = this.#held + bytes.length;
    if (needed > this.#buffer.length) this.#grow(needed);
    this.#buffer.set(bytes, this.#held);
    this.#held = needed;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, Math.min(IN_MEMORY, 2 * this.#buffer.length)));
    larger.set(this.#buffer.subarray(0, this.#held));
    this.#buffer = larger;
  }

  get #final(): string {
    return this.#spool.textPath(this.#message.id);
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
