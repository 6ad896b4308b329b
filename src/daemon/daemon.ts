/** The daemon's life: receivers and a relay, replaced by others when they die or the configuration changes. */

import { allSettled } from "../all_settled.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { printHostPort } from "../receiver/listener.ts";
import { Deaths } from "./deaths.ts";
import { forRelay } from "./need_to_know.ts";
import { EndedError, inTime } from "./part.ts";
import type { Plan } from "./plan.ts";
import { GRACE, Receivers, type ReceiversParts } from "./receivers.ts";
import type { ReceiverPart, RelayPart, Threads } from "./threads.ts";

/** What a daemon takes from outside; a test hands in its own. */
export interface DaemonParts {
  readonly threads: Threads;
  readonly clock: Clock;
  /** Own process's number. */
  readonly process: number;
  /** The machine's own name. */
  readonly machine: string;
  /** The log of the moment: a new configuration may bring another. */
  readonly log: () => Log;
}

/** Milliseconds that clients of an old configuration may stay. */
const PATIENCE = 5 * 60_000;
/** So many old configurations may have clients at a time; a thread costs memory. */
const MOST_RETIRING = 3;

export class Daemon {
  readonly #parts: DaemonParts;
  readonly #deaths: Deaths;
  readonly #failed = Promise.withResolvers<never>();
  #plan: Plan;
  #receivers: Receivers;
  /** Those of earlier configurations, which still have clients. */
  readonly #retiring = new Set<Receivers>();
  #relay: RelayPart | undefined;
  #callOffRelay = () => {};
  #numbers = 0;
  #stopping = false;

  /** Nothing happens before `start`. */
  constructor(plan: Plan, parts: DaemonParts) {
    this.#parts = parts;
    this.#deaths = new Deaths(() => parts.clock.now());
    this.#plan = plan;
    this.#receivers = this.#receiversFor(plan);
    // Whoever waits for the end of the daemon waits for this too; until then it is no one's.
    this.#failed.promise.catch(() => {});
  }

  /** Rejects when its threads die so often that it cannot work. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /**
   * Sets it to work. Returns how many messages wait in the queue. Rejects with SettingError where it
   * cannot listen.
   */
  async start(): Promise<number> {
    // A thread takes its time to come up, so this one does it beside the others.
    const relay = this.#parts.threads.relay(this.#plan);
    try {
      await this.#receivers.start();
    } catch (error) {
      relay.end();
      throw error;
    }
    return await this.#startRelay(relay);
  }

  /**
   * Goes on by another plan. Its receivers listen beside the old ones, which then leave new clients to
   * them. Two relays would send everything twice, so the old one ends before the new one begins.
   * Returns whether it does; false where it is being stopped meanwhile. Rejects with SettingError, and
   * then nothing has changed.
   */
  async reload(plan: Plan): Promise<boolean> {
    const receivers = this.#receiversFor(plan);
    await receivers.start();
    if (this.#stopping) {
      receivers.end();
      return false;
    }
    const old = this.#receivers;
    this.#receivers = receivers;
    this.#plan = plan;
    this.#retiring.add(old);
    // Whoever is told that the new configuration holds must not meet the old one.
    const left = old.leave().catch((error) => this.#log.error("receiver failed", text(error)));
    const stopped = this.#stopRelay(GRACE).catch((error) => {
      this.#log.error("relay failed", text(error));
    });
    await left;
    this.#retire(old);
    await stopped;
    if (this.#stopping) return false;
    // A relay that dies at once is told and started again like one that dies later.
    await this.#startRelay().catch(() => {});
    return !this.#stopping;
  }

