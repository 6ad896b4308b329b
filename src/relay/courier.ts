/** Who goes when: takes what is due from the queue and brings it to its destinations. */

import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { type ActiveMessage, SHORTLY } from "../queue/active.ts";
import type { Queue } from "../queue/queue.ts";
import type { Mailbox } from "../smtp/address.ts";
import { Calls } from "./calls.ts";
import { type CourierLimits, LIMITS } from "./limits.ts";
import { type Carrier, Line, type Task, type TaskEnd } from "./line.ts";
import { Pump } from "./pump.ts";

export interface CourierParts {
  readonly queue: Queue;
  readonly clock: Clock;
  readonly log: Log;
  /** Where mail for a recipient is brought to: a key that its carrier knows. */
  readonly destinationOf: (forwardPath: Mailbox) => string;
  /** `isServed` tells whether another carrier of the destination is connected to a place. */
  readonly carrierFor: (destination: string, isServed: (place: string) => boolean) => Carrier;
  /** Whether a destination is served at once, however many others there are. */
  readonly isFirst: (destination: string) => boolean;
}

/** Milliseconds after which a round of attempts has taken long. */
const LONG_ROUND = 60_000;
/** Milliseconds until a message that was held back is looked at, whatever its line does. */
const HELD_BACK = 30 * 60_000;

export class Courier {
  readonly #parts: CourierParts;
  readonly #limits: CourierLimits;
  readonly #pump: Pump;
  readonly #lines = new Map<string, Line>();
  /** Destinations that wait for a place, longest first. */
  readonly #waiting = new Set<Line>();
  readonly #calls: Calls;
  readonly #carriers = new Set<Carrier>();
  readonly #messages = new Set<Promise<void>>();
  readonly #workers = new Set<Promise<void>>();
  /** Destinations with a place, and those that lost theirs because they take their time. */
  #serving = 0;
  #slow = 0;
  #stopping = false;

