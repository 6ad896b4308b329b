/** Takes messages out of the queue when they are due, and sleeps in between. */

import { setImmediate } from "node:timers";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { type ActiveMessage, SHORTLY } from "../queue/active.ts";
import type { Queue } from "../queue/queue.ts";

/** Messages taken one after the other before what else there is to do has its turn. */
const TURN = 50;
/** Milliseconds after which the clock is looked at again, for it may be set. */
const LONGEST_SLEEP = 60_000;

export interface PumpParts {
  readonly queue: Queue;
  readonly clock: Clock;
  readonly log: Log;
}

export class Pump {
  readonly #parts: PumpParts;
  readonly #most: number;
  readonly #begin: (message: ActiveMessage) => void;
  readonly #caughtUp: () => void;
  #running: Promise<void> | undefined;
  #again = false;
  #wake: (() => void) | undefined;
  #stopped = false;

  /**
   * At most `most` messages are taken and not released; each is handed to `begin`. `caughtUp` is called
   * when all have been taken that were due.
   */
  constructor(
    parts: PumpParts,
    most: number,
    begin: (message: ActiveMessage) => void,
    caughtUp: () => void = () => {},
  ) {
    this.#parts = parts;
    this.#most = most;
    this.#begin = begin;
    this.#caughtUp = caughtUp;
  }

  start(): void {
    this.#parts.queue.changed = () => this.#run();
    this.#run();
  }

  /** Takes no more. Returns when that is so. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#running;
  }

  #run(): void {
    this.#again = true;
    this.#running ??= this.#takeAll().finally(() => {
      this.#running = undefined;
      // Something may have changed between its last look and here.
      if (this.#again && !this.#stopped) this.#run();
    });
  }

  /** Takes messages while there are any and there is room, then sleeps until the next is due. */
  async #takeAll(): Promise<void> {
    const { queue, clock, log } = this.#parts;
    this.#wake?.();
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        for (let taken = 0; !this.#stopped && queue.active < this.#most; taken++) {
          // A disk that is quick makes nobody wait, and who waits for a server would hear nothing.
          if (taken > 0 && taken % TURN === 0) {
            await othersTurn();
            if (this.#stopped) break;
          }
          const message = await queue.take();
          if (!message) {
            this.#caughtUp();
            break;
          }
          this.#begin(message);
        }
      } catch (error) {
        // A disk that cannot be read just now: what is due stays due.
        log.error("queue trouble", { error: String(error) });
        return this.#sleep(SHORTLY);
      }
    }
    if (!this.#stopped) this.#sleep(queue.next - clock.now());
  }

  #sleep(milliseconds: number): void {
    const { queue, clock } = this.#parts;
    // When there is no room, the release of a message wakes us.
    if (milliseconds === Infinity || queue.active >= this.#most) return;
    const cancel = clock.after(Math.min(Math.max(milliseconds, 1), LONGEST_SLEEP), () => {
      this.#wake = undefined;
      this.#run();
    });
    this.#wake = () => {
      this.#wake = undefined;
      cancel();
    };
  }
}

function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
