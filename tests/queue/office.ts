/** A queue on a disk in memory, with a clock and a log that a test holds. */

import assert from "node:assert/strict";
import type { ActiveMessage } from "../../src/queue/active.ts";
import type { QueuedMessage } from "../../src/queue/envelope.ts";
import { MessageIds } from "../../src/queue/id.ts";
import { Journal } from "../../src/queue/journal.ts";
import { Queue } from "../../src/queue/queue.ts";
import { Schedule } from "../../src/queue/schedule.ts";
import type { Spool } from "../../src/queue/spool.ts";
import { printMailbox } from "../../src/smtp/address.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import type { MemoryDisk } from "../support/memory_disk.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { ARRIVED, message, POLICY, settlement } from "./messages.ts";
import { bytesOf, newSpool, put, readText } from "./spooled.ts";

export const TEXT = bytesOf("Subject: dinner\r\n\r\nbody\r\n");

/** The code that each recipient hears, by address. */
export type Codes = Readonly<Record<string, number>>;

export class Office {
  readonly clock = new FakeClock(ARRIVED);
  readonly log = new CollectingLog();
  readonly ids = new MessageIds({ now: () => this.clock.now(), random: () => 0 });
  readonly mostRemembered: number | undefined;
  queue: Queue;

  constructor(readonly disk: MemoryDisk, readonly spool: Spool, mostRemembered?: number) {
    this.mostRemembered = mostRemembered;
    this.queue = this.#newQueue();
  }

  #newQueue(): Queue {
    const { spool, clock, ids, log } = this;
    const parts = { spool, clock, ids, log, host: "me.example", policy: POLICY };
    return new Queue(parts, new Schedule(this.mostRemembered));
  }

  /** As after a crash: what was in memory is gone. */
  async restart(): Promise<void> {
    this.disk.before = () => {};
    await this.spool.sweep();
    this.queue = this.#newQueue();
    await this.queue.load();
  }

  /** A message comes in. */
  async receive(rest: Partial<QueuedMessage> = {}): Promise<string> {
    const whole = message(rest);
    await put(this.spool, whole, TEXT);
    this.queue.add(whole.id);
    return whole.id;
  }

  /** The next message that is due; there must be one. */
  async take(): Promise<ActiveMessage> {
    const active = await this.queue.take();
    assert.ok(active, "nothing is due");
    return active;
  }

  /** One round for the next message that is due, whose due recipients hear this; who those were. */
  async round(codes: Codes): Promise<string[]> {
    const active = await this.take();
    const paths = active.due().map(({ forwardPath }) => forwardPath);
    const asked = paths.map(printMailbox);
    await active.begin(paths);
    const known = asked.filter((address) => codes[address] !== undefined);
    await active.settle(known.map((address) => settlement(address, codes[address] ?? 0)));
    await active.release();
    return asked;
  }

  /** Whatever there is of messages. A journal that says nothing more stays for a moment. */
  get spooled(): string[] {
    return [...this.disk.files.keys()].filter((path) => !path.startsWith("/spool/journal-"));
  }

  /** A message as it would be after a crash. */
  async stored(id: string): Promise<QueuedMessage> {
    const journal = new Journal(this.spool, new FakeClock());
    await journal.recall(await this.spool.list());
    return journal.amended(await this.spool.read(id));
  }

  /** Moves on to when something is due. */
  async sleep(): Promise<void> {
    assert.notEqual(this.queue.next, Infinity, "nothing is ever due");
    await this.clock.pass(Math.max(0, this.queue.next - this.clock.now()));
  }

  /** The texts of all reports that wait. */
  async reports(): Promise<string[]> {
    const texts: string[] = [];
    for (const id of await this.spool.list()) {
      const envelope = await this.spool.read(id);
      if (envelope.reversePath !== null) continue;
      texts.push(new TextDecoder().decode(await readText(this.spool, envelope)));
    }
    return texts;
  }

  /** Makes all operations fail that match; `heal` ends that. */
  fail(operations: RegExp): void {
    this.disk.before = (operation) => {
      if (operations.test(operation)) throw new Error(`no ${operation}`);
    };
  }

  heal(): void {
    this.disk.before = () => {};
  }
}

/** Opens an office with an empty queue. */
export async function openOffice(mostRemembered?: number): Promise<Office> {
  const { disk, spool } = await newSpool();
  return new Office(disk, spool, mostRemembered);
}

/** Whom a report is about, in its order. */
export function reported(report: string): string[] {
  return [...report.matchAll(/^Final-Recipient: rfc822; (.*)\r$/gm)].map(([, address]) => address!);
}
