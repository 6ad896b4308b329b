/**
 * A disk in memory that forgets what was not synced when the power is cut, with the real one's errors
 * and, for directories and their syncs, the real one's steps.
 */

import {
  type Disk,
  type DurableFile,
  type End,
  makeDurably,
  type ReadableFile,
  SharedSyncs,
} from "../../../src/disk.ts";
import type { Random } from "../../support/random.ts";
import { type Tree, TreeDirectory, TreeFile } from "./forgetful_tree.ts";

/** When the world stops. */
export interface Stop {
  /** Counted from the last stop, the first one is 1. */
  readonly operation: number;
  /** Before it happens, or when it has happened and nobody knows. */
  readonly moment: "before" | "after";
}

/**
 * What all that runs on the machine has in common until it stops: the operations that change the disk
 * or make a change durable. Reading changes nothing, so no stop is at a read.
 */
export class Power {
  /** `create /a/tmp/x`, `sync /a/tmp/x`, `rename /a/tmp/x /a/new/x` … */
  readonly operations: string[] = [];
  /** Called once, at the stop. */
  off: () => void = () => {};
  #isOff = false;
  readonly #stop: Stop | undefined;

  constructor(stop?: Stop) {
    this.#stop = stop;
  }

  get isOff(): boolean {
    return this.#isOff;
  }

  /** Does it, where the world has not stopped. */
  async step<T>(operation: string, act: () => T): Promise<T> {
    if (this.#isOff) return await nothing();
    this.operations.push(operation);
    if (this.operations.length !== this.#stop?.operation) return act();
    try {
      if (this.#stop.moment === "after") act();
    } catch {
      // Nobody is left to hear of it.
    }
    return await this.#end();
  }

  #end(): Promise<never> {
    this.#isOff = true;
    this.off();
    return nothing();
  }
}

export interface ForgetfulDiskOptions {
  /** Whether a file may have several names; true where nothing is said. */
  readonly links?: boolean;
  /** Syncs that it only says it did, as if whoever uses it had not asked for them. */
  readonly skips?: (operation: string) => boolean;
}

export class ForgetfulDisk implements Disk {
  readonly #tree: Tree;
  readonly #power: Power;
  readonly #random: Random;
  readonly #options: ForgetfulDiskOptions;
  readonly #syncs = new SharedSyncs((path) => this.#syncNow(path));

  /** `random` decides how long each operation takes beside the others. */
  constructor(tree: Tree, power: Power, random: Random, options: ForgetfulDiskOptions = {}) {
    this.#tree = tree;
    this.#power = power;
    this.#random = random;
    this.#options = options;
  }

  makeDirectory(path: string): Promise<void> {
    return makeDurably(path, {
      exists: (path) => this.exists(path),
      isDirectory: (path) => this.#look(() => this.#tree.find(path) instanceof TreeDirectory),
      make: (path) =>
        this.#change(`mkdir ${path}`, () => {
          if (this.#tree.find(path)) throw new Deno.errors.AlreadyExists(path);
          this.#tree.change(path, new TreeDirectory());
        }),
      sync: (path) => this.syncDirectory(path),
    });
  }

  create(path: string): Promise<DurableFile> {
    return this.#change(`create ${path}`, () => this.#create(path));
  }

  link(from: string, to: string): Promise<void> {
    return this.#change(`link ${from} ${to}`, () => {
      const file = this.#tree.file(from);
      if (this.#tree.find(to)) throw new Deno.errors.AlreadyExists(to);
      if (this.#options.links === false) {
        throw Object.assign(new Error(`${to}: Invalid cross-device link (os error 18)`), {
          code: "EXDEV",
        });
      }
      this.#tree.change(to, file);
    });
  }

  async copy(from: string, to: string): Promise<void> {
    const { content } = this.#tree.file(from);
    const target = await this.create(to);
    await target.write(content);
    await target.sync();
  }

  rename(from: string, to: string): Promise<void> {
    return this.#change(`rename ${from} ${to}`, () => {
      const file = this.#tree.file(from);
      if (this.#tree.find(to) instanceof TreeDirectory) throw new Deno.errors.IsADirectory(to);
      this.#tree.change(to, file);
      this.#tree.change(from, undefined);
    });
  }

  remove(path: string): Promise<boolean> {
    return this.#change(`remove ${path}`, () => {
      const isThere = this.#tree.find(path) !== undefined;
      if (isThere) this.#tree.change(path, undefined);
      return isThere;
    });
  }

  list(path: string): Promise<string[]> {
    return this.#look(() => [...this.#tree.directory(path).names.keys()]);
  }

  exists(path: string): Promise<boolean> {
    return this.#look(() => this.#tree.find(path) !== undefined);
  }

  read(path: string): Promise<Uint8Array> {
    return this.#look(() => this.#tree.file(path).content.slice());
  }

  readEnd(path: string, most: number): Promise<End> {
    return this.#look(() => {
      const { content } = this.#tree.file(path);
      return { bytes: content.slice(Math.max(0, content.length - most)), of: content.length };
    });
  }

  open(path: string): Promise<ReadableFile> {
    return this.#look(() => {
      const file = this.#tree.file(path);
      let at = 0;
      return {
        read: (buffer) =>
          this.#look(() => {
            const part = file.content.subarray(at, at + buffer.length);
            buffer.set(part);
            at += part.length;
            return part.length === 0 ? null : part.length;
          }),
        close: () => {},
      };
    });
  }

  syncDirectory(path: string): Promise<void> {
    return this.#syncs.sync(path);
  }

  /** What is changed while it lasts may be durable afterwards or not. */
  async #syncNow(path: string): Promise<void> {
    const end = await this.#look(() => this.#tree.beginSync(path));
    await this.#sync(`syncDirectory ${path}`, end);
  }

  #create(path: string): DurableFile {
    if (this.#tree.find(path)) throw new Deno.errors.AlreadyExists(path);
    const file = new TreeFile();
    this.#tree.change(path, file);
    return {
      write: (bytes) => {
        const copy = bytes.slice();
        return this.#change(`write ${path}`, () => {
          const longer = new Uint8Array(file.content.length + copy.length);
          longer.set(file.content);
          longer.set(copy, file.content.length);
          file.content = longer;
        });
      },
      sync: () => this.#sync(`sync ${path}`, () => void (file.synced = file.content.length)),
      close: () => {},
    };
  }

  #sync(operation: string, act: () => void): Promise<void> {
    return this.#change(operation, this.#options.skips?.(operation) ? () => {} : act);
  }

  async #change<T>(operation: string, act: () => T): Promise<T> {
    await this.#while();
    return await this.#power.step(operation, act);
  }

  async #look<T>(act: () => T): Promise<T> {
    await this.#while();
    if (this.#power.isOff) return await nothing();
    return act();
  }

  /** A moment: none takes as long as another. */
  async #while(): Promise<void> {
    for (let left = this.#random.between(1, 4); left > 0; left--) await Promise.resolve();
  }
}

/** What a program hears that is no more. */
function nothing(): Promise<never> {
  return new Promise(() => {});
}
