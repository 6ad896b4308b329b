/** What is known of many, for a while, and of no more than so many at once. */

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

  /** `now` is in milliseconds and never goes back by much. */
  get(key: string, now: number): T | undefined {
    const entry = this.#entries.get(key);
    return entry && now - entry.at < this.#window ? entry.value : undefined;
  }

  /** Its time counts anew. */
  put(key: string, value: T, now: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, at: now });
    for (const [oldest, { at }] of this.#entries) {
      if (this.#entries.size <= this.#most && now - at < this.#window) return;
      this.#entries.delete(oldest);
    }
  }
}
