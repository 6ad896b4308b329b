/** Hears of requests while the relay works: the system tells of new ones, and a look finds the rest. */

import { basename } from "node:path";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Request, Requests } from "../queue/requests.ts";

/** Milliseconds between two looks for requests where the system does not tell of them. */
export const LOOK = 5000;
/**
 * Milliseconds that one watch lasts. It is of the directory that was there when it began, wherever that
 * is moved, and nothing tells that another one has its name since.
 */
export const RENEWED = 60_000;

export interface WatchParts {
  readonly requests: Requests;
  readonly clock: Clock;
  readonly log: Log;
  /** Carries a request out. */
  readonly act: (request: Request) => Promise<void>;
}

export class RequestWatch {
  readonly #parts: WatchParts;
  #running: Promise<void> | undefined;
  #stopped = false;
  /** Whether it has been told that there is no watch. */
  #told = false;
  /** Ends what it waits for. */
  #end: () => void = () => {};

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** Carries out what is asked for just now. Returns when it is done; never rejects. */
  async look(): Promise<void> {
    const { requests, log, act } = this.#parts;
    try {
      await requests.serve(act);
    } catch (error) {
      // Where there is no place for them nobody asks.
      if (error instanceof Deno.errors.NotFound && !await requests.canBeMade()) return;
      log.error("request failed", { error: String(error) });
    }
  }

  /** From now on carries out requests as they come. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Hears of no more. What is being carried out goes on. A second call changes nothing. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#end();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#watch();
      } catch (error) {
        // The directory is away, or the system watches as much as it may already.
        this.#tell(error);
        this.look();
        await this.#pause();
      }
    }
  }

  /** Returns when the watch is over. Rejects where there can be none. */
  async #watch(): Promise<void> {
    const { requests, clock } = this.#parts;
    // A watch that begins while its directory is being made hears nothing; one that is there has been.
    await Deno.stat(requests.directory);
    if (this.#stopped) return;
    using watcher = Deno.watchFs(requests.directory);
    this.#told = false;
    // Closing it twice is no harm.
    const close = this.#end = () => watcher[Symbol.dispose]();
    const callOff = clock.after(RENEWED, close);
    // What came before there was a watch.
    this.look();
    try {
      for await (const { kind, paths } of watcher) {
        if (kind === "create") this.look();
        if (kind === "remove" && this.#isOfDirectory(paths)) close();
      }
    } finally {
      callOff();
    }
  }

  /**
   * Whether the directory itself is meant. Paths come absolute, whatever way the directory was named,
   * and no request is called like it.
   */
  #isOfDirectory(paths: readonly string[]): boolean {
    const name = basename(this.#parts.requests.directory);
    return paths.some((path) => basename(path) === name);
  }

  #tell(error: unknown): void {
    if (this.#told || this.#stopped) return;
    this.#told = true;
    const look = `every ${LOOK / 1000} s`;
    this.#parts.log.warn("requests not watched", { error: String(error), look });
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const callOff = this.#parts.clock.after(LOOK, resolve);
    this.#end = resolve;
    // It may have been stopped before.
    if (this.#stopped) resolve();
    await promise;
    callOff();
  }
}
