/** Those who wait for one destination, in the order they came. */

import type { Clock } from "../clock.ts";
import type { ActiveMessage } from "../queue/active.ts";
import type { Settlement } from "../queue/progress.ts";
import type { Mailbox } from "../smtp/address.ts";

/** One message to be brought to some recipients of one destination. */
export interface Task {
  readonly message: ActiveMessage;
  readonly recipients: readonly Mailbox[];
  /** Records what became of some of them. */
  readonly settle: (settlements: readonly Settlement[]) => Promise<void>;
  /** All of them are settled. */
  readonly done: () => void;
}

const MOST_HELD_BACK = 100_000;

export class Line {
  /** Carriers at work. */
  carriers = 0;
  /** Ids of messages that found the line too long and wait on the disk alone; not all, but the first. */
  readonly heldBack = new Set<string>();
  readonly #clock: Clock;
  #tasks: Task[] = [];
  #at = 0;
  /** Carriers that wait for a task. */
  readonly #idle = new Set<() => void>();
  #stopped = false;

  constructor(readonly destination: string, clock: Clock) {
    this.#clock = clock;
  }

  get length(): number {
    return this.#tasks.length - this.#at;
  }

  /** Adds a task; whether a carrier was waiting for it. */
  push(task: Task): boolean {
    this.#tasks.push(task);
    const [first] = this.#idle;
    first?.();
    return first !== undefined;
  }

  /** The next task, undefined where there is none. */
  take(): Task | undefined {
    const task = this.#tasks[this.#at];
    if (!task) return undefined;
    if (++this.#at === this.#tasks.length) {
      this.#tasks = [];
      this.#at = 0;
    }
    return task;
  }

  /** The next task, as soon as there is one; undefined when there was none for `linger` milliseconds. */
  async next(linger: number): Promise<Task | undefined> {
    if (!this.#stopped && this.length === 0 && linger > 0) await this.#wait(linger);
    return this.#stopped ? undefined : this.take();
  }

  /** Sends the carriers away that wait for a task. */
  wakeIdle(): void {
    this.#idle.forEach((wake) => wake());
  }

  /** A message waits on the disk until the line is shorter. */
  holdBack(id: string): void {
    if (this.heldBack.size < MOST_HELD_BACK) this.heldBack.add(id);
  }

  /** Gives out no more tasks. */
  stop(): void {
    this.#stopped = true;
    this.wakeIdle();
  }

  #wait(linger: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        this.#idle.delete(wake);
        resolve();
      };
      const cancel = this.#clock.after(linger, wake);
      this.#idle.add(wake);
    });
  }
}
