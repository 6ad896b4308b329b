/** A part of the daemon as the main thread sees it: a thread of its own with permissions of its own. */

import type { Clock } from "../clock.ts";

/** `To` is what the part is told, `From` what it answers. */
export interface Part<To extends Message, From extends Message> {
  /** Rejects when the part dies of an error, or with EndedError when it is ended. */
  readonly failed: Promise<never>;
  /** Tells it something that has no answer. */
  tell(message: To, transfer?: Transferable[]): void;
  /**
   * Tells it something, and waits for an answer of one of these kinds; of several who wait the first
   * one is answered. Rejects when it dies.
   */
  ask<Kind extends From["kind"]>(
    question: To,
    kinds: readonly Kind[],
    transfer?: Transferable[],
  ): Promise<Extract<From, { readonly kind: Kind }>>;
  /** Ends the thread, whatever it does. */
  end(): void;
}

/** The daemon itself has ended the part: it says nothing more. */
export class EndedError extends Error {
  override name = "EndedError";
}

export interface Message {
  readonly kind: string;
}

/** Somebody who waits for an answer. */
interface Waiting<From extends Message> {
  readonly kinds: readonly From["kind"][];
  readonly answer: (message: From) => void;
}

export class WorkerPart<To extends Message, From extends Message> implements Part<To, From> {
  readonly #worker: Worker;
  readonly #failed = Promise.withResolvers<never>();
  readonly failed = this.#failed.promise;
  readonly #waiting: Waiting<From>[] = [];

  /** `entry` is the module of the thread. */
  constructor(name: string, entry: URL, permissions: Deno.PermissionOptionsObject) {
    this.#worker = new Worker(entry, { type: "module", name, deno: { permissions } });
    this.#worker.onmessage = ({ data }: MessageEvent<From>) => this.#told(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#failed.reject(new Error(event.message));
    };
    // Whoever waits for something of the part waits for this too; until then it is no one's.
    this.failed.catch(() => {});
  }

  tell(message: To, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  ask<Kind extends From["kind"]>(
    question: To,
    kinds: readonly Kind[],
    transfer: Transferable[] = [],
  ): Promise<Extract<From, { readonly kind: Kind }>> {
    const answer = new Promise<From>((resolve) => {
      this.#waiting.push({ kinds, answer: resolve });
    });
    this.tell(question, transfer);
    // Only messages of these kinds come to those who wait for them.
    return Promise.race([answer as Promise<Extract<From, { readonly kind: Kind }>>, this.failed]);
  }

  end(): void {
    this.#worker.terminate();
    this.#failed.reject(new EndedError());
  }

  #told(message: From): void {
    const index = this.#waiting.findIndex(({ kinds }) => kinds.includes(message.kind));
    if (index >= 0) this.#waiting.splice(index, 1)[0]?.answer(message);
  }
}

/** Milliseconds beyond its grace after which a part's answer is no longer waited for. */
const LONGEST_WAIT = 5000;

/**
 * Rejects where an answer has not come `grace` milliseconds and a little later, whatever keeps it: a
 * disk that no longer answers, say.
 */
export async function inTime<T>(
  name: string,
  answer: Promise<T>,
  grace: number,
  clock: Clock,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const callOff = clock.after(grace + LONGEST_WAIT, () => {
    late.reject(new Error(`the ${name} does not answer`));
  });
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    callOff();
  }
}
