/**
 * The one door to durable file work. What is written here and synced survives a crash, once the
 * directory that names it is synced too; nothing else in the project syncs, renames or links.
 *
 * Parts take a `Disk` as an argument, so that tests can hand in one that fails, or one that forgets
 * what was not synced.
 */

import { dirname } from "node:path";
import { Pace } from "./pace.ts";

/** A file being written. */
export interface DurableFile {
  /** Appends all of `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Returns when the content is on the disk. */
  sync(): Promise<void>;
  close(): void;
}

/** A file being read. */
export interface ReadableFile {
  /** Fills `buffer` with what comes next; returns how many octets that were, null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  close(): void;
}

/** What a file ends in. */
export interface End {
  readonly bytes: Uint8Array;
  /** Octets of the whole file. */
  readonly of: number;
}

/** Paths are the operating system's; errors are Deno.errors. */
export interface Disk {
  /** Makes a directory (mode 0700) and those above it that are missing, and their names durable. */
  makeDirectory(path: string): Promise<void>;
  /** Creates a file (mode 0600) that must not exist. */
  create(path: string): Promise<DurableFile>;
  /** A second name for a file; must not exist, and lies on the same file system. */
  link(from: string, to: string): Promise<void>;
  /** A second file (mode 0600) with the same content, synced; must not exist. */
  copy(from: string, to: string): Promise<void>;
  /** Moves a name; a file already there is replaced. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a name; one that is gone already is no error. Returns whether it was there. */
  remove(path: string): Promise<boolean>;
  /** Names in a directory. */
  list(path: string): Promise<string[]>;
  /** Whether there is something of this name. Rejects where that cannot be told. */
  exists(path: string): Promise<boolean>;
  /** All of a small file. */
  read(path: string): Promise<Uint8Array>;
  /** The last octets of a file, `most` at most, and how many it has. */
  readEnd(path: string, most: number): Promise<End>;
  /** Opens a file to be read piece by piece. */
  open(path: string): Promise<ReadableFile>;
  /** Returns when every name made, moved or removed in the directory before this call is durable. */
  syncDirectory(path: string): Promise<void>;
}

const START = Deno.SeekMode.Start;
/** Only its owner's. */
const PRIVATE = 0o600;
/** Octets that devices write in no time. */
const LITTLE = 64 * 1024;
/** Milliseconds of syncs at once, after which one is done aside: somebody may have come meanwhile. */
const TURN = 5;

/**
 * The real disk. What is short is done at once; a sync, which waits for the device, is too while the
 * caller has nothing else to do, and is done aside otherwise. Names are removed aside in any case.
 */
export class SystemDisk implements Disk {
  readonly #pace = new Pace();
  readonly #isIdle: () => boolean;
  /** Milliseconds that syncs have taken at once since the last one aside. */
  #taken = 0;
  readonly #syncs = new SharedSyncs((path) => this.#syncDirectoryNow(path));

  readonly #directories: DirectorySteps = {
    exists: (path) => this.exists(path),
    isDirectory: async (path) => (await Deno.stat(path)).isDirectory,
    make: (path) => Deno.mkdir(path, { mode: 0o700 }),
    sync: (path) => this.syncDirectory(path),
  };

  /** `isIdle` tells whether nobody but the caller would wait for this thread. */
  constructor(isIdle: () => boolean = () => false) {
    this.#isIdle = isIdle;
  }

