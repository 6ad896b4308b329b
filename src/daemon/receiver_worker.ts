/** The receiver as the main thread sees it: a thread of its own with permissions of its own. */

import type { Configuration } from "../config/configuration.ts";
import { ListenError } from "../receiver/listener.ts";
import type { FromReceiver, ToReceiver } from "../receiver/worker.ts";
import { receiverPermissions } from "./permissions.ts";
import { system } from "./system.ts";

/** Milliseconds beyond the grace after which a receiver is no longer waited for. */
const LONGEST_STOP = 5000;

/** Starts with its making: whoever makes one waits for `listening` next. */
export class ReceiverWorker {
  readonly #worker: Worker;
  /** Told when the worker dies of an error; it says nothing more then. */
  readonly failed: Promise<never>;

  constructor(configuration: Configuration) {
    this.#worker = new Worker(new URL("../receiver/worker.ts", import.meta.url), {
      type: "module",
      name: "receiver",
      deno: { permissions: receiverPermissions(configuration) },
    });
    this.failed = new Promise((_, reject) => {
      this.#worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
    });
    // Whoever waits for something of the worker waits for this too; until then it is no one's.
    this.failed.catch(() => {});
    this.#tell({
      kind: "start",
      configuration,
      process: Deno.pid,
      machine: system.hostName(),
    });
  }

  /** Where it listens. Rejects with ListenError where it cannot. */
  async listening(): Promise<readonly string[]> {
    const answer = await this.#answer();
    if (answer.kind === "listening") return answer.addresses;
    if (answer.kind === "failed") throw new ListenError(answer.message, answer.setting);
    throw new Error("the receiver has stopped");
  }

  /**
   * Ends it in good order, texts in progress within `grace` milliseconds. Rejects when it does not
   * end, whatever keeps it: a disk that no longer answers, say.
   */
  async stop(grace: number): Promise<void> {
    const stopped = this.#answer();
    this.#tell({ kind: "stop", grace });
    let timer;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error("the receiver does not stop")),
        grace + LONGEST_STOP,
      );
    });
    try {
      await Promise.race([stopped, late]);
    } finally {
      clearTimeout(timer);
      this.#worker.terminate();
    }
  }

  #tell(message: ToReceiver): void {
    this.#worker.postMessage(message);
  }

  #answer(): Promise<FromReceiver> {
    const answer = new Promise<FromReceiver>((resolve) => {
      this.#worker.onmessage = ({ data }: MessageEvent<FromReceiver>) => resolve(data);
    });
    return Promise.race([answer, this.failed]);
  }
}
