/**
 * What is remembered of hosts for a while: who does not answer, with whom TLS does not work, and who
 * cannot prove who it is.
 */

import { type Clock, isRecent } from "../clock.ts";
import type { Reply } from "../smtp/reply.ts";
import type { Target } from "./route.ts";

/** Hosts remembered; then the oldest is forgotten. */
const MOST_HOSTS = 10_000;
/** Milliseconds until TLS is tried again with a host where it failed. */
const PLAIN_FOR = 3_600_000;

interface Memory<T> {
  /** Milliseconds since 1970, and for how many from then. */
  readonly since: number;
  readonly time: number;
  readonly what: T;
}

/** Remembers hosts by their addresses and ports, 10,000 of each kind. */
export class HostMemory {
  readonly #clock: Clock;
  readonly #downFor: number;
  readonly #down = new Map<string, Memory<Reply>>();
  readonly #plain = new Map<string, Memory<true>>();
  readonly #unproven = new Map<string, Memory<Reply>>();

  /** A host that is down is left alone for `downFor` milliseconds. */
  constructor(clock: Clock, downFor: number) {
    this.#clock = clock;
    this.#downFor = downFor;
  }

  /** There is no talking to this host just now (RFC 5321 4.5.4.1). */
  markDown(target: Target, why: Reply): void {
    this.#remember(this.#down, placeOf(target), this.#downFor, why);
  }

  /** Why it was down, if it was a moment ago. */
  whyDown(target: Target): Reply | undefined {
    return this.#recall(this.#down, placeOf(target));
  }

  /** Nothing is held against anybody any more. */
  forget(): void {
    this.#down.clear();
    this.#plain.clear();
    this.#unproven.clear();
  }

  markUp(target: Target): void {
    this.#down.delete(placeOf(target));
  }

  /** A handshake failed: better plain text than no mail. */
  markPlain(target: Target): void {
    this.#remember(this.#plain, placeOf(target), PLAIN_FOR, true);
  }

  /** It does not do without TLS. */
  markTls(target: Target): void {
    this.#plain.delete(placeOf(target));
  }

  canTls(target: Target): boolean {
    return this.#recall(this.#plain, placeOf(target)) === undefined;
  }

  /**
   * It failed at what is asked of those alone whose certificate must be valid for their name. Under
   * another name it may succeed.
   */
  markUnproven(target: Target, why: Reply): void {
    this.#remember(this.#unproven, namedPlaceOf(target), this.#downFor, why);
  }

  /** Why it could not prove who it is, if that was a moment ago. */
  whyUnproven(target: Target): Reply | undefined {
    return this.#recall(this.#unproven, namedPlaceOf(target));
  }

  #remember<T>(memory: Map<string, Memory<T>>, key: string, time: number, what: T): void {
    memory.delete(key);
    memory.set(key, { since: this.#clock.now(), time, what });
    const [oldest] = memory.keys();
    if (memory.size > MOST_HOSTS && oldest !== undefined) memory.delete(oldest);
  }

  #recall<T>(memory: Map<string, Memory<T>>, key: string): T | undefined {
    const entry = memory.get(key);
    if (entry && isRecent(entry.time, entry.since, this.#clock.now())) return entry.what;
    memory.delete(key);
    return undefined;
  }
}

/** A host's address and port in one word. */
export function placeOf({ address, port }: Target): string {
  return `${address} ${port}`;
}

function namedPlaceOf(target: Target): string {
  return `${target.host} ${placeOf(target)}`;
}
