/** Messages that wait on the disk until their line has room: each is called for once. */

import type { Queue } from "../queue/queue.ts";
import type { Line } from "./line.ts";

export class Calls {
  readonly #queue: Pick<Queue, "add">;
  /** Ids of those who may not have come yet, and by whom they were called for. */
  readonly #called = new Map<string, Line>();

  constructor(queue: Pick<Queue, "add">) {
    this.#queue = queue;
  }

  /** Calls for as many of those whom a line holds back as it has room for. */
  call(line: Line): void {
    for (const id of line.heldBack) {
      if (line.called >= line.room) return;
      line.heldBack.delete(id);
      if (!this.#called.has(id)) {
        line.called++;
        this.#called.set(id, line);
      }
      // Its recipients here are due, those of other destinations may not be.
      this.#queue.add(id);
    }
  }

  /** This one has come. */
  answer(id: string): void {
    const line = this.#called.get(id);
    if (line) line.called--;
    this.#called.delete(id);
  }

  /** Who has not come by now does not come: it is gone, or is not due after all. */
  forget(): void {
    for (const id of [...this.#called.keys()]) this.answer(id);
  }
}
