/** A connection to a simulated server: bytes take their time, and it may break. */

import type { Clock } from "../../src/clock.ts";
import type { Wire } from "../../src/relay/wire.ts";

/** What is at the other end. */
export interface Peer {
  hear(bytes: Uint8Array): void;
}

/** How long things take, in milliseconds. */
export interface Pace {
  /** From the client to the server. */
  readonly there: number;
  /** From the server back, before the first octet of each thing said. */
  readonly back: number;
  /** Between one octet and the next of what the server says. */
  readonly octet: number;
}

type Said = Uint8Array | null | Error;

export class SimulatedWire implements Wire {
  #peer: Peer | undefined;
  #open = true;
  #broken = false;
  readonly #said: Said[] = [];
  #reading: PromiseWithResolvers<Uint8Array | null> | undefined;
  /** When the last thing that the server said arrives. */
  #arrival = 0;

  constructor(readonly clock: Clock, readonly pace: Pace, readonly closed: () => void) {}

  /** Whoever hears what the client says. */
  attach(peer: Peer): void {
    this.#peer = peer;
  }

  read(): Promise<Uint8Array | null> {
    if (this.#reading) throw new Error("two reads at a time");
    this.#reading = Promise.withResolvers();
    const { promise } = this.#reading;
    this.#serve();
    return promise;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (!this.#open || this.#broken) return Promise.reject(new Deno.errors.BrokenPipe());
    const copy = bytes.slice();
    this.#after(this.pace.there, () => this.#peer?.hear(copy));
    return Promise.resolve();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.closed();
    this.#serve();
  }

  secure(): Promise<Wire> {
    return Promise.reject(new Error("no TLS here"));
  }

  /** The server says this. */
  say(text: string): void {
    const bytes = new TextEncoder().encode(text);
    if (this.pace.octet === 0) return this.#send(bytes, 0);
    bytes.forEach((byte) => this.#send(Uint8Array.of(byte), this.pace.octet));
  }

  /** The server closes, after what it has said. */
  end(): void {
    this.#send(null, 0);
  }

  /** The server resets the connection, whatever was on its way. */
  reset(): void {
    this.#broken = true;
    this.#said.length = 0;
    this.#said.push(new Deno.errors.ConnectionReset());
    this.#serve();
  }

  #send(said: Said, gap: number): void {
    const now = this.clock.now();
    // One thing never overtakes another.
    this.#arrival = Math.max(now + this.pace.back, this.#arrival + gap);
    this.#after(this.#arrival - now, () => {
      if (this.#broken) return;
      this.#said.push(said);
      this.#serve();
    });
  }

  #after(milliseconds: number, act: () => void): void {
    if (milliseconds === 0) queueMicrotask(act);
    else this.clock.after(milliseconds, act);
  }

  #serve(): void {
    if (!this.#reading) return;
    const said = this.#open ? this.#said.shift() : new Deno.errors.Interrupted();
    if (said === undefined) return;
    const { resolve, reject } = this.#reading;
    this.#reading = undefined;
    if (said instanceof Error) reject(said);
    else resolve(said);
  }
}
