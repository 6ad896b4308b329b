/** A daemon that is reloaded again and again while clients come and go all the time. */

import { type Daemon, readMailbox, startDaemon } from "../support/daemon.ts";
import { rewrite } from "../support/reload.ts";
import { until } from "../support/until.ts";
import type { LoadOutcome } from "./strict_load.ts";

export interface ReloadOptions {
  /** The daemon's command line, up to its own words. */
  readonly command: readonly string[];
  readonly reloads: number;
  /** A program with arguments that runs daemon and clients, such as `ip netns exec name`. */
  readonly under?: readonly string[];
}

export interface ReloadOutcome extends LoadOutcome {
  /** What is in the mailbox, by name. */
  readonly stored: readonly string[];
  readonly log: string;
}

const SESSIONS = 20;
const MESSAGES = 5;
/** Before the first reload, and after the last one, by when the sockets before it are closed. */
const CONNECTIONS = 200;
/** Milliseconds after which a reload, or the connections behind it, are given up. */
const PATIENCE = 30_000;
const PROGRAM = new URL("strict_load.ts", import.meta.url).pathname;

/** Each reload brings one more user and another number of threads, 1 to 3. */
export async function reloadUnderLoad(
  { command, reloads, under = [] }: ReloadOptions,
): Promise<ReloadOutcome> {
  const mail = "MAX_CLIENTS_PER_ADDRESS = 1000\n";
  await using daemon = await startDaemon({ command, under, mail, users: users(0) });
  await using load = startLoad(daemon, under);
  const log = new LogReader(daemon);
  await log.shows("connection accepted", CONNECTIONS);
  for (let i = 1; i <= reloads; i++) {
    await rewrite(daemon, { mail: `WORKERS = ${1 + i % 3}\n`, users: users(i) });
    daemon.process.kill("SIGHUP");
    const place = `host=me.example listening=127.0.0.1:${daemon.port}`;
    await log.shows(` info reloaded ${place} users=${i + 1}`);
  }
  await log.shows("connection accepted", CONNECTIONS);
  const outcome = await load.end();
  await daemon.stop();
  const texts = await readMailbox(`${daemon.folder}/mail/jones`);
  const decoder = new TextDecoder();
  const stored = texts.map(({ bytes }) => {
    return /^Subject: (.*)$/m.exec(decoder.decode(bytes))?.[1] ?? "without a name";
  });
  return { ...outcome, stored, log: daemon.log() };
}

/** Jones, whose mail it is, and some more. */
function users(more: number): string {
  const names = ["jones", ...Array.from({ length: more }, (_, i) => `user${i + 1}`)];
  return names.map((name) => `${name}:mail/${name}\n`).join("");
}

/** What is new in a log, piece by piece: all of it is too long to be searched again and again. */
class LogReader {
  #at = 0;

  constructor(readonly daemon: Daemon) {}

  /** Returns when this text has come that many times since the last call. */
  async shows(text: string, times = 1): Promise<void> {
    let left = times;
    const found = () => {
      const log = this.daemon.log();
      while (left > 0) {
        const at = log.indexOf(text, this.#at);
        if (at < 0) {
          // The beginning of it may be there.
          this.#at = Math.max(this.#at, log.length - text.length);
          break;
        }
        this.#at = at + text.length;
        left--;
      }
      return left === 0;
    };
    await until(`${times} times "${text}"`, found, PATIENCE).catch((error) => {
      throw new Error(`${error.message} in:\n${besidesMail(this.daemon.log())}`);
    });
  }
}

/** The lines of a log that tell of the daemon, not of its clients. */
function besidesMail(log: string): string {
  const lines = log.split("\n");
  return lines.filter((line) => !/ info (connection|message) /.test(line)).join("\n");
}

interface Load extends AsyncDisposable {
  /** Ends it in good order. */
  end(): Promise<LoadOutcome>;
}

function startLoad({ port }: Daemon, under: readonly string[]): Load {
  const [program, ...args] = [
    ...under,
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    "--no-config",
    "--no-lock",
    "--allow-net",
    PROGRAM,
    "127.0.0.1",
    String(port),
    "jones@me.example",
    String(SESSIONS),
    String(MESSAGES),
  ];
  const process = new Deno.Command(program!, { args, stdin: "piped", stdout: "piped" }).spawn();
  const output = process.output();
  let open = true;
  const close = async () => {
    if (!open) return;
    open = false;
    await process.stdin.close();
  };
  return {
    async end() {
      await close();
      return JSON.parse(new TextDecoder().decode((await output).stdout));
    },
    async [Symbol.asyncDispose]() {
      await close();
      await output;
    },
  };
}
