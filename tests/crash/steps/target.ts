/** A process of the program whose disk has its orders, killed when it has stopped there. */

import config from "../../../deno.json" with { type: "json" };
import { COMMAND } from "../../support/daemon.ts";
import { type Operation, type Orders, STOPPED, TOLD } from "./orders.ts";
import { sendSignal } from "../../support/signal.ts";

const HERE = new URL("./", import.meta.url).href;
const SRC = new URL("../../../src/", import.meta.url).href;

/** Milliseconds that anything of it may take. */
const PATIENCE = 30_000;

/** The process has been killed, and whatever was waited for does not come. */
export class KilledError extends Error {
  override name = "KilledError";
}

export interface TargetOptions {
  /** The folder it works in. */
  readonly folder: string;
  /** Its words behind the program's name; those of a daemon if not given. */
  readonly words?: readonly string[];
  /** If not given, it is as everybody runs it. */
  readonly orders?: Omit<Orders, "folder">;
}

export class Target {
  /** What its disk has told. */
  readonly operations: Operation[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #output: Promise<unknown>;
  readonly #killed = new AbortController();
  #lines: string[] = [];
  #changed = Promise.withResolvers<void>();
  #ended = false;

  constructor({ folder, words = ["mail.conf", "user.conf"], orders }: TargetOptions) {
    const [program, ...args] = orders
      ? [...COMMAND.slice(0, -1), `--import-map=${writeImports({ ...orders, folder })}`]
      : COMMAND.slice(0, -1);
    this.#process = new Deno.Command(program!, {
      args: [...args, COMMAND.at(-1)!, ...words],
      cwd: folder,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#output = Promise.all([this.#hear(this.#process.stdout), this.#hear(this.#process.stderr)])
      .finally(() => {
        this.#ended = true;
        this.#changed.resolve();
      });
  }

  /** Whether it has stopped where it was told to, and was killed there. */
  get killed(): boolean {
    return this.#killed.signal.aborted;
  }

  get whenKilled(): AbortSignal {
    return this.#killed.signal;
  }

  /** What it has said, without what its disk has. */
  get log(): string {
    return this.#lines.join("\n");
  }

  get port(): number {
    return Number(/ listening=127\.0\.0\.1:(\d+) /.exec(this.log)?.[1]);
  }

  /** Resolves when so many lines show this text. Rejects with KilledError, or where it does not come. */
  async shows(text: string, count = 1): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (this.#lines.filter((line) => line.includes(text)).length < count) {
      if (this.killed) throw new KilledError();
      if (this.#ended || performance.now() > end) {
        throw new Error(`"${text}" is not in the log:\n${this.log}`);
      }
      const tick = setTimeout(() => this.#changed.resolve(), 1000);
      await this.#changed.promise;
      clearTimeout(tick);
      this.#changed = Promise.withResolvers();
    }
  }

  send(signal: Deno.Signal): void {
    sendSignal(this.#process, signal);
  }

  /** Its end, and that nothing more is heard of it. */
  async end(): Promise<Deno.CommandStatus> {
    const timer = setTimeout(() => this.send("SIGKILL"), PATIENCE);
    const status = await this.#process.status;
    clearTimeout(timer);
    await this.#output;
    return status;
  }

  async #hear(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.#take(line);
      this.#changed.resolve();
    }
  }

  #take(line: string): void {
    if (line === STOPPED) {
      this.send("SIGKILL");
      this.#killed.abort();
    } else if (line.startsWith(TOLD)) this.operations.push(JSON.parse(line.slice(TOLD.length)));
    else this.#lines.push(line);
  }
}

/** The import map by which a process gets its disk, and policies without the network. Returns its path. */
function writeImports(orders: Orders): string {
  const words = encodeURIComponent(JSON.stringify(orders));
  const real = [`${SRC}disk.ts`, `${SRC}relay/sts_fetch.ts`] as const;
  const path = `${orders.folder}/imports.json`;
  Deno.writeTextFileSync(
    path,
    JSON.stringify({
      imports: {
        ...config.imports,
        [real[0]]: `${HERE}stopping_disk.ts?orders=${words}`,
        [real[1]]: `${HERE}given_policy.ts`,
      },
      scopes: { [HERE]: Object.fromEntries(real.map((url) => [url, url])) },
    }),
  );
  return path;
}
