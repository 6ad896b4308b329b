/** A message's share of what is free: asked for again while its text comes, for others come meanwhile. */

import type { Reserve, WrittenPlaces } from "./reserve.ts";
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
  readonly #places: WrittenPlaces;
  #octets = 0;

  constructor(reserve: Reserve, places: WrittenPlaces) {
    this.#reserve = reserve;
    this.#places = places;
  }

  /** Rejects with NoRoomError. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    this.#octets += bytes.length;
    return this.#octets < PIECE ? undefined : this.#claim(0);
  }

  /** Rejects with NoRoomError. */
  stage(): Promise<void> {
    return this.#claim(1);
  }

  publish(): Promise<void> {
    return Promise.resolve();
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }

  async #claim(files: number): Promise<void> {
    const octets = this.#octets;
    this.#octets = 0;
    if (await this.#reserve.claim(this.#places, octets, files)) return;
    throw new NoRoomError("less is free than MIN_FREE");
  }
}
