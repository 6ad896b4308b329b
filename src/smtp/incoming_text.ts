/** A text that comes in, with everything that can be held against it at its end. */

import { type TextFlaw, type TextPart, TextReader } from "./data.ts";
import { HopCounter } from "./hops.ts";
import * as replies from "./reply.ts";
import type { Reply } from "./reply.ts";

/** Received lines beyond which a text is taken to go in circles (RFC 5321 6.3). */
const MAX_HOPS = 100;

const FLAWS: Readonly<Record<TextFlaw, Reply>> = {
  "bare line end": replies.bareLineEnd,
  "hidden end": replies.hiddenEnd,
  "too big": replies.tooBig,
};

/** Reads one text like TextReader, and remembers what is wrong with it. */
export class IncomingText {
  readonly #maxSize: number;
  readonly #reader: TextReader;
  readonly #hops = new HopCounter();

  /** `maxSize` is in octets. */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
    this.#reader = new TextReader(maxSize);
  }

  /** Octets of text so far. */
  get size(): number {
    return this.#reader.size;
  }

  /** Whether more of it was sent than there may be: what is still to come is for nothing. */
  get isTooBig(): boolean {
    return this.#reader.size > this.#maxSize;
  }

  /** Reads from `input` at `from` like TextReader. */
  read(input: Uint8Array, from: number): TextPart {
    const part = this.#reader.read(input, from);
    if (part.bytes.length > 0 && this.#hops.inHeader) this.#hops.feed(part.bytes);
    return part;
  }

  /** Why the text is not taken, once it has ended. */
  get refusal(): Reply | undefined {
    const { flaw } = this.#reader;
    if (flaw) return FLAWS[flaw];
    return this.#hops.count > MAX_HOPS ? replies.mailLoop : undefined;
  }
}