  makeDirectory(path: string): Promise<void> {
    return makeDurably(path, this.#directories);
  }

  async create(path: string): Promise<DurableFile> {
    const file = await this.#open(path, { write: true, createNew: true, mode: PRIVATE });
    return new SystemFile(file, this.#pace, (octets) => this.#sync(file, octets));
  }

  link(from: string, to: string): Promise<void> {
    return this.#pace.run(() => Deno.linkSync(from, to), () => Deno.link(from, to));
  }

  async copy(from: string, to: string): Promise<void> {
    const source = await Deno.open(from);
    try {
      const target = await this.create(to);
      try {
        const buffer = new Uint8Array(64 * 1024);
        for (let n = await source.read(buffer); n !== null; n = await source.read(buffer)) {
          await target.write(buffer.subarray(0, n));
        }
        await target.sync();
      } finally {
        target.close();
      }
    } finally {
      source.close();
    }
  }

  rename(from: string, to: string): Promise<void> {
    return this.#pace.run(() => Deno.renameSync(from, to), () => Deno.rename(from, to));
  }

  async remove(path: string): Promise<boolean> {
    try {
      // Never here: a file system mounted with `discard` tells its disk what is free, and waits for that.
      await Deno.remove(path);
      return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return false;
    }
  }

  async list(path: string): Promise<string[]> {
    const names: string[] = [];
    for await (const entry of Deno.readDir(path)) names.push(entry.name);
    return names;
  }

  async exists(path: string): Promise<boolean> {
    try {
      // Aside in any case: this is how a disk is found out that hangs.
      await Deno.stat(path);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  read(path: string): Promise<Uint8Array> {
    return this.#pace.run(() => Deno.readFileSync(path), () => Deno.readFile(path));
  }

  async readEnd(path: string, most: number): Promise<End> {
    const file = await this.#open(path);
    try {
      const { size } = await this.#pace.run(() => file.statSync(), () => file.stat());
      const bytes = new Uint8Array(Math.min(size, most));
      const from = size - bytes.length;
      if (from > 0) {
        await this.#pace.run(() => file.seekSync(from, START), () => file.seek(from, START));
      }
      let length = 0;
      while (length < bytes.length) {
        const rest = bytes.subarray(length);
        const read = await this.#pace.run(() => file.readSync(rest), () => file.read(rest));
        if (read === null) break;
        length += read;
      }
      return { bytes: bytes.subarray(0, length), of: from + length };
    } finally {
      file.close();
    }
  }

  async open(path: string): Promise<ReadableFile> {
    const file = await this.#open(path);
    return new SystemFile(file, this.#pace, () => this.#sync(file, 0));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#syncs.sync(path);
  }

  async #syncDirectoryNow(path: string): Promise<void> {
    const directory = await this.#open(path);
    try {
      await this.#sync(directory, 0);
    } finally {
      directory.close();
    }
  }

  #sync(file: Deno.FsFile, octets: number): Promise<void> {
    if (octets > LITTLE || this.#taken > TURN || !this.#isIdle()) {
      this.#taken = 0;
      return file.sync();
    }
    return this.#pace.run(() => {
      const begun = performance.now();
      file.syncSync();
      this.#taken += performance.now() - begun;
    }, () => file.sync());
  }

  #open(path: string, options?: Deno.OpenOptions): Promise<Deno.FsFile> {
    return this.#pace.run(() => Deno.openSync(path, options), () => Deno.open(path, options));
  }
}

class SystemFile implements DurableFile, ReadableFile {
  readonly #file: Deno.FsFile;
  readonly #pace: Pace;
  readonly #syncNow: (octets: number) => Promise<void>;
  /** Octets written. */
  #length = 0;

  /** `syncNow` is told how many octets were written. */
  constructor(file: Deno.FsFile, pace: Pace, syncNow: (octets: number) => Promise<void>) {
    this.#file = file;
    this.#pace = pace;
    this.#syncNow = syncNow;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const rest = bytes.subarray(at);
      at += await this.#pace.run(() => this.#file.writeSync(rest), () => this.#file.write(rest));
    }
    this.#length += bytes.length;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#pace.run(() => this.#file.readSync(buffer), () => this.#file.read(buffer));
  }

  sync(): Promise<void> {
    return this.#syncNow(this.#length);
  }

  close(): void {
    this.#file.close();
  }
}

/**
 * Lets callers that want the same directory synced at the same time share one sync. A caller may
 * join only a sync that has not begun: one that is under way may have missed the caller's change.
 */
export class SharedSyncs {
  readonly #running = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, Promise<void>>();

  constructor(readonly syncNow: (path: string) => Promise<void>) {}

  sync(path: string): Promise<void> {
    const running = this.#running.get(path);
    if (!running) return this.#begin(path);
    const waiting = this.#waiting.get(path);
    if (waiting) return waiting;
    const following = running.catch(() => {}).then(() => {
      this.#waiting.delete(path);
      return this.#begin(path);
    });
    this.#waiting.set(path, following);
    return following;
  }

  #begin(path: string): Promise<void> {
    const run = this.syncNow(path).finally(() => {
      if (this.#running.get(path) === run) this.#running.delete(path);
    });
    this.#running.set(path, run);
    return run;
  }
}

/** What making a directory takes; errors are Deno.errors. */
export interface DirectorySteps {
  exists(path: string): Promise<boolean>;
  isDirectory(path: string): Promise<boolean>;
  /** Rejects with AlreadyExists, and with NotFound where the directory above is missing. */
  make(path: string): Promise<void>;
  sync(path: string): Promise<void>;
}

/**
 * Makes a directory and those above it that are missing, and their names durable. Whoever made one that
 * is there may have been stopped before its name was durable; so a name is synced again before anything
 * is made below it.
 */
export async function makeDurably(path: string, steps: DirectorySteps): Promise<void> {
  const above = dirname(path);
  try {
    if (!await steps.exists(path)) await syncIfPossible(dirname(above), steps);
    await steps.make(path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists && await steps.isDirectory(path)) {
      return await syncIfPossible(above, steps);
    }
    if (!(error instanceof Deno.errors.NotFound) || above === path) throw error;
    await makeDurably(above, steps);
    return await makeDurably(path, steps);
  }
  await steps.sync(above);
}

/** Where only its owner may sync a directory, or its file system has no way to, nothing is ours to do. */
async function syncIfPossible(path: string, { sync }: DirectorySteps): Promise<void> {
  try {
    await sync(path);
  } catch (error) {
    const forbidden = error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotCapable;
    const unknown = error instanceof Error && "code" in error && error.code === "EINVAL";
    if (!forbidden && !unknown) throw error;
  }
}
