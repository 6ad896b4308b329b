/** The receivers of one configuration: threads that share its ports. One that dies is started again. */

import type { Clock } from "../clock.ts";
import { SettingError } from "../config/setting_error.ts";
import { forReceivers } from "./need_to_know.ts";
import { EndedError, inTime } from "./part.ts";
import type { Plan } from "./plan.ts";
import type { ReceiverPart, Threads } from "./threads.ts";

/** What receivers take from the daemon. */
export interface ReceiversParts {
  readonly threads: Threads;
  readonly clock: Clock;
  /** Own process's number. */
  readonly process: number;
  /** The machine's own name. */
  readonly machine: string;
  /** Another number than any thread of the daemon ever had. */
  readonly number: () => number;
  /** A receiver works; whoever relays reaches it by this port. */
  readonly joined: (number: number, port: MessagePort) => void;
  /** It does no longer. */
  readonly left: (number: number) => void;
  /** It died. Returns after how many milliseconds to start another, undefined for not at all. */
  readonly died: (error: unknown) => number | undefined;
}

/** Milliseconds for texts that are coming in when a thread is told to stop. */
export const GRACE = 10_000;

export class Receivers {
  readonly #plan: Plan;
  readonly #parts: ReceiversParts;
  readonly #members = new Map<number, ReceiverPart>();
  readonly #restarts = new Set<() => void>();
  #over = false;

  /** Nothing happens before `start`. */
  constructor(plan: Plan, parts: ReceiversParts) {
    this.#plan = plan;
    this.#parts = parts;
  }

  /** Those that work now, by their numbers. */
  get members(): ReadonlyMap<number, ReceiverPart> {
    return this.#members;
  }

  /** Sets as many to work as the configuration says. Rejects with SettingError, and then none works. */
  async start(): Promise<void> {
    const { WORKERS } = this.#plan.configuration.mail;
    const started = await Promise.allSettled(Array.from({ length: WORKERS }, () => this.#add()));
    const failure = started.find(({ status }) => status === "rejected");
    if (failure?.status !== "rejected") return;
    // Somebody may have come to those that did listen.
    await this.stop(GRACE).catch(() => {});
    this.end();
    throw failure.reason;
  }

  /** Leaves new clients to other receivers. Rejects when one does not get to it. */
  async leave(): Promise<void> {
    this.#finish();
    await this.#each(async (part) => {
      await inTime("receiver", part.ask({ kind: "leave" }, ["left"]), 0, this.#parts.clock);
    });
  }

  /**
   * Leaves the clients that are here to themselves for `patience` milliseconds, then stops with
   * `grace`, and ends. Rejects when one does not end.
   */
  async retire(patience: number, grace: number): Promise<void> {
    this.#finish();
    await this.#each(async (part) => {
      const retired = part.ask({ kind: "retire", patience, grace }, ["retired"]);
      await inTime("receiver", retired, patience + grace, this.#parts.clock);
    });
    this.end();
  }

  /**
   * Stops, what is under way within `grace` milliseconds. The threads go on delivering what the relay
   * asks for until their `end`. Rejects when one does not stop.
   */
  async stop(grace: number): Promise<void> {
    this.#finish();
    await this.#each(async (part) => {
      await inTime(
        "receiver",
        part.ask({ kind: "stop", grace }, ["stopped"]),
        grace,
        this.#parts.clock,
      );
    });
  }

  /** Ends the threads, whatever they do. */
  end(): void {
    this.#finish();
    for (const number of [...this.#members.keys()]) this.#remove(number);
  }

  #finish(): void {
    this.#over = true;
    this.#restarts.forEach((callOff) => callOff());
    this.#restarts.clear();
  }

  /** All of them at once; rejects with the first failure when all are done. */
  async #each(act: (part: ReceiverPart) => Promise<void>): Promise<void> {
    const outcomes = await Promise.allSettled([...this.#members.values()].map(act));
    for (const outcome of outcomes) {
      // One that was ended meanwhile has come to its end.
      if (outcome.status === "fulfilled" || outcome.reason instanceof EndedError) continue;
      throw outcome.reason;
    }
  }

  /** Rejects with SettingError, or with whatever it died of before it worked. */
  async #add(): Promise<void> {
    const { threads, number: next, process, machine, joined } = this.#parts;
    const { places } = this.#plan;
    const configuration = forReceivers(this.#plan.configuration);
    const [part, number] = [threads.receiver(this.#plan), next()];
    const { port1, port2 } = new MessageChannel();
    try {
      // First of all: it must not take a message that the relay never hears of.
      part.tell({ kind: "relay", port: port1 }, [port1]);
      const start = { kind: "start", configuration, places, process, machine, number } as const;
      const answer = await part.ask(start, ["listening", "failed"]);
      if (answer.kind === "failed") throw new SettingError(answer.message, answer.setting);
      if (this.#over) throw new Error("it is not needed any more");
    } catch (error) {
      part.end();
      port2.close();
      throw error;
    }
    this.#members.set(number, part);
    part.failed.catch((error) => this.#lost(number, error));
    joined(number, port2);
  }

  #lost(number: number, error: unknown): void {
    if (!this.#members.has(number)) return;
    this.#remove(number);
    this.#died(error);
  }

  #died(error: unknown): void {
    if (this.#over) return;
    const delay = this.#parts.died(error);
    if (delay === undefined) return;
    const callOff = this.#parts.clock.after(delay, () => {
      this.#restarts.delete(callOff);
      this.#add().catch((reason) => this.#died(reason));
    });
    this.#restarts.add(callOff);
  }

  #remove(number: number): void {
    this.#members.get(number)?.end();
    this.#members.delete(number);
    this.#parts.left(number);
  }
}
