/** A part of the daemon as the main thread sees it: a thread of its own with permissions of its own. */

/** Milliseconds beyond the grace after which a part is no longer waited for. */
const LONGEST_STOP = 5000;

/** `To` is what the part is told, `From` what it answers. */
export class Part<To extends { readonly kind: string }, From extends { readonly kind: string }> {
  readonly #name: string;
  readonly #worker: Worker;
  /** Rejects when the part dies of an error; it says nothing more then. */
  readonly failed: Promise<never>;

  /** `entry` is the module of the thread. */
  constructor(name: string, entry: URL, permissions: Deno.PermissionOptionsObject) {
    this.#name = name;
    this.#worker = new Worker(entry, { type: "module", name, deno: { permissions } });
    this.failed = new Promise((_, reject) => {
      this.#worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`the ${name} failed: ${event.message}`));
      };
    });
    // Whoever waits for something of the part waits for this too; until then it is no one's.
    this.failed.catch(() => {});
  }

  /** Tells it something, and waits for its answer. Rejects when it dies. */
  ask(question: To, transfer: Transferable[] = []): Promise<From> {
    const answer = new Promise<From>((resolve) => {
      this.#worker.onmessage = ({ data }: MessageEvent<From>) => resolve(data);
    });
    this.#worker.postMessage(question, transfer);
    return Promise.race([answer, this.failed]);
  }

  /**
   * Waits until it has answered to its end, `grace` milliseconds and a little. Rejects when it does
   * not, whatever keeps it: a disk that no longer answers, say.
   */
  async stop(question: To, grace: number): Promise<void> {
    let timer;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`the ${this.#name} does not stop`)),
        grace + LONGEST_STOP,
      );
    });
    try {
      await Promise.race([this.ask(question), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the thread, whatever it does. */
  end(): void {
    this.#worker.terminate();
  }
}
