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
  /** Takes the attempt back that nobody made. */
  readonly withdraw: () => Promise<void>;
  /** All of them are settled. */
  readonly done: (end: TaskEnd) => void;
}

/** Whether an attempt was made, or the message has to wait on the disk for the line to be shorter. */
export type TaskEnd = "settled" | "held back";

/** Brings messages to one destination, one after another. */
export interface Carrier {
  /** The place it has a connection to, in words of its own; undefined while it has none. */
  readonly connectedTo: string | undefined;
  /**
   * Tries once to bring a message to the task's recipients, and settles every one of them; or none,
   * where the host wants no more carriers than are connected there already. Rejects with nothing but
   * errors that should not be.
   */
  carry(task: Task): Promise<"tried" | "not wanted">;
  /** There is nothing more for now: ends what is open, in good order. */
  rest(): Promise<void>;
  /** Ends what is open at once; a `carry` under way settles as cut short what it can. */
  abort(): void;
}

/** Messages that may wait for a destination that was slow. */
const SHORTEST = 2;
const MOST_HELD_BACK = 100_000;
/** Tasks that have gone and are still held: a line that never gets empty must not hold them all. */
const MOST_TAKEN = 100;

export class Line {
  /** Carriers at work. */
  carriers = 0;
  /** Those of them that have begun. */
  readonly members = new Set<Carrier>();
  /** As many as the destination wants at a time. */
  wanted = Infinity;
  /** Carriers that have been at a single message for long. */
  stuck = 0;
  /** Messages that are to wait here once their attempt is recorded. */
  expected = 0;
  /** Messages that it has called for from the disk, and that may not have come yet. */
  called = 0;
  /** Whether it had to give its place to others. */
  displaced = false;
  /** Calls off the look after those who wait on the disk. */
  callOffLook: (() => void) | undefined;
  /** Ids of messages that found the line too long and wait on the disk alone; not all, but the first. */
  readonly heldBack = new Set<string>();
  readonly #clock: Clock;
  #limit: number;
  #tasks: Task[] = [];
  #at = 0;
  /** Carriers that wait for a task. */
  readonly #idle = new Set<() => void>();
  #stopped = false;

  /** `most` are the messages that may wait here. */
  constructor(readonly destination: string, readonly most: number, clock: Clock) {
    this.#limit = most;
    this.#clock = clock;
  }

  /** How many more may wait here. */
  get room(): number {
    return this.#limit - this.length - this.expected;
  }

  /** Whether it has got short enough for those on the disk. */
  get isShort(): boolean {
    return this.length <= this.#limit / 2;
  }

  /** A message has been brought, in good time or not: a slow destination has a short line at first. */
  adapt(quick: boolean): void {
    this.#limit = quick ? Math.min(this.most, 2 * this.#limit) : Math.min(this.most, SHORTEST);
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

  /** Puts a task in front that was taken. */
  putBack(task: Task): void {
    this.#tasks = [task, ...this.takeAll()];
    const [first] = this.#idle;
    first?.();
  }

  /** The next task, undefined where there is none. */
  take(): Task | undefined {
    const task = this.#tasks[this.#at];
    if (!task) return undefined;
    if (++this.#at === this.#tasks.length || this.#at === MOST_TAKEN) this.#tasks = this.takeAll();
    return task;
  }

  /** All tasks that wait. */
  takeAll(): Task[] {
    const tasks = this.#tasks.slice(this.#at);
    this.#tasks = [];
    this.#at = 0;
    return tasks;
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
    this.callOffLook?.();
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
