/** A disk in memory, with the real one's errors. */

import type { Disk, DurableFile, End, ReadableFile } from "../../src/disk.ts";

export class MemoryDisk implements Disk {
  readonly files = new Map<string, { bytes: Uint8Array; synced: boolean }>();
  readonly directories = new Set<string>(["/"]);
  /** Every operation so far: `create /a/tmp/x`, `sync /a/tmp/x`, `rename /a/tmp/x /a/new/x` … */
  readonly operations: string[] = [];
  /** Set to make an operation fail or wait: it is called with each before it happens and may throw. */
  before: (operation: string) => void | Promise<void> = () => {};

  makeDirectory(path: string): Promise<void> {
    return this.#do(`makeDirectory ${path}`, () => {
      for (let at = path; !this.directories.has(at); at = parent(at)) this.directories.add(at);
    });
  }

  create(path: string): Promise<DurableFile> {
    return this.#do(`create ${path}`, () => {
      this.#add(path, { bytes: new Uint8Array(0), synced: false });
      return this.#open(path);
    });
  }

  link(from: string, to: string): Promise<void> {
    return this.#do(`link ${from} ${to}`, () => this.#add(to, this.#get(from)));
  }

  copy(from: string, to: string): Promise<void> {
    return this.#do(
      `copy ${from} ${to}`,
      () => this.#add(to, { bytes: this.#get(from).bytes, synced: true }),
    );
  }

  rename(from: string, to: string): Promise<void> {
    return this.#do(`rename ${from} ${to}`, () => {
      const file = this.#get(from);
      this.files.delete(to);
      this.#add(to, file);
      this.files.delete(from);
    });
  }

  remove(path: string): Promise<boolean> {
    return this.#do(`remove ${path}`, () => this.files.delete(path));
  }

  list(path: string): Promise<string[]> {
    return this.#do(`list ${path}`, () => {
      if (!this.directories.has(path)) throw new Deno.errors.NotFound(path);
      return [...this.files.keys()]
        .filter((file) => parent(file) === path)
        .map((file) => file.slice(path.length + 1));
    });
  }

  exists(path: string): Promise<boolean> {
    return this.#do(`exists ${path}`, () => this.files.has(path) || this.directories.has(path));
  }

  read(path: string): Promise<Uint8Array> {
    return this.#do(`read ${path}`, () => this.#get(path).bytes.slice());
  }

  readEnd(path: string, most: number): Promise<End> {
    return this.#do(`readEnd ${path}`, () => {
      const { bytes } = this.#get(path);
      return { bytes: bytes.slice(Math.max(0, bytes.length - most)), of: bytes.length };
    });
  }

  open(path: string): Promise<ReadableFile> {
    return this.#do(`open ${path}`, () => {
      const { bytes } = this.#get(path);
      let at = 0;
      return {
        read: (buffer) =>
          this.#do(`readPart ${path}`, () => {
            const part = bytes.subarray(at, at + buffer.length);
            buffer.set(part);
            at += part.length;
            return part.length === 0 ? null : part.length;
          }),
        close: () => {},
      };
    });
  }

  syncDirectory(path: string): Promise<void> {
    return this.#do(`syncDirectory ${path}`, () => {
      if (!this.directories.has(path)) throw new Deno.errors.NotFound(path);
    });
  }

  async #do<T>(operation: string, act: () => T): Promise<T> {
    await Promise.resolve();
    const wait = this.before(operation);
    if (wait) await wait;
    this.operations.push(operation);
    return act();
  }

  #open(path: string): DurableFile {
    const file = this.#get(path);
    return {
      write: (bytes) =>
        this.#do(`write ${path}`, () => {
          const longer = new Uint8Array(file.bytes.length + bytes.length);
          longer.set(file.bytes);
          longer.set(bytes, file.bytes.length);
          file.bytes = longer;
          file.synced = false;
        }),
      sync: () => this.#do(`sync ${path}`, () => void (file.synced = true)),
      close: () => {},
    };
  }

  #get(path: string): { bytes: Uint8Array; synced: boolean } {
    const file = this.files.get(path);
    if (!file) throw new Deno.errors.NotFound(path);
    return file;
  }

  #add(path: string, file: { bytes: Uint8Array; synced: boolean }): void {
    if (this.files.has(path)) throw new Deno.errors.AlreadyExists(path);
    if (!this.directories.has(parent(path))) throw new Deno.errors.NotFound(path);
    this.files.set(path, file);
  }
}

function parent(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
