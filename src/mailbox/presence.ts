/** Whether mailbox directories are there: one on another machine's disk may be away for a while. */

import { type Clock, isRecent } from "../clock.ts";
import type { Disk } from "../disk.ts";

/** Milliseconds that a look is good for. */
const GOOD_FOR = 1000;

export class Presence {
  readonly #disk: Disk;
  readonly #clock: Pick<Clock, "now">;
  /** When each mailbox was seen to be there. */
  readonly #there = new Map<string, number>();

  constructor(disk: Disk, clock: Pick<Clock, "now">) {
    this.#disk = disk;
    this.#clock = clock;
  }

  /** Those of the directories that are no mailboxes at present; a promise where one must be looked at. */
  away(directories: readonly string[]): readonly string[] | Promise<readonly string[]> {
    const now = this.#clock.now();
    const unsure = directories.filter((directory) => {
      return !isRecent(GOOD_FOR, this.#there.get(directory) ?? -Infinity, now);
    });
    return unsure.length === 0 ? unsure : this.#look(unsure);
  }

  async #look(directories: readonly string[]): Promise<readonly string[]> {
    const away: string[] = [];
    for (const directory of directories) {
      if (await this.#isMailbox(directory)) {
        this.#there.set(directory, this.#clock.now());
      } else away.push(directory);
    }
    return away;
  }

  async #isMailbox(directory: string): Promise<boolean> {
    try {
      return await this.#disk.exists(`${directory}/tmp`) &&
        await this.#disk.exists(`${directory}/new`);
    } catch {
      // A disk that cannot even tell is as good as away.
      return false;
    }
  }
}
