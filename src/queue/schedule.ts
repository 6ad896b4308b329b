/** When each waiting message is to be looked at next, without a look at every file each time. */

/** Messages remembered one by one; a longer queue is read again when these are through. */
const MOST_REMEMBERED = 100_000;

interface Entry {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly due: number;
}

/**
 * The soonest messages in order. Its memory is bounded: of a queue that is too long it forgets the
 * later part, and says when that part is to be read from the disk again.
 */
export class Schedule {
  /** A binary heap, the soonest on top. */
  #heap: Entry[] = [];
  /** Due of each id; an entry of the heap that disagrees is outdated. */
  readonly #dues = new Map<string, number>();
  #horizon = Infinity;

  constructor(readonly mostRemembered = MOST_REMEMBERED) {}

  /** Messages remembered. */
  get size(): number {
    return this.#dues.size;
  }

  /** Due of the first message that had to be forgotten, Infinity where none had. */
  get horizon(): number {
    return this.#horizon;
  }

  /** When there is something to do next; Infinity for never. */
  get next(): number {
    this.#skipOutdated();
    return Math.min(this.#heap[0]?.due ?? Infinity, this.#horizon);
  }

  /** Sets when a message is due, whatever was set before. */
  set(id: string, due: number): void {
    this.#dues.delete(id);
    if (due >= this.#horizon) return;
    this.#dues.set(id, due);
    this.#push({ id, due });
    if (this.#dues.size > this.mostRemembered || this.#heap.length > 2 * this.mostRemembered) {
      this.#shorten();
    }
  }

  /** Forgets a message. */
  delete(id: string): void {
    this.#dues.delete(id);
  }

  /** Takes out the soonest message if it is due, undefined where none is. */
  take(now: number): string | undefined {
    this.#skipOutdated();
    const first = this.#heap[0];
    if (!first || first.due > now) return undefined;
    this.#pop();
    this.#dues.delete(first.id);
    return first.id;
  }

  /** Everything is due so many milliseconds sooner. Returns the ids that are remembered. */
  advance(milliseconds: number): string[] {
    for (const [id, due] of this.#dues) this.#dues.set(id, due - milliseconds);
    this.#horizon -= milliseconds;
    this.#heap = this.#inOrder();
    return [...this.#dues.keys()];
  }

  /** The forgotten part is about to be read and set again. */
  forgetHorizon(): void {
    this.#horizon = Infinity;
  }

  #skipOutdated(): void {
    while (this.#heap[0] && this.#dues.get(this.#heap[0].id) !== this.#heap[0].due) this.#pop();
  }

  /** Keeps the sooner half. A sorted list is a heap. */
  #shorten(): void {
    const inOrder = this.#inOrder();
    if (inOrder.length > this.mostRemembered) {
      const kept = Math.ceil(this.mostRemembered / 2);
      for (const { id } of inOrder.slice(kept)) this.#dues.delete(id);
      this.#horizon = Math.min(this.#horizon, inOrder[kept]?.due ?? Infinity);
      inOrder.length = kept;
    }
    this.#heap = inOrder;
  }

  #inOrder(): Entry[] {
    return [...this.#dues].map(([id, due]) => ({ id, due })).sort((a, b) => a.due - b.due);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (heap[above]!.due <= entry.due) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1]!.due < heap[below]!.due) below++;
      if (heap[below]!.due >= last.due) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
  }
}
