/** Threads that are none: a test says what they answer, and when they die. */

import assert from "node:assert/strict";
import { readMailConf } from "../../src/config/mail_conf.ts";
import { Daemon } from "../../src/daemon/daemon.ts";
import { EndedError, type Message, type Part } from "../../src/daemon/part.ts";
import type { Plan } from "../../src/daemon/plan.ts";
import { reachOf } from "../../src/daemon/reach.ts";
import type { ReceiverPart, RelayPart, Threads } from "../../src/daemon/threads.ts";
import type { FromReceiver, ToReceiverWorker } from "../../src/receiver/worker.ts";
import type { FromRelayWorker, ToRelayWorker } from "../../src/relay/worker.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { settled } from "../support/settled.ts";

/** What a thread answers to what it is told. */
export type Habit<To extends Message, From extends Message> = (told: To) => readonly From[];

export type ReceiverHabit = Habit<ToReceiverWorker, FromReceiver>;
export type RelayHabit = Habit<ToRelayWorker, FromRelayWorker>;

/** It listens, and its clients stay as long as they may. */
export const usualReceiver: ReceiverHabit = ({ kind }) => {
  if (kind === "start") return [{ kind: "listening" }];
  if (kind === "relay") return [{ kind: "linked" }];
  if (kind === "leave") return [{ kind: "left" }];
  // Whoever waits for the end of a retirement hears of this end too.
  return kind === "stop" ? [{ kind: "stopped" }, { kind: "retired" }] : [];
};

/** Three messages wait for it. */
export const usualRelay: RelayHabit = ({ kind }) => {
  if (kind === "start") return [{ kind: "started", waiting: 3 }];
  return kind === "stop" ? [{ kind: "stopped" }] : [];
};

export class FakePart<To extends Message, From extends Message> implements Part<To, From> {
  readonly name: string;
  readonly told: To[] = [];
  habit: Habit<To, From>;
  readonly #journal: string[];
  readonly #death = Promise.withResolvers<never>();
  readonly #ports: MessagePort[] = [];
  #alive = true;
  readonly #waiting: { kinds: readonly string[]; answer: (message: From) => void }[] = [];

  constructor(name: string, habit: Habit<To, From>, journal: string[]) {
    this.name = name;
    this.habit = habit;
    this.#journal = journal;
    this.failed.catch(() => {});
  }

  get failed(): Promise<never> {
    return this.#death.promise;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** The kinds of all it was told, in order. */
  get kinds(): string[] {
    return this.told.map(({ kind }) => kind);
  }

  tell(message: To, transfer: readonly Transferable[] = []): void {
    const ports = transfer.filter((one) => one instanceof MessagePort);
    if (!this.#alive) return ports.forEach((port) => port.close());
    this.#ports.push(...ports);
    this.told.push(message);
    this.#journal.push(`${this.name}: ${message.kind}`);
    const answers = this.habit(message);
    queueMicrotask(() => answers.forEach((answer) => this.say(answer)));
  }

  ask<Kind extends From["kind"]>(
    question: To,
    kinds: readonly Kind[],
    transfer: readonly Transferable[] = [],
  ): Promise<Extract<From, { readonly kind: Kind }>> {
    const { promise, resolve } = Promise.withResolvers<From>();
    this.#waiting.push({ kinds, answer: resolve });
    this.tell(question, transfer);
    return Promise.race([promise as Promise<Extract<From, { readonly kind: Kind }>>, this.failed]);
  }

  /** Says something to the first who waits for it; who has ended says nothing. */
  say(message: From): void {
    if (!this.#alive) return;
    this.#journal.push(`${this.name} says ${message.kind}`);
    const index = this.#waiting.findIndex(({ kinds }) => kinds.includes(message.kind));
    if (index >= 0) this.#waiting.splice(index, 1)[0]?.answer(message);
  }

  die(reason: string): void {
    this.#close();
    this.#death.reject(new Error(reason));
  }

  end(): void {
    if (this.#alive) this.#journal.push(`${this.name} ended`);
    this.#close();
    this.#death.reject(new EndedError());
  }

  /** With a thread go the ports that it was given. */
  #close(): void {
    this.#alive = false;
    this.#ports.splice(0).forEach((port) => port.close());
  }
}

export type FakeReceiver = FakePart<ToReceiverWorker, FromReceiver>;
export type FakeRelay = FakePart<ToRelayWorker, FromRelayWorker>;

export class FakeThreads implements Threads {
  /** All there ever were, in the order they were made. */
  readonly receivers: FakeReceiver[] = [];
  readonly relays: FakeRelay[] = [];
  /** What happened among them: `relay 0: start`, `relay 0 says started`, `relay 0 ended`. */
  readonly journal: string[] = [];
  /** Of those that are made from now on. */
  receiverHabit: ReceiverHabit = usualReceiver;
  relayHabit: RelayHabit = usualRelay;

  receiver(): ReceiverPart {
    const name = `receiver ${this.receivers.length}`;
    const part: FakeReceiver = new FakePart(name, this.receiverHabit, this.journal);
    this.receivers.push(part);
    return part;
  }

  relay(): RelayPart {
    const part: FakeRelay = new FakePart(
      `relay ${this.relays.length}`,
      this.relayHabit,
      this.journal,
    );
    this.relays.push(part);
    return part;
  }

  /** The names of those that neither died nor were ended. */
  get alive(): string[] {
    return [...this.receivers, ...this.relays].filter(({ alive }) => alive).map(({ name }) => name);
  }

  /** Fails unless all this has happened, in this order. */
  assertOrder(...lines: readonly string[]): void {
    const places = lines.map((line) => this.journal.indexOf(line));
    const shown = `not in the order ${lines.join(", ")}:\n${this.journal.join("\n")}`;
    assert.ok(!places.includes(-1), shown);
    assert.deepEqual(places, [...places].sort((a, b) => a - b), shown);
  }
}

/** Its number among the daemon's threads, which it hears when it starts. */
export function numberOf({ told }: FakeReceiver | FakeRelay): number {
  for (const message of told) if (message.kind === "start") return message.number;
  return assert.fail("it was not started");
}

/** A daemon of such threads. */
export interface FakeDaemon {
  readonly daemon: Daemon;
  readonly threads: FakeThreads;
  readonly clock: FakeClock;
  readonly log: CollectingLog;
}

/** `settings` are lines of mail.conf. Nothing has happened yet. */
export async function makeDaemon(settings = "WORKERS = 3"): Promise<FakeDaemon> {
  const [threads, clock, log] = [new FakeThreads(), new FakeClock(), new CollectingLog()];
  const parts = { threads, clock, process: 1, machine: "machine.example", log: () => log };
  return { daemon: new Daemon(await planOf(settings), parts), threads, clock, log };
}

/** The same at work. */
export async function startDaemon(settings?: string): Promise<FakeDaemon> {
  const house = await makeDaemon(settings);
  await house.daemon.start();
  await settled();
  return house;
}

export async function planOf(settings: string): Promise<Plan> {
  const file = await Deno.makeTempFile({ prefix: "denosmtpd-test-" });
  try {
    await Deno.writeTextFile(file, settings);
    const { conf, lines } = await readMailConf(file, {
      hostName: () => "me.example",
      addresses: () => [],
      stateDirectory: () => undefined,
    });
    return {
      configuration: {
        mail: conf,
        users: [],
        ownAddresses: [],
        files: { mail: file, users: "user.conf" },
        lines,
      },
      reach: reachOf([], []),
      places: [{ address: "127.0.0.1", port: 2525, service: "smtp" }],
      granted: [],
      made: [],
    };
  } finally {
    await Deno.remove(file);
  }
}
