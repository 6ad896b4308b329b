/** What is known of many, for a while, and of no more than so many at once. */

import { isRecent } from "../clock.ts";

/** Forgets what was not put for `window` milliseconds, and the oldest where there are too many. */
export class Recent<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly at: number }>();
  readonly #window: number;
  readonly #most: number;

  constructor({ window, most }: { readonly window: number; readonly most: number }) {
    this.#window = window;
    this.#most = most;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** `now` is in milliseconds since 1970. */
  get(key: string, now: number): T | undefined {
    const entry = this.#entries.get(key);
    return entry && isRecent(this.#window, entry.at, now) ? entry.value : undefined;
  }

  /** Its time counts anew. */
  put(key: string, value: T, now: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, at: now });
    for (const [oldest, { at }] of this.#entries) {
      if (this.#entries.size <= this.#most && isRecent(this.#window, at, now)) return;
      this.#entries.delete(oldest);
    }
  }
}
