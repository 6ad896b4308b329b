/** Which mailboxes cannot share a file: found out by trying, so that it is known beforehand next time. */

import type { Disk } from "../disk.ts";

/** Pairs of mailboxes. */
const MOST = 10_000;

/** Links are not made there, whatever the file: another file system, or one without links. */
const NEVER: ReadonlySet<unknown> = new Set(["EXDEV", "EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS"]);
/** What a copy would meet too. */
const TROUBLE: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EIO", "EROFS"]);

const memories = new WeakMap<Disk, LinkMemory>();

export class LinkMemory {
  /** By the mailbox that the file is in, those that it cannot be linked to. */
  readonly #apart = new Map<string, Set<string>>();
  #size = 0;

  /** What is known of a disk by all who use it. */
  static of(disk: Disk): LinkMemory {
    let memory = memories.get(disk);
    if (!memory) memories.set(disk, memory = new LinkMemory());
    return memory;
  }

  areApart(from: string, to: string): boolean {
    return this.#apart.get(from)?.has(to) ?? false;
  }

  /**
   * What is to be made of an error at linking: whether a copy takes the link's place. A name that is
   * taken never is one: a copy's rename would replace what has it.
   */
  wantsCopy(from: string, to: string, error: unknown): boolean {
    if (error instanceof Deno.errors.AlreadyExists || error instanceof Deno.errors.NotFound) {
      return false;
    }
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (NEVER.has(code)) this.#remember(from, to);
    // Whatever else it is, too many links to one file for instance, a copy has none of it.
    return !TROUBLE.has(code);
  }

  #remember(from: string, to: string): void {
    if (this.#size === MOST) {
      this.#apart.clear();
      this.#size = 0;
    }
    let others = this.#apart.get(from);
    if (!others) this.#apart.set(from, others = new Set());
    if (others.has(to)) return;
    others.add(to);
    this.#size++;
  }
}