  constructor(parts: CourierParts, limits: CourierLimits = LIMITS) {
    this.#parts = parts;
    this.#limits = limits;
    this.#calls = new Calls(parts.queue);
    this.#pump = new Pump(
      parts,
      limits.messages,
      (message) => this.#begin(message),
      () => this.#calls.forget(),
    );
  }

  /** Goes to work. */
  start(): void {
    this.#pump.start();
  }

  /**
   * Begins nothing more. What is under way has `grace` milliseconds; what is not done then is cut
   * short and recorded. Returns when all is over.
   */
  async stop(grace: number): Promise<void> {
    this.#stopping = true;
    await this.#pump.stop();
    this.#lines.forEach((line) => line.stop());
    const waiting = [...this.#lines.values()].flatMap((line) => line.takeAll());
    await Promise.all(waiting.map((task) => putBack(task)));
    const late = this.#parts.clock.after(grace, () => this.#carriers.forEach((one) => one.abort()));
    await Promise.all(this.#workers);
    await Promise.all(this.#messages);
    late();
    await this.#parts.queue.close();
  }

  #begin(message: ActiveMessage): void {
    this.#calls.answer(message.message.id);
    const work = this.#distribute(message).finally(() => this.#messages.delete(work));
    this.#messages.add(work);
  }

  /** One round of attempts for all its recipients that are due. Never rejects. */
  async #distribute(message: ActiveMessage): Promise<void> {
    const { clock, log } = this.#parts;
    // Who failed already need not wait for hosts that take their time.
    const callOff = clock.after(LONG_ROUND, () => message.reportFailures());
    let pause = SHORTLY;
    try {
      const { groups, heldBack } = this.#withRoom(message);
      await this.#record(message, groups);
      const tasks = [...groups].map(([line, recipients]) =>
        this.#enqueue(line, message, recipients)
      );
      const ends = await Promise.all(tasks);
      // The line itself calls for them when it gets shorter.
      if (heldBack || ends.includes("held back")) pause = HELD_BACK;
    } catch (error) {
      log.error("queue trouble", { id: message.message.id, error: String(error) });
    }
    callOff();
    await message.release(pause);
  }

  /** Records that the attempts begin; until then there is room for them. Rejects with disk errors. */
  async #record(
    message: ActiveMessage,
    groups: ReadonlyMap<Line, readonly Mailbox[]>,
  ): Promise<void> {
    const lines = [...groups.keys()];
    lines.forEach((line) => line.expected++);
    try {
      await message.begin([...groups.values()].flat());
    } catch (error) {
      // Those who were held back for them must be called for all the same.
      lines.forEach((line) => this.#lookLater(line));
      throw error;
    } finally {
      lines.forEach((line) => line.expected--);
    }
  }

  /** The due recipients by destination, and whether some are held back, their line being too long. */
  #withRoom(message: ActiveMessage): { groups: Map<Line, Mailbox[]>; heldBack: boolean } {
    const groups = new Map<Line, Mailbox[]>();
    let heldBack = false;
    for (const { forwardPath } of message.due()) {
      const line = this.#lineFor(this.#parts.destinationOf(forwardPath));
      const group = groups.get(line);
      if (group) group.push(forwardPath);
      else if (line.room > 0 && !this.#isStuck(line)) groups.set(line, [forwardPath]);
      else {
        heldBack = true;
        line.holdBack(message.message.id);
      }
    }
    return { groups, heldBack };
  }

  #lineFor(destination: string): Line {
    const line = this.#lines.get(destination) ??
      new Line(destination, this.#limits.line, this.#parts.clock);
    this.#lines.set(destination, line);
    return line;
  }

  /** Returns when the task is done. */
  #enqueue(
    { destination }: Line,
    message: ActiveMessage,
    recipients: readonly Mailbox[],
  ): Promise<TaskEnd> {
    // The line may have ended while the attempt was recorded.
    const line = this.#lineFor(destination);
    const done = Promise.withResolvers<TaskEnd>();
    const task: Task = {
      message,
      recipients,
      settle: (settlements) => message.settle(settlements),
      withdraw: () => message.withdraw(recipients),
      done: done.resolve,
    };
    if (this.#stopping) putBack(task);
    if (this.#stopping) return done.promise;
    line.heldBack.delete(message.message.id);
    if (!line.push(task)) this.#serve(line);
    return done.promise;
  }

  /** Puts a carrier to work for a line, if there is room for one. */
  #serve(line: Line): void {
    if (this.#stopping || line.carriers >= this.#carriersFor(line) || line.length === 0) return;
    const places = this.#placesOf(line);
    const full = this.#serving + places > this.#limits.destinations;
    if (line.carriers === 0 && places > 0 && full) {
      this.#waiting.add(line);
      return this.#lines.forEach((other) => other.wakeIdle());
    }
    this.#waiting.delete(line);
    if (line.carriers++ === 0) this.#serving += places;
    const work = this.#work(line).catch((error) => {
      this.#parts.log.error("relay failed", { error: String(error) });
    }).finally(() => {
      this.#workers.delete(work);
      if (--line.carriers === 0) this.#leave(line);
      if (this.#isStuck(line)) this.#putBackAll(line);
      this.#refill(line);
      this.#next(line);
    });
    this.#workers.add(work);
  }

  /** Few connections serve most hosts; more come where so many wait that it is worth their while. */
  #carriersFor({ length, members, wanted }: Line): number {
    const { carriers, mostCarriers, crowd } = this.#limits;
    // One after the other: only who is connected shows that the host wants so many.
    const shown = [...members].every((one) => one.connectedTo !== undefined);
    const worthwhile = shown ? Math.min(Math.floor(length / crowd), mostCarriers) : 0;
    return Math.min(wanted, Math.max(carriers, worthwhile));
  }

  #placesOf(line: Line): number {
    return this.#parts.isFirst(line.destination) ? 0 : 1;
  }

  /** Whether nobody can be brought there before somebody ends who takes long. */
  #isStuck({ stuck, carriers }: Line): boolean {
    return stuck >= Math.max(carriers, this.#limits.carriers);
  }

  /** Nobody serves this line any more. */
  #leave(line: Line): void {
    if (line.displaced) this.#slow--;
    else this.#serving -= this.#placesOf(line);
    line.displaced = false;
  }

  /** A carrier of this line has ended. */
  #next(line: Line): void {
    if (line.carriers === 0 && line.length === 0) {
      if (line.heldBack.size > 0) this.#lookLater(line);
      else {
        line.callOffLook?.();
        if (this.#lines.get(line.destination) === line) this.#lines.delete(line.destination);
      }
    } else if (this.#placesOf(line) === 0 || line.carriers > 0) this.#serve(line);
    else this.#waiting.add(line);
    this.#serveWaiting();
  }

  /** Those whom a line has called for may not come: then others are to be called. */
  #lookLater(line: Line): void {
    if (this.#stopping || line.callOffLook) return;
    line.callOffLook = this.#parts.clock.after(SHORTLY, () => {
      line.callOffLook = undefined;
      this.#refill(line);
      this.#next(line);
    });
  }

  #serveWaiting(): void {
    for (const next of this.#waiting) {
      if (this.#serving >= this.#limits.destinations) return;
      this.#serve(next);
    }
  }

  async #work(line: Line): Promise<void> {
    const carrier: Carrier = this.#parts.carrierFor(line.destination, (place) => {
      return [...line.members].some((one) => one !== carrier && one.connectedTo === place);
    });
    line.members.add(carrier);
    this.#carriers.add(carrier);
    try {
      for (let brought = 0; brought < this.#limits.turn || this.#waiting.size === 0; brought++) {
        const linger = this.#waiting.size === 0 ? this.#limits.linger : 0;
        const task = await line.next(linger);
        if (!task) break;
        const quick = await this.#carry(line, carrier, task);
        this.#refill(line);
        this.#serve(line);
        // The others go on; this one begins anew, with a place if there is one.
        if (!quick) break;
      }
      await carrier.rest();
    } finally {
      line.members.delete(carrier);
      this.#carriers.delete(carrier);
    }
  }

  /** Whether this carrier may go on: it did not take long, and is wanted. */
  async #carry(line: Line, carrier: Carrier, task: Task): Promise<boolean> {
    let quick = true;
    let isWanted = true;
    const callOff = this.#parts.clock.after(this.#limits.patience, () => {
      quick = false;
      this.#slowDown(line);
    });
    try {
      if (!task.message.over) isWanted = await carrier.carry(task) === "tried";
    } catch (error) {
      this.#parts.log.error("relay failed", {
        id: task.message.message.id,
        error: String(error),
      });
    } finally {
      callOff();
      if (!quick) line.stuck--;
      else if (isWanted) line.adapt(true);
      if (isWanted) task.done("settled");
      else this.#leaveToOthers(line, task);
    }
    return quick && isWanted;
  }

  /** The host wants no more of us than are there: they bring it. */
  #leaveToOthers(line: Line, task: Task): void {
    const connected = [...line.members].filter((one) => one.connectedTo !== undefined).length;
    line.wanted = Math.max(1, connected);
    if (this.#stopping) putBack(task);
    else line.putBack(task);
  }

  /**
   * A carrier takes its time. It goes on, but other destinations do not wait for its place; many such
   * can be served, but not without end. Where no carrier of the line is left for others, those who
   * wait do so on the disk alone.
   */
  #slowDown(line: Line): void {
    line.stuck++;
    if (!line.displaced && this.#slow < this.#limits.slow) {
      line.displaced = true;
      this.#slow++;
      this.#serving -= this.#placesOf(line);
    }
    if (this.#isStuck(line)) {
      line.adapt(false);
      this.#putBackAll(line);
    } else this.#serve(line);
    this.#serveWaiting();
  }

  /** Those who wait here do so on the disk alone from now on. */
  #putBackAll(line: Line): void {
    for (const task of line.takeAll()) {
      line.holdBack(task.message.message.id);
      putBack(task, "held back");
    }
  }

  /** The line has got shorter: those who wait on the disk alone may come. */
  #refill(line: Line): void {
    if (!line.isShort || this.#isStuck(line)) return;
    this.#calls.call(line);
  }
}

/** What nobody has begun to carry is as it was before. */
async function putBack({ withdraw, done }: Task, end: TaskEnd = "settled"): Promise<void> {
  await withdraw();
  done(end);
}
