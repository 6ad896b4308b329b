/**
 * The text after DATA: its end found, its periods undone, its size and line ends judged.
 *
 * CR LF . CR LF ends a text and nothing else does (RFC 5321 4.1.1.4, 4.5.2). A stray CR or LF never
 * counts as a line end: whoever takes one for it can be made to see a second message where there
 * is none. Such a text is read to its true end and refused there, because refusing earlier would
 * leave its rest to be read as commands.
 */

const CR = 13;
const LF = 10;
const PERIOD = 46;
const NUL = 0;

/** Where the reader stands in the current line. */
enum At {
  LineStart,
  /** Past a period at the start of a line. */
  Period,
  /** Past a period and a CR at the start of a line. */
  PeriodCr,
  /** Past nothing but NULs in a line that begins with one. */
  Nuls,
  /** Past a period and nothing else but NULs in such a line. */
  HiddenPeriod,
  /** Past a CR behind that. */
  HiddenCr,
  Inside,
  /** Past a CR anywhere else. */
  Cr,
}

/** Why a text is refused at its end. */
export type TextFlaw = "bare line end" | "hidden end" | "too big";

export interface TextPart {
  /** Where in the input reading stopped. */
  readonly next: number;
  /** What of the text came, a view into the input; empty where the text has a flaw. */
  readonly bytes: Uint8Array;
  /** Whether the text ended at `next`. */
  readonly end: boolean;
}

const NOTHING = new Uint8Array(0);

/** Reads one text. `maxSize` is in octets, counted with CR LF and without the periods of transparency. */
export class TextReader {
  // The CR LF of the DATA line counts as the one before the text (RFC 5321 4.1.1.4).
  #at = At.LineStart;
  #size = 0;
  #flaw: TextFlaw | undefined;

  constructor(readonly maxSize: number) {}

  /** Octets of text so far. */
  get size(): number {
    return this.#size;
  }

  /** What is wrong with the text so far. */
  get flaw(): TextFlaw | undefined {
    return this.#flaw;
  }

  /**
   * Reads from `input` at `from` until the text or the input ends. What stands behind a period that is
   * left out moves up in the input: a part for each would cost everybody more than it costs its sender.
   */
  read(input: Uint8Array, from: number): TextPart {
    let kept = from;
    let start = from;
    for (let at = from; at < input.length; at++) {
      // Most octets are of this kind, and end nothing.
      if (this.#at === At.Inside) at = endOfRun(input, at);
      if (at === input.length) break;
      const byte = input[at]!;
      switch (this.#at) {
        case At.Inside:
          if (byte === CR) this.#at = At.Cr;
          else this.#flaw = "bare line end";
          break;
        case At.Cr:
          this.#afterCr(byte);
          break;
        case At.LineStart:
          if (byte !== PERIOD) {
            this.#first(byte);
            break;
          }
          // The period goes, whatever follows it.
          this.#at = At.Period;
          kept = moveUp(input, kept, start, at);
          start = at + 1;
          break;
        case At.Period:
          if (byte === CR) {
            this.#at = At.PeriodCr;
          } else this.#first(byte);
          break;
        case At.PeriodCr:
          if (byte === LF) return { ...this.#part(input, from, kept, at + 1), end: true };
          this.#afterCr(byte);
          break;
        case At.Nuls:
          if (byte === PERIOD) this.#at = At.HiddenPeriod;
          else this.#first(byte);
          break;
        case At.HiddenPeriod:
          if (byte === CR) this.#at = At.HiddenCr;
          else if (byte !== NUL) this.#inside(byte);
          break;
        case At.HiddenCr:
          if (byte === LF && this.#flaw !== "bare line end") this.#flaw = "hidden end";
          this.#afterCr(byte);
          break;
      }
    }
    // A CR after the period is handed out only with what follows: mostly it belongs to the end mark.
    const stop = this.#at === At.PeriodCr ? Math.max(start, input.length - 1) : input.length;
    return this.#part(input, from, moveUp(input, kept, start, stop), input.length);
  }

  /** The first octet of a line as it is handed out. */
  #first(byte: number): void {
    if (byte === NUL) this.#at = At.Nuls;
    else this.#inside(byte);
  }

  #afterCr(byte: number): void {
    if (byte === LF) {
      this.#at = At.LineStart;
      return;
    }
    this.#flaw = "bare line end";
    this.#inside(byte);
  }

  #inside(byte: number): void {
    if (byte === LF) this.#flaw = "bare line end";
    this.#at = byte === CR ? At.Cr : At.Inside;
  }

  #part(input: Uint8Array, start: number, stop: number, next: number): TextPart {
    this.#size += stop - start;
    if (this.#size > this.maxSize) this.#flaw ??= "too big";
    const bytes = this.#flaw ? NOTHING : input.subarray(start, stop);
    return { next, bytes, end: false };
  }
}

/** The first CR or LF from `from` on, or the end. */
function endOfRun(input: Uint8Array, from: number): number {
  let at = from;
  for (const { length } = input; at < length; at++) {
    const byte = input[at]!;
    // One comparison for nearly all of them.
    if (byte <= CR && (byte === CR || byte === LF)) break;
  }
  return at;
}

/** Moves the octets from `start` to `stop` to `to`; returns where they end then. */
function moveUp(input: Uint8Array, to: number, start: number, stop: number): number {
  if (to !== start) input.copyWithin(to, start, stop);
  return to + stop - start;
}
