/** One message on its way to all the places it has to go to from here, all or none. */

import { allSettled } from "../all_settled.ts";
import * as replies from "../smtp/reply.ts";
import type { Reply } from "../smtp/reply.ts";

/** One of these places. */
export interface Store {
  /** Appends a piece of the text; a promise where that takes a while. Rejects with disk errors. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** All of it on the disk, but not where anybody looks. Rejects with disk errors. */
  stage(): Promise<void>;
  /** From here on it is there, also after a crash. Rejects with disk errors. */
  publish(): Promise<void>;
  /** Undoes any of it. Never rejects. */
  discard(): Promise<void>;
}

/** `write` the pieces, then `store`, or `discard` at any time before. */
export class Storing {
  /** One place at least. */
  constructor(readonly stores: readonly Store[]) {}

  /** Appends a piece; a promise where that takes a while. Rejects with disk errors. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    const [only, another] = this.stores;
    if (only && !another) return only.write(bytes);
    const waits = this.stores.map((store) => store.write(bytes)).filter((wait) => wait);
    return waits.length > 0 ? allSettled(waits) : undefined;
  }

  /**
   * Returns when the message is in every place and will be there after a crash. Rejects, and
   * nothing remains, when the disk fails on the way.
   */
  async store(): Promise<void> {
    try {
      await allSettled(this.stores.map((store) => store.stage()));
      for (const store of this.stores) await store.publish();
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  async discard(): Promise<void> {
    await Promise.all(this.stores.map((store) => store.discard()));
  }
}

/** The reply for a disk that failed. */
export function storingFailed(trouble: unknown): Reply {
  return isFull(trouble) ? replies.storageFull : replies.storageTrouble;
}

/** Out of blocks, out of quota, or over the largest file; not every one of them has its code. */
function isFull(trouble: unknown): boolean {
  const { code, message } = (trouble ?? {}) as { code?: unknown; message?: unknown };
  return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG" ||
    /\(os error (28|122|27)\)/.test(String(message));
}
