/**
 * What MIN_FREE keeps free of new mail: a disk that nobody can write to any more cannot send what it
 * holds either, nor tell a sender about it. The relay and its reports may use what is left.
 */

import { type Clock, isRecent } from "../clock.ts";
import { leastFree, type MinFree } from "../config/min_free.ts";
import type { Log } from "../log.ts";
import type { Space, SpaceOf } from "../space.ts";

export interface ReserveParts {
  readonly spaceOf: SpaceOf;
  readonly clock: Clock;
  readonly log: Log;
}

/** Milliseconds that a look at a file system is good for, and the longest that anybody waits for one. */
const GOOD_FOR = 1000;
/** Milliseconds that a directory counts as being on the file system where it was found. */
const THERE_FOR = 60_000;
/** File systems remembered; then the oldest is forgotten. */
const MOST_REMEMBERED = 10_000;

/** What a file system has beyond what is to be kept free; below zero it is short of it. */
interface Margin {
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Whether it was short of it when it was looked at; by claims it may have become so since. */
  readonly wasShort: boolean;
  octets: number;
  inodes: number;
}

/** Where a message is written: one of the mailboxes, the others by links where that can be. */
export interface WrittenPlaces {
  readonly mailboxes: readonly string[];
  readonly queue: readonly string[];
}

export class Reserve {
  readonly #minFree: MinFree;
  readonly #parts: ReserveParts;
  /** By device. */
  readonly #margins = new Map<number, Margin>();
  readonly #devices = new Map<string, { readonly since: number; readonly device: number }>();
  /** What looks under way come to, by device, or by directory where that is not known. */
  readonly #looks = new Map<number | string, Promise<boolean>>();
  /** Directories where the last look failed. */
  readonly #unknown = new Set<string>();
  #forbidden = false;

  constructor(minFree: MinFree, parts: ReserveParts) {
    this.#minFree = minFree;
    this.#parts = parts;
  }

  /**
   * Whether the file system of any of these directories has less free than is to be kept; a promise,
   * which does not reject, where one must be looked at. What cannot be told counts as enough: a disk
   * that is full says so itself.
   */
  isShort(directories: readonly string[]): boolean | Promise<boolean> {
    const looks: Promise<boolean>[] = [];
    for (const directory of directories) {
      const short = this.#ask(directory);
      if (short === true) return true;
      if (short !== false) looks.push(short);
    }
    if (looks.length === 0) return false;
    return Promise.all(looks).then((found) => found.includes(true));
  }

  /**
   * Takes so many octets and files of what there is beyond, for each time that they are written; whether
   * there was any. What is taken counts at once, though the next look may be a while away.
   */
  async claim(
    { mailboxes, queue }: WrittenPlaces,
    octets: number,
    files: number,
  ): Promise<boolean> {
    const short = this.isShort([...mailboxes, ...queue]);
    if (typeof short === "boolean" ? short : await short) return false;
    const [first, ...others] = mailboxes;
    const device = first && this.#devices.get(first)?.device;
    const copies = others.filter((one) => this.#devices.get(one)?.device !== device);
    for (const directory of [...first ? [first] : [], ...copies, ...queue]) {
      const margin = this.#margins.get(this.#devices.get(directory)?.device ?? NaN);
      if (!margin) continue;
      margin.octets -= octets;
      margin.inodes -= files;
    }
    return true;
  }

  #ask(directory: string): boolean | Promise<boolean> {
    if (this.#forbidden) return false;
    const found = this.#devices.get(directory);
    const device = found && this.#isRecent(found, THERE_FOR) ? found.device : undefined;
    const margin = device === undefined ? undefined : this.#margins.get(device);
    const isKnown = margin && this.#isRecent(margin, GOOD_FOR);
    // What was claimed may have come to less, or be gone again.
    if (isKnown && isShort(margin) === margin.wasShort) return margin.wasShort;
    const key = device ?? directory;
    const before = found && isShort(this.#margins.get(found.device));
    return this.#looks.get(key) ?? this.#begin(key, directory, before ?? false);
  }

  /** A look that takes long goes on alone; until it ends, what was known before holds. */
  #begin(key: number | string, directory: string, before: boolean): Promise<boolean> {
    const answer = Promise.withResolvers<boolean>();
    const callOff = this.#parts.clock.after(GOOD_FOR, () => answer.resolve(before));
    this.#looks.set(key, answer.promise);
    this.#look(directory).then((short) => {
      callOff();
      this.#looks.delete(key);
      answer.resolve(short);
    });
    return answer.promise;
  }

  async #look(directory: string): Promise<boolean> {
    let space;
    try {
      space = await this.#parts.spaceOf(directory);
    } catch (error) {
      this.#failed(directory, error);
      return false;
    }
    this.#unknown.delete(directory);
    const { device } = space;
    const since = this.#parts.clock.now();
    const least = leastFree(this.#minFree, space);
    const octets = space.free - least.octets;
    // Some have no limit of their own, and none free either.
    const inodes = space.inodes === 0 ? Infinity : space.freeInodes - least.inodes;
    const short = octets < 0 || inodes < 0;
    const before = this.#margins.get(device)?.wasShort ?? false;
    this.#devices.set(directory, { since, device });
    this.#margins.delete(device);
    this.#margins.set(device, { since, wasShort: short, octets, inodes });
    const [oldest] = this.#margins.keys();
    if (this.#margins.size > MOST_REMEMBERED && oldest !== undefined) this.#margins.delete(oldest);
    if (short !== before) this.#tell(directory, space, short);
    return short;
  }

  #failed(directory: string, error: unknown): void {
    // Without the right to look at one, none can be looked at.
    this.#forbidden = error instanceof Deno.errors.NotCapable;
    if (this.#unknown.has(directory)) return;
    this.#unknown.add(directory);
    this.#parts.log.warn("free space unknown", { directory, error: String(error) });
  }

  #tell(directory: string, space: Space, short: boolean): void {
    const { log } = this.#parts;
    const least = leastFree(this.#minFree, space);
    const octets = { directory, free: space.free, least: Math.ceil(least.octets) };
    if (!short) return log.info("disk has room again", octets);
    const files = space.freeInodes < least.inodes
      ? { files: space.freeInodes, leastFiles: least.inodes }
      : {};
    log.warn("disk nearly full", { ...octets, ...files });
  }

  #isRecent({ since }: { readonly since: number }, time: number): boolean {
    return isRecent(time, since, this.#parts.clock.now());
  }
}

function isShort(margin: Margin | undefined): boolean {
  return margin !== undefined && (margin.octets < 0 || margin.inodes < 0);
}
