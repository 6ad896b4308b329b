/** Message ids: what logs, Received lines and the queue call a message. */

/** Crockford's base 32 in lower case: sorts as it counts, and no letter looks like a digit. */
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
/** 45 bits of milliseconds last until the year 3084. */
const TIME_DIGITS = 9;
const COUNTER_DIGITS = 2;
const RANDOM_DIGITS = 4;
/** As many threads make ids of their own at a time. */
const THREADS = 1024;

/** What an id looks like, for a regular expression. */
export const AN_ID = `[0-9a-z]{${TIME_DIGITS + COUNTER_DIGITS + RANDOM_DIGITS}}`;

export interface IdSource {
  /** Milliseconds since 1970. */
  now(): number;
  /** A number from 0 up to, not including, 1. */
  random(): number;
  /** Whose ids these are, where several threads of a process make some: 0 and up. */
  readonly thread?: number;
}

/**
 * Makes ids that sort in the order they were made, also within a millisecond and when the clock
 * is set back. Two threads never make the same one, and the random end tells processes apart.
 */
export class MessageIds {
  #time = 0;
  #counter = 0;

  constructor(readonly source: IdSource) {}

  next(): string {
    const now = Math.floor(this.source.now());
    if (now > this.#time) {
      this.#time = now;
      this.#counter = 0;
    } else if (++this.#counter === 32 ** COUNTER_DIGITS) {
      this.#time++;
      this.#counter = 0;
    }
    const { thread } = this.source;
    const random = this.source.random();
    const all = 32 ** RANDOM_DIGITS;
    // Added as whole numbers: the largest fraction below one would be rounded up to the next thread's.
    const end = thread === undefined
      ? Math.floor(random * all)
      : (thread % THREADS) * (all / THREADS) + Math.floor(random * (all / THREADS));
    return digits(this.#time, TIME_DIGITS) + digits(this.#counter, COUNTER_DIGITS) +
      digits(end, RANDOM_DIGITS);
  }
}

function digits(number: number, count: number): string {
  let text = "";
  for (let rest = number; text.length < count; rest = Math.floor(rest / 32)) {
    text = DIGITS[rest % 32] + text;
  }
  return text;
}
