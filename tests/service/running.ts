/** A process that a test watches while it runs. */

import { until } from "../support/until.ts";
import { sendSignal } from "../support/signal.ts";

/** Milliseconds for a process to end by itself. */
const PATIENCE = 20_000;

export class Running {
  readonly pid: number;
  readonly #process: Deno.ChildProcess;
  readonly #read: Promise<unknown>;
  #log = "";
  #ended = false;

  constructor(program: string, args: readonly string[], cwd?: string) {
    this.#process = new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...cwd === undefined ? {} : { cwd },
    }).spawn();
    this.pid = this.#process.pid;
    const { stdout, stderr } = this.#process;
    this.#read = Promise.all([this.#collect(stdout), this.#collect(stderr)])
      .finally(() => this.#ended = true);
  }

  /** All that it wrote so far. */
  log(): string {
    return this.#log;
  }

  /** Resolves when it has written this text, rejects when it ends without. */
  async logged(text: string): Promise<void> {
    await until(`"${text}"`, () => this.#log.includes(text) || this.#ended);
    if (!this.#log.includes(text)) throw new Error(`"${text}" is not in the log:\n${this.#log}`);
  }

  signal(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Waits for its end, which comes by force where it takes too long. */
  async end(): Promise<Deno.CommandStatus> {
    const timer = setTimeout(() => this.#kill(), PATIENCE);
    try {
      const [status] = await Promise.all([this.#process.status, this.#read]);
      return status;
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.end();
  }

  #kill(): void {
    sendSignal(this.#process, "SIGKILL");
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.#log += text;
  }
}
