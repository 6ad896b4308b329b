/** The loop that accepts from a socket that listens, and its two ends: at once, or without losing anybody. */

import type { Log } from "../log.ts";

/** Milliseconds to wait after a failed accept; doubled up to the second figure while it goes on failing. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 1000;
/** Milliseconds without a new client after which a socket is closed that another one stands in for. */
const QUIET = 250;
/** Turns of the microtask queue after which the outcome of an accept that did not have to wait is known. */
const TURNS = 5;
/** And after which what else a turn of the event loop has brought is done, mostly. */
const OTHERS = 50;

/** What it needs of a socket that listens. */
export type Listener = Pick<Deno.TcpListener, "accept" | "close">;

export class Acceptor {
  readonly #listener: Listener;
  readonly #accepted: (conn: Deno.TcpConn) => void;
  readonly #log: Log;
  #leaving = false;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  /** Resolves when nothing more is accepted. */
  readonly done: Promise<void>;

  /** Accepts until it is told otherwise, and hands each connection on. */
  constructor(listener: Listener, accepted: (conn: Deno.TcpConn) => void, log: Log) {
    this.#listener = listener;
    this.#accepted = accepted;
    this.#log = log;
    this.done = this.#accept();
  }

  /** Closes the socket; whoever is in its backlog is turned away by the system. */
  close(): void {
    clearTimeout(this.#quiet);
    try {
      this.#listener.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  /**
   * Leaves the port to another socket that listens there too. The system has chosen between the two
   * for whoever is in the backlog, so that is emptied first, and the socket closed in the same breath
   * in which it is found empty: at the next client, or where none comes for a while.
   */
  leave(): void {
    this.#leaving = true;
    this.#quiet = setTimeout(() => this.close(), QUIET);
  }

  /**
   * Out of descriptors or out of luck, accept fails at once and again and again: the loop pauses and
   * goes on, and says so once.
   */
  async #accept(): Promise<void> {
    let wait = FIRST_PAUSE;
    for (;;) {
      let conn;
      try {
        if (this.#leaving) await othersDone();
        const next = this.#listener.accept();
        if (this.#leaving && !await settled(next)) this.close();
        conn = await next;
      } catch (error) {
        if (isClosed(error)) return;
        if (isGone(error)) continue;
        if (wait === FIRST_PAUSE) this.#log.error("accept failed", { error: String(error) });
        await new Promise((resolve) => setTimeout(resolve, wait));
        wait = Math.min(2 * wait, LONGEST_PAUSE);
        continue;
      }
      wait = FIRST_PAUSE;
      this.#accepted(conn);
    }
  }
}

/** Whether there is an outcome already, without a wait for anything outside. */
async function settled(outcome: Promise<unknown>): Promise<boolean> {
  let known = false;
  const know = () => known = true;
  outcome.then(know, know);
  for (let turn = 0; turn < TURNS && !known; turn++) await undefined;
  return known;
}

/**
 * Closing takes effect at the end of a turn of the event loop. So that this comes soon, whatever else
 * there is to do comes first.
 */
async function othersDone(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
  for (let turn = 0; turn < OTHERS; turn++) await undefined;
}

/** A client that left before it was let in: the next one need not wait for that. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.ConnectionReset;
}

function isClosed(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}
