/** The real daemon, killed and started again in the same folder and at the same port. */

import { COMMAND, makeDaemonFolder } from "../../support/daemon.ts";
import { sendSignal } from "../../support/signal.ts";

export interface MortalOptions {
  /** Lines of mail.conf. */
  readonly mail?: string;
  /** The whole of user.conf. */
  readonly users: string;
}

/** Milliseconds that a start may take. */
const PATIENCE = 30_000;
/** Lines of the log that are kept. */
const MOST_TROUBLES = 100;

/** What every start after a kill may say, with how many files that were. */
const SWEPT = /^\S+ warn unfinished messages removed files=(\d+)$/;
const STARTED = /^\S+ info started .* queue=(\d+)$/;
const TROUBLE = /^\S+ (warn|error) /;

export class MortalDaemon {
  readonly folder: string;
  readonly port: number;
  /** Milliseconds from each start to its end, of those that came to it. */
  readonly starts: number[] = [];
  /** What its log says that it should not, and all that it says besides its log. */
  readonly troubles: string[] = [];
  #kills = 0;
  #swept = 0;
  #mostWaiting = 0;
  #life: Life | undefined;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  /** Nothing runs before `start`. */
  static async make({ mail = "", users }: MortalOptions): Promise<MortalDaemon> {
    const port = lastingPort();
    const folder = await makeDaemonFolder({ mail: `LISTEN_PORT = ${port}\n${mail}`, users });
    return new MortalDaemon(folder, port);
  }

  /** Processes killed so far. */
  get kills(): number {
    return this.#kills;
  }

  /** Unfinished files that starts have removed. */
  get swept(): number {
    return this.#swept;
  }

  /** The most messages that waited at a start. */
  get mostWaiting(): number {
    return this.#mostWaiting;
  }

  /** Starts the process. Its `started` is to be waited for, unless it is killed before. */
  start(): void {
    this.#life = new Life(this.folder, (line) => this.#hear(line));
  }

  /** Returns when it works. Rejects where it ends instead, or takes too long. */
  async started(): Promise<void> {
    try {
      this.starts.push(await this.#life!.started());
    } catch (error) {
      throw new Error(`start ${this.#kills + 1} failed:\n${this.troubles.join("\n")}`, {
        cause: error,
      });
    }
  }

  /** SIGKILL; returns when it has gone. */
  async kill(): Promise<void> {
    await this.#life?.end("SIGKILL");
    this.#life = undefined;
    this.#kills++;
  }

  /** Ends it in good order; returns its exit code. */
  async stop(): Promise<number> {
    const { code } = await this.#life!.end("SIGTERM");
    this.#life = undefined;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#life?.end("SIGKILL");
    await Deno.remove(this.folder, { recursive: true });
  }

  #hear(line: string): void {
    const swept = SWEPT.exec(line)?.[1];
    if (swept !== undefined) {
      this.#swept += Number(swept);
      return;
    }
    const waiting = STARTED.exec(line)?.[1];
    if (waiting !== undefined) this.#mostWaiting = Math.max(this.#mostWaiting, Number(waiting));
    const isTrouble = TROUBLE.test(line) || !/^\S+ info /.test(line);
    if (isTrouble && this.troubles.length < MOST_TROUBLES) this.troubles.push(line);
  }
}

/** One process. */
class Life {
  readonly #process: Deno.ChildProcess;
  readonly #began = performance.now();
  readonly #started = Promise.withResolvers<number>();
  readonly #output: Promise<unknown>;

  constructor(folder: string, hear: (line: string) => void) {
    const [program, ...words] = COMMAND;
    this.#process = new Deno.Command(program!, {
      args: [...words, "mail.conf", "user.conf"],
      cwd: folder,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    // It may be killed before anybody asks.
    this.#started.promise.catch(() => {});
    const { stdout, stderr } = this.#process;
    this.#output = Promise.all([
      eachLine(stdout, (line) => {
        if (STARTED.test(line)) this.#started.resolve(performance.now() - this.#began);
        hear(line);
      }),
      eachLine(stderr, hear),
    ]).finally(() => this.#started.reject(new Error("the daemon has ended before it started")));
  }

  /** How many milliseconds it took. */
  async started(): Promise<number> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error("the daemon does not start")), PATIENCE);
    try {
      return await Promise.race([this.#started.promise, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async end(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    sendSignal(this.#process, signal);
    const status = await this.#process.status;
    await this.#output;
    return status;
  }
}

/** Whole lines; what a kill leaves of one is no line. */
async function eachLine(
  stream: ReadableStream<Uint8Array>,
  hear: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    lines.forEach(hear);
  }
}

/**
 * A port below those that the system gives to clients: one of them, calling a daemon that is away,
 * could be given the daemon's own port and would meet itself.
 */
function lastingPort(): number {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
