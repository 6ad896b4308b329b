/**
 * What people ask of a daemon that is running: files in `SPOOL_DIR/requests`, whose names say it
 * all. A request that is carried out is removed.
 */

import type { Disk } from "../disk.ts";
import { AN_ID } from "./id.ts";

/** `remove` takes one message out of the queue; `retry` makes one due at once, or `all` of them. */
export interface Request {
  readonly kind: "retry" | "remove";
  /** A message's id, or `all`. */
  readonly id: string;
}

const NAME = new RegExp(`^(retry|remove)-(${AN_ID}|(?<=retry-)all)$`);

export class Requests {
  readonly #disk: Disk;
  readonly directory: string;
  readonly #underWay = new Set<string>();
  /** Carried out, and their files could not be removed. */
  readonly #done = new Set<string>();

  /** `spool` is SPOOL_DIR. */
  constructor(disk: Disk, spool: string) {
    this.#disk = disk;
    this.directory = `${spool}/requests`;
  }

  /** Makes a request, durably: whoever asks is told that it stays. The same one may be made already. */
  async make(request: Request): Promise<void> {
    try {
      (await this.#disk.create(this.#path(request))).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
    await this.#disk.syncDirectory(this.directory);
  }

  /** Whether there is a place for requests. Never rejects. */
  async canBeMade(): Promise<boolean> {
    try {
      return await this.#disk.exists(this.directory);
    } catch {
      return false;
    }
  }

  /** Whether a request is still to be carried out. */
  pending(request: Request): Promise<boolean> {
    return this.#disk.exists(this.#path(request));
  }

  /**
   * Carries out what is newly asked for, all at once: one may have to wait for long. A request stays
   * until it is done, so a crash does not lose it; one that stays even then is not carried out again.
   * Rejects with what `act` does, and disk errors.
   */
  async serve(act: (request: Request) => Promise<void>): Promise<void> {
    const names = await this.#disk.list(this.directory);
    for (const name of this.#done) if (!names.includes(name)) this.#done.delete(name);
    const fresh = names.filter((name) => !this.#underWay.has(name));
    await Promise.all(fresh.map((name) => this.#serve(name, act)));
  }

  async #serve(name: string, act: (request: Request) => Promise<void>): Promise<void> {
    const [, kind, id] = NAME.exec(name) ?? [];
    if (id === undefined || kind !== "retry" && kind !== "remove") return;
    this.#underWay.add(name);
    try {
      if (!this.#done.has(name)) await act({ kind, id });
      this.#done.add(name);
      await this.#disk.remove(`${this.directory}/${name}`);
      this.#done.delete(name);
    } finally {
      this.#underWay.delete(name);
    }
  }

  #path({ kind, id }: Request): string {
    return `${this.directory}/${kind}-${id}`;
  }
}
