/**
 * A host whose power is cut, and the world around it: clients that hand their letters in until they are
 * taken, servers, a name service. Whatever is not on the host's disk outlives the cuts.
 */

import { configuration } from "../../simulation/configuration.ts";
import { Journal } from "../../simulation/journal.ts";
import { Lease } from "../../simulation/lease.ts";
import { NameService } from "../../simulation/name_service.ts";
import { Network } from "../../simulation/network.ts";
import { SimulatedServer } from "../../simulation/server.ts";
import { Spool } from "../../../src/queue/spool.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { Random } from "../../support/random.ts";
import { settled } from "../../support/settled.ts";
import { ForgetfulDisk, type ForgetfulDiskOptions, Power, type Stop } from "./forgetful_disk.ts";
import { Tree } from "./forgetful_tree.ts";
import { Life, SPOOL } from "./life.ts";
import { type CoursePlan, type Deed, DOMAINS, type Letter } from "./plan.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A whole day's worth of retries takes long to play, and shows nothing more. */
const SETTINGS = "QUEUE_LIFETIME = 6h\nRETRY_DELAYS = 5m, 15m, 30m, 1h, 2h";
/** Milliseconds after which a queue that is not empty never will be. */
const LONGEST = 48 * HOUR;

/** How likely a message is removed while the daemon is down for a restart. */
const BETWEEN = 0.5;

/** A cut takes the power; a kill only ends the daemon, and its disk is as programs saw it. */
export interface Cut extends Stop {
  readonly kind: "power" | "kill";
}

/** A stop that came, in good order or not, and when: milliseconds since 1970. */
export interface Stopped {
  readonly kind: Cut["kind"] | "restart";
  readonly time: number;
}

/** What somebody was told of a removal, and when. */
export interface Removal {
  /** It is removed; or it is not yet, and the request stays. Undefined before the one or the other. */
  told: "removed" | "stays" | undefined;
  time: number;
}

export class PowerCutWorld {
  readonly plan: CoursePlan;
  readonly clock = new FakeClock();
  readonly began = this.clock.now();
  readonly log = new Journal(() => this.clock.now() - this.began);
  readonly servers: readonly SimulatedServer[];
  /** Letters that were answered 250, by the id in the answer. */
  readonly acknowledged = new Map<string, Letter>();
  /** Messages whose removal was asked for. */
  readonly removals = new Map<string, Removal>();
  readonly retried = new Set<string>();
  /** How often each letter was handed in. */
  readonly handedIn = new Map<Letter, number>();
  readonly stops: Stopped[] = [];
  /** What was left over where a start had swept. */
  readonly unswept: string[] = [];
  /** The operations since each stop, the first ones from the beginning. */
  readonly operations: (readonly string[])[] = [];
  tree = new Tree();
  readonly #names = new NameService();
  readonly #random: Random;
  readonly #options: ForgetfulDiskOptions;
  readonly #answered = new Set<Letter>();
  readonly #done = new Set<Deed>();
  readonly #errors: unknown[] = [];
  #life: Life | undefined;
  #lease: Lease | undefined;

  constructor(plan: CoursePlan, options: ForgetfulDiskOptions = {}) {
    this.plan = plan;
    this.#random = new Random(plan.seed);
    this.#options = { links: plan.links, ...options };
    this.servers = Object.entries(DOMAINS).map(([domain, faults], i) => {
      const name = `mx1.${domain}`;
      this.#names.names.set(domain, { mx: [`10 ${name}`] });
      this.#names.names.set(name, { at: [`198.18.0.${i}`] });
      const pace = plan.paces[domain] ?? {};
      return new SimulatedServer(name, this.clock, { pace, faults: faults(this.began) });
    });
  }

  /** Plays the whole course, the host stopped at these moments. Rejects with what should not be. */
  async play(cuts: readonly Cut[]): Promise<void> {
    for (const cut of [...cuts, undefined]) {
      // A chance of its own, so that a course with further cuts is the same up to them.
      const left = new Random(
        this.plan.seed * 1009 + this.stops.length * 31 + (cut?.operation ?? 0),
      );
      const power = new Power(cut);
      this.operations.push(power.operations);
      power.off = () => {
        this.#lease?.end();
        if (cut) this.stops.push({ kind: cut.kind, time: this.clock.now() });
      };
      await this.#live(power);
      const [error] = this.#errors;
      if (error !== undefined) throw error;
      if (!cut || !power.isOff) return;
      if (cut.kind === "power") this.tree = this.tree.afterPowerCut(left);
      await this.clock.pass(left.pick([SECOND, MINUTE, left.between(SECOND, 10 * MINUTE)]));
    }
  }

