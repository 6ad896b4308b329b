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

  /** `now` is in milliseconds since 1970. */
  get(key: string, now: number): T | undefined {
    const entry = this.#entries.get(key);
    return entry && this.#isWithin(now, entry.at) ? entry.value : undefined;
  }

  /** Its time counts anew. */
  put(key: string, value: T, now: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, at: now });
    for (const [oldest, { at }] of this.#entries) {
      if (this.#entries.size <= this.#most && this.#isWithin(now, at)) return;
      this.#entries.delete(oldest);
    }
  }

  /** A clock that was set back must not make anything last for longer. */
  #isWithin(now: number, at: number): boolean {
    return Math.abs(now - at) < this.#window;
  }
}
