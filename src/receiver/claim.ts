/** A message's share of what is free: asked for again while its text comes, for others come meanwhile. */

import type { Reserve } from "./reserve.ts";
import type { Store } from "./storing.ts";

/** Too little is free for the rest of a message. */
export class NoRoomError extends Error {
  override name = "NoRoomError";
  /** As if the disk had said so. */
  readonly code = "ENOSPC";
}

/** Octets that are claimed at once. */
const PIECE = 64 * 1024;

/** Stands among the places of a message, and keeps nothing itself. */
export class Claim implements Store {
  readonly #reserve: Reserve;
  readonly #directories: readonly string[];
  #octets = 0;

  /** `directories` are where the message goes. */
  constructor(reserve: Reserve, directories: readonly string[]) {
    this.#reserve = reserve;
    this.#directories = directories;
  }

  /** Rejects with NoRoomError. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    this.#octets += bytes.length;
    return this.#octets < PIECE ? undefined : this.#claim();
  }

  /** Rejects with NoRoomError. */
  stage(): Promise<void> {
    return this.#claim();
  }

  publish(): Promise<void> {
    return Promise.resolve();
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }

  async #claim(): Promise<void> {
    const octets = this.#octets;
    this.#octets = 0;
    if (await this.#reserve.claim(this.#directories, octets)) return;
    throw new NoRoomError("less is free than MIN_FREE");
  }
}
