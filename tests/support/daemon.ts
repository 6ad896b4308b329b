/** The real daemon as a process of its own, with a folder of its own. */

import type { Service } from "../../src/config/service.ts";
import { sendSignal } from "./signal.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

export interface Daemon {
  /** Its folder; configured directories count from there. */
  readonly folder: string;
  readonly port: number;
  /** The port on one of its addresses: with LISTEN_PORT = 0 each has its own. */
  portOn(address: string): number;
  /** The port of a service, on the first of its addresses. Throws where it has none. */
  portFor(service: Service): number;
  readonly process: Deno.ChildProcess;
  /** Everything it has logged so far. */
  log(): string;
  /** Resolves when the log shows this text. Rejects after ten seconds. */
  logged(text: string): Promise<void>;
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<Deno.CommandStatus>;
  /** Stops it if it still runs and removes its folder. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface DaemonOptions {
  /** Lines of mail.conf besides those of PRESETS, which they may replace. */
  readonly mail?: string;
  /** The whole of user.conf. */
  readonly users?: string;
  /** What else is in its folder from the start, by name. Nobody else may read these. */
  readonly files?: Readonly<Record<string, string>>;
  /** A program with arguments that runs the daemon's command line, such as `prlimit --nofile=40`. */
  readonly under?: readonly string[];
  /** Its command line up to its own words, if not the one from source. */
  readonly command?: readonly string[];
  /** The whole of its environment, if not that of the tests. */
  readonly environment?: Readonly<Record<string, string>>;
}

const PRESETS = {
  HOSTNAME: "me.example",
  LISTEN_ADDR: "127.0.0.1",
  LISTEN_PORT: "0",
  // Nobody is asked about other hosts, unless a test has a name server of its own.
  NAME_SERVER: "127.0.0.1:1",
  // How full the machine's disk is, is no test's business.
  MIN_FREE: "none",
};

/** A line of mail.conf: nobody listens there, so all mail for other hosts waits. */
export const NOWHERE = "RELAY_HOST = 127.0.0.1:1";

/** The daemon's command line from source, with the permissions and the heap that `deno task start` gives it. */
export const COMMAND: readonly string[] = [
  Deno.execPath(),
  "run",
  "--no-prompt",
  "--quiet",
  "--v8-flags=--max-semi-space-size=2,--heap-growing-percent=50",
  `--config=${CONFIG}`,
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-sys=hostname,networkInterfaces,statfs",
  "--allow-env=STATE_DIRECTORY,USER",
  MAIN,
];

/** A folder with the files of a daemon. Whoever makes it removes it. */
export async function makeDaemonFolder(
  { mail = "", users = "jones:mail/jones\nsmith:mail/smith\n", files = {} }: Pick<
    DaemonOptions,
    "mail" | "users" | "files"
  >,
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  const given = mail.split("\n").map((line) => line.split("=")[0]!.trim());
  const presets = Object.entries(PRESETS).filter(([name]) => !given.includes(name));
  const lines = presets.map(([name, value]) => `${name} = ${value}`);
  await Deno.writeTextFile(`${folder}/mail.conf`, [...lines, mail, ""].join("\n"));
  await Deno.writeTextFile(`${folder}/user.conf`, users);
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text, { mode: 0o600 });
  }
  return folder;
}

/** Starts a daemon and waits until it listens. */
export async function startDaemon(options: DaemonOptions = {}): Promise<Daemon> {
  const folder = await makeDaemonFolder(options);
  const { under = [], command = COMMAND, environment } = options;
  const [program, ...words] = [...under, ...command];
  const process = new Deno.Command(program!, {
    args: [...words, "mail.conf", "user.conf"],
    cwd: folder,
    ...(environment ? { clearEnv: true, env: { ...environment } } : {}),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = new Output(process);
  const dispose = async () => {
    await end(process);
    await output.done;
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await output.shows("started");
  } catch (error) {
    await dispose();
    throw error;
  }
  const listening = placesIn(output.text, "smtp");
  const port = portOf(listening[0]);
  return {
    folder,
    port,
    portOn: (address) => portOf(listening.find((one) => hostOf(one) === address)),
    portFor: (service) => portOf(placesIn(output.text, service)[0]),
    process,
    log: () => output.text,
    logged: (text) => output.shows(text),
    stop: async () => {
      const status = await end(process);
      await output.done;
      return status;
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** The fields of the log in which the daemon says where a service is. */
const FIELDS = {
  smtp: "listening",
  submission: "submission",
  submissions: "submissions",
} as const satisfies Record<Service, string>;

function placesIn(log: string, service: Service): string[] {
  const field = new RegExp(`\\b${FIELDS[service]}(?:=|":\\[")([^\\s"]+)`);
  return field.exec(log)?.[1]?.split(",") ?? [];
}

/** `192.0.2.1:25` and `[2001:db8::1]:25` taken apart. */
function portOf(listening: string | undefined): number {
  if (listening === undefined) throw new Error("the daemon does not listen there");
  return Number(listening.slice(listening.lastIndexOf(":") + 1));
}

function hostOf(listening: string): string {
  return listening.slice(0, listening.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}

async function end(process: Deno.ChildProcess): Promise<Deno.CommandStatus> {
  sendSignal(process, "SIGTERM");
  return await process.status;
}

class Output {
  text = "";
  readonly done: Promise<unknown>;
  #changed = Promise.withResolvers<void>();
  #ended = false;

  constructor(process: Deno.ChildProcess) {
    this.done = Promise.all([this.#collect(process.stdout), this.#collect(process.stderr)])
      .finally(() => {
        this.#ended = true;
        this.#changed.resolve();
      });
  }

  async shows(text: string): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#changed.resolve();
    }, 10_000);
    try {
      while (!this.text.includes(text)) {
        if (late || this.#ended) throw new Error(`"${text}" is not in the log:\n${this.text}`);
        await this.#changed.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.text += text;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}

export interface StoredMessage {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The unread messages of a mailbox directory, oldest first. */
export async function readMailbox(directory: string): Promise<StoredMessage[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(`${directory}/new`)) names.push(name);
  const inOrder = names.sort((a, b) => orderOf(a) - orderOf(b));
  return await Promise.all(inOrder.map(async (name) => {
    const path = `${directory}/new/${name}`;
    return { path, bytes: await Deno.readFile(path) };
  }));
}

/** The count within the process, which is the order of arrival. */
function orderOf(name: string): number {
  return Number(/Q(\d+)R/.exec(name)?.[1] ?? 0);
}
