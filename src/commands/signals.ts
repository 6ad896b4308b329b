/** Signals: one to stop, and knocks that are answered one after the other. */

import { Exit } from "./terminal.ts";

/** Milliseconds within which a second signal is an echo of the first: Ctrl-C reaches all of a group. */
const ECHO = 1000;

/** Answers knocks one after the other; any number while it answers one is one more. */
export class Knock {
  #waiting = false;
  #answering = false;
  #answer: (() => Promise<void>) | undefined;

  /** Who answers from now on, to what came before too. */
  set answer(answer: () => Promise<void>) {
    this.#answer = answer;
    this.#go();
  }

  knock(): void {
    this.#waiting = true;
    this.#go();
  }

  async #go(): Promise<void> {
    if (this.#answering || !this.#answer) return;
    this.#answering = true;
    while (this.#waiting) {
      this.#waiting = false;
      await this.#answer();
    }
    this.#answering = false;
  }
}

/** The first signal to stop. A second one, later, ends the process at once. */
export function stopSignal(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    let asked: number | undefined;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(signal, () => {
        asked ??= performance.now();
        if (performance.now() - asked > ECHO) Deno.exit(Exit.Failed);
        resolve(signal);
      });
    }
  });
}