  /** Until the power is off, or everything is done. */
  async #live(power: Power): Promise<void> {
    await this.#start(power);
    const due = [
      ...this.plan.letters.filter((letter) => !this.#answered.has(letter))
        .map((letter) => ({ time: letter.time, act: () => this.#submit(letter), waits: false })),
      ...this.plan.deeds.filter((deed) => !this.#done.has(deed))
        .map((deed) => ({
          time: deed.time,
          act: () => this.#do(deed, power),
          // Nobody hands anything in while the daemon is down.
          waits: deed.kind === "restart",
        })),
    ].toSorted((a, b) => a.time - b.time);
    for (const { time, act, waits } of due) {
      await this.#until(this.began + time, power);
      if (power.isOff) return;
      const done = act().catch((error) => this.#errors.push(error));
      if (waits) await done;
    }
    await settled();
    const end = this.clock.now() + LONGEST;
    while (!power.isOff && this.#isAtWork() && this.clock.now() < end) {
      await this.#until(this.clock.now() + 10 * MINUTE, power);
    }
    if (!power.isOff) await this.#stop(power);
  }

  /** Lets time pass until then, or until the power is off. */
  async #until(time: number, power: Power): Promise<void> {
    do {
      const left = time - this.clock.now();
      await this.clock.pass(Math.max(0, Math.min(left, MINUTE)));
    } while (!power.isOff && this.clock.now() < time && this.#errors.length === 0);
  }

  async #start(power: Power): Promise<void> {
    const lease = this.#lease = new Lease(this.clock);
    const network = new Network(lease);
    this.servers.forEach((server, i) => network.place(`198.18.0.${i}`, server));
    const disk = new ForgetfulDisk(this.tree, power, this.#random, this.#options);
    const life = this.#life = new Life({
      configuration: await configuration(SETTINGS),
      disk,
      lease,
      network,
      names: this.#names,
      log: this.log,
      random: this.#random,
      swept: () => this.unswept.push(...this.#unfinished()),
    });
    life.start().catch((error) => this.#errors.push(error));
    await settled();
  }

  async #stop(power: Power): Promise<void> {
    let stopped = false;
    this.#life!.stop().then(() => {
      stopped = true;
      this.stops.push({ kind: "restart", time: this.clock.now() });
    }).catch((error) => this.#errors.push(error));
    const end = this.clock.now() + MINUTE;
    while (!stopped && !power.isOff && this.clock.now() < end) await this.clock.pass(SECOND);
    if (!stopped && !power.isOff) this.#errors.push(new Error("the relay does not stop"));
    if (!power.isOff) this.#lease!.end();
  }

  async #submit(letter: Letter): Promise<void> {
    this.handedIn.set(letter, (this.handedIn.get(letter) ?? 0) + 1);
    const id = await this.#life!.submit(letter);
    this.acknowledged.set(id, letter);
    this.#answered.add(letter);
  }

  async #do(deed: Deed, power: Power): Promise<void> {
    this.#done.add(deed);
    const waiting = this.queued;
    const id = waiting[Math.floor(deed.which * waiting.length)];
    switch (deed.kind) {
      case "restart":
        await this.#stop(power);
        if (!power.isOff && id !== undefined && deed.which < BETWEEN) {
          await this.#between(id, power);
        }
        if (!power.isOff) await this.#start(power);
        return;
      case "retry all":
        waiting.forEach((one) => this.retried.add(one));
        return void await this.#life!.ask({ kind: "retry", id: "all" });
      case "retry":
        if (id === undefined) return;
        this.retried.add(id);
        return void await this.#life!.ask({ kind: "retry", id });
      case "remove":
        if (id !== undefined) await this.#remove(id);
    }
  }

  async #remove(id: string): Promise<void> {
    const removal: Removal = { told: undefined, time: NaN };
    this.removals.set(id, removal);
    const done = await this.#life!.ask({ kind: "remove", id });
    removal.told = done ? "removed" : "stays";
    removal.time = this.clock.now();
  }

  /** What `queue` does without a daemon. */
  async #between(id: string, power: Power): Promise<void> {
    const disk = new ForgetfulDisk(this.tree, power, this.#random, this.#options);
    const removal: Removal = { told: undefined, time: NaN };
    this.removals.set(id, removal);
    new Spool(disk, SPOOL, "queue").remove(id).then(() => {
      removal.told = "removed";
      removal.time = this.clock.now();
    }).catch((error) => this.#errors.push(error));
    await settled();
  }

  /** Ids of the messages that wait. */
  get queued(): string[] {
    return this.paths(`${SPOOL}/queue`).filter((path) => path.endsWith(".eml"))
      .map((path) => path.slice(`${SPOOL}/queue/`.length, -".eml".length));
  }

  /** Every file below a directory. */
  paths(directory: string): string[] {
    return [...this.tree.files(directory)].map(([path]) => path);
  }

  #isAtWork(): boolean {
    return this.#errors.length === 0 &&
      (this.queued.length > 0 || this.paths(`${SPOOL}/requests`).length > 0);
  }

  /** What nobody works on any more and is there all the same. */
  #unfinished(): string[] {
    const names = new Set(this.paths(`${SPOOL}/queue`));
    return [
      ...this.paths(`${SPOOL}/tmp`),
      ...[...names].filter((path) => {
        return !path.endsWith(".eml") && !names.has(path.replace(/\.json$/, ".eml"));
      }),
      ...this.paths("/mail").filter((path) => /\/tmp\/|\/new\/\./.test(path)),
    ];
  }
}
