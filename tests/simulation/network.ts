/** The addresses that answer, and who is connected to them. */

import type { Clock } from "../../src/clock.ts";
import type { Dialer, Wire } from "../../src/relay/wire.ts";
import type { SimulatedServer } from "./server.ts";
import { SimulatedWire } from "./wire.ts";

/** An attempt to connect. */
export interface Dial {
  readonly address: string;
  readonly time: number;
  /** When the connection failed before it was one, or NaN. */
  failed: number;
}

export class Network implements Dialer {
  readonly #clock: Clock;
  readonly #servers = new Map<string, SimulatedServer>();
  readonly #open = new Map<string, number>();
  readonly dials: Dial[] = [];
  /** The most connections to one destination, and the most destinations connected to, at any time. */
  mostToOne = 0;
  mostDestinations = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Connections that are open, or being opened. */
  get open(): number {
    return [...this.#open.values()].reduce((sum, count) => sum + count, 0);
  }

  place(address: string, server: SimulatedServer): void {
    this.#servers.set(address, server);
  }

  async connect(address: string, _port: number, signal: AbortSignal): Promise<Wire> {
    const dial: Dial = { address, time: this.#clock.now(), failed: NaN };
    this.dials.push(dial);
    const destination = this.#servers.get(address)?.destination ?? address;
    this.#count(destination, 1);
    try {
      return await this.#dial(address, destination, signal);
    } catch (error) {
      dial.failed = this.#clock.now();
      this.#count(destination, -1);
      throw error;
    }
  }

  async #dial(address: string, destination: string, signal: AbortSignal): Promise<Wire> {
    await Promise.resolve();
    signal.throwIfAborted();
    const server = this.#servers.get(address);
    const fault = server ? server.connect() : { kind: "silent" };
    if (!server || fault?.kind === "silent") return await never(signal);
    if (fault) throw new Deno.errors.ConnectionRefused(address);
    const wire = new SimulatedWire(this.#clock, server.pace, () => this.#count(destination, -1));
    server.accept(wire);
    return wire;
  }

  #count(destination: string, change: number): void {
    const count = (this.#open.get(destination) ?? 0) + change;
    if (count === 0) this.#open.delete(destination);
    else this.#open.set(destination, count);
    this.mostToOne = Math.max(this.mostToOne, count);
    this.mostDestinations = Math.max(this.mostDestinations, this.#open.size);
  }
}

/** No answer at all. */
function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
