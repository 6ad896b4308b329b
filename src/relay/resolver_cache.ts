/** What name servers said, remembered for a while: mail comes in runs to the same domains. */

import { type Clock, isRecent } from "../clock.ts";
import type { Answer, MxRecord, Resolver } from "./resolver.ts";

/** Milliseconds. How long a record holds is not known here, so this is short for any of them. */
const LIFETIME = 5 * 60 * 1000;

const MAX_NAMES = 1000;

/** A resolver that asks another one, and each question once in five minutes. It remembers no failure. */
export class CachedResolver implements Resolver {
  readonly #mx: Memory<MxRecord>;
  readonly #addresses: Memory<string>;

  constructor(resolver: Resolver, clock: Pick<Clock, "now">) {
    this.#mx = new Memory((name) => resolver.mx(name), clock);
    this.#addresses = new Memory((name) => resolver.addresses(name), clock);
  }

  /** Asks anew from now on. */
  forget(): void {
    this.#mx.forget();
    this.#addresses.forget();
  }

  mx(name: string): Promise<Answer<MxRecord>> {
    return this.#mx.ask(name.toLowerCase());
  }

  addresses(name: string): Promise<Answer<string>> {
    return this.#addresses.ask(name.toLowerCase());
  }
}

class Memory<T> {
  readonly #resolve: (name: string) => Promise<Answer<T>>;
  readonly #clock: Pick<Clock, "now">;
  /** Oldest first. Questions under way are here too, so whoever asks meanwhile shares the answer. */
  readonly #answers = new Map<string, { readonly asked: number; answer: Promise<Answer<T>> }>();

  constructor(resolve: (name: string) => Promise<Answer<T>>, clock: Pick<Clock, "now">) {
    this.#resolve = resolve;
    this.#clock = clock;
  }

  ask(name: string): Promise<Answer<T>> {
    const now = this.#clock.now();
    const known = this.#answers.get(name);
    if (known && isRecent(LIFETIME, known.asked, now)) return known.answer;
    const entry = { asked: now, answer: this.#resolve(name) };
    this.#answers.delete(name);
    this.#answers.set(name, entry);
    this.#bound();
    entry.answer.catch(() => {
      if (this.#answers.get(name) === entry) this.#answers.delete(name);
    });
    return entry.answer;
  }

  forget(): void {
    this.#answers.clear();
  }

  #bound(): void {
    for (const name of this.#answers.keys()) {
      if (this.#answers.size <= MAX_NAMES) break;
      this.#answers.delete(name);
    }
  }
}