  /**
   * Ends all threads in good order, what is under way within the grace. The receivers' threads last as
   * long as the relay's: they deliver for it. Rejects when one does not end.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    const receivers = [...this.#retiring, this.#receivers];
    try {
      await allSettled([...receivers.map((one) => one.stop(GRACE)), this.#stopRelay(GRACE)]);
      // Once more for what they have done and logged for the relay meanwhile.
      await Promise.all(receivers.map((one) => one.stop(0)));
    } finally {
      receivers.forEach((one) => one.end());
    }
  }

  get #log(): Log {
    return this.#parts.log();
  }

  #receiversFor(plan: Plan): Receivers {
    const { threads, clock, process, machine } = this.#parts;
    const parts: ReceiversParts = {
      threads,
      clock,
      process,
      machine,
      number: () => this.#numbers++,
      joined: (number, port) => {
        // Where there is none, the next one is shown all receivers.
        if (this.#relay) this.#relay.tell({ kind: "receiver", number, port }, [port]);
        else port.close();
      },
      left: (number) => this.#relay?.tell({ kind: "gone", number }),
      died: (error) => this.#died("receiver", error),
    };
    return new Receivers(plan, parts);
  }

  /** In the background. */
  #retire(old: Receivers): void {
    const [oldest] = this.#retiring;
    // Its retirement ends by that, and tells what goes wrong.
    if (this.#retiring.size > MOST_RETIRING) oldest?.stop(GRACE).catch(() => {});
    old.retire(PATIENCE, GRACE)
      .catch((error) => this.#log.error("receiver failed", text(error)))
      .finally(() => {
        old.end();
        this.#retiring.delete(old);
      });
  }

  async #startRelay(relay = this.#makeRelay()): Promise<number> {
    const { configuration, reach, places } = this.#plan;
    const { nameServers, families, ipv6 } = reach;
    this.#relay = relay;
    relay.failed.catch((error) => this.#relayDied(relay, error));
    const members = [...this.#retiring, this.#receivers].flatMap((one) => [...one.members]);
    // Before it reads the queue: what comes into it later it must be told.
    await Promise.all(members.map(([number, receiver]) => this.#link(relay, number, receiver)));
    const { waiting } = await relay.ask({
      kind: "start",
      configuration: forRelay(configuration),
      nameServers,
      families,
      ipv6,
      ownPlaces: reach.ownPlaces(places.map(({ address, port }) => printHostPort(address, port))),
      number: this.#numbers++,
    }, ["started"]);
    return waiting;
  }

  #makeRelay(): RelayPart {
    try {
      return this.#parts.threads.relay(this.#plan);
    } catch (error) {
      // The system may have no thread to give.
      this.#restartRelay(error);
      throw error;
    }
  }

  /** Shows the two to each other. Never rejects: a receiver that dies is replaced by another. */
  async #link(relay: RelayPart, number: number, receiver: ReceiverPart): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    try {
      const linked = receiver.ask({ kind: "relay", port: port1 }, ["linked"], [port1]);
      await inTime("receiver", linked, 0, this.#parts.clock);
      relay.tell({ kind: "receiver", number, port: port2 }, [port2]);
    } catch {
      port2.close();
    }
  }

  #relayDied(relay: RelayPart, error: unknown): void {
    if (this.#relay !== relay) return;
    this.#relay = undefined;
    relay.end();
    this.#restartRelay(error);
  }

  #restartRelay(error: unknown): void {
    const delay = this.#died("relay", error);
    if (delay === undefined) return;
    this.#callOffRelay = this.#parts.clock.after(delay, () => {
      // Its death, if it dies of it, is told above.
      this.#startRelay().catch(() => {});
    });
  }

  async #stopRelay(grace: number): Promise<void> {
    this.#callOffRelay();
    const relay = this.#relay;
    if (!relay) return;
    try {
      const stopped = relay.ask({ kind: "stop", grace }, ["stopped"]);
      await inTime("relay", stopped, grace, this.#parts.clock);
    } catch (error) {
      // Of two who stop it the first one ends it.
      if (!(error instanceof EndedError)) throw error;
    } finally {
      // One that has died of it is not to be followed by another besides the reload's.
      this.#callOffRelay();
      if (this.#relay === relay) this.#relay = undefined;
      relay.end();
    }
  }

  /** Counts a death. Returns after how many milliseconds to start anew, undefined where that has no use. */
  #died(thread: string, error: unknown): number | undefined {
    if (this.#stopping) return undefined;
    const delay = this.#deaths.count();
    const next = delay === undefined ? "no more" : `in ${delay / 1000} s`;
    this.#log.error("thread died", { thread, ...text(error), restart: next });
    if (delay === undefined) {
      this.#failed.reject(new Error(`threads die too often, at last the ${thread}`));
    }
    return delay;
  }
}

function text(error: unknown): { error: string } {
  return { error: error instanceof Error ? error.message : String(error) };
}
