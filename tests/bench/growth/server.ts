/** The daemon that is measured, and what mail it takes comes to. */

import { freePort } from "../../support/free_port.ts";
import { until } from "../../support/until.ts";
import { octetsIn, peakMemory, processorTime } from "../family.ts";
import { configure } from "../peers/denosmtpd.ts";
import { startProgram } from "../peers/program.ts";
import { send, type Sending } from "../source.ts";
import type { Column } from "./curve.ts";

export interface Server extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** Milliseconds from its execution until it takes connections, and until it has read its queue. */
  readonly listening: number;
  readonly ready: number;
}

export const DOMAIN = "me.example";
/** Milliseconds until a long queue must have been read. */
const PATIENCE = 300_000;
/** Milliseconds between two attempts to connect. */
const PAUSE = 2;
/** Messages that make it as fast as it gets. */
const WARM_UP = 500;

/** Starts it in a folder, with these local-parts, and waits until it has read its queue. */
export async function serve(
  command: readonly string[],
  folder: string,
  users: readonly string[],
): Promise<Server> {
  const port = freePort();
  await configure(folder, {
    HOSTNAME: DOMAIN,
    LISTEN_PORT: port,
    MAX_CLIENTS: 10_000,
    MAX_MESSAGE_SIZE: "60M",
    MIN_FREE: "none",
    // What is queued stays there.
    RELAY_HOST: "127.0.0.1:1",
  }, users.map((one) => `${one}:${one}`));

  const log = `${folder}/log`;
  const before = performance.now();
  const since = () => performance.now() - before;
  const [program, listening] = await Promise.all([
    startProgram({ command: [...command, "mail.conf", "user.conf"], cwd: folder, port, log }),
    greeted(port).then(since),
  ]);
  const { pid } = program;
  try {
    const started = async () => (await Deno.readTextFile(log)).includes(" info started ");
    await until("its queue to be read", started, PATIENCE);
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
  const ready = since();
  return {
    port,
    pid,
    listening,
    ready,
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** Returns as soon as somebody greets there: before it serves, a daemon may try whether it could listen. */
async function greeted(port: number): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (!await isGreeted(port)) {
    if (performance.now() > end) throw new Error(`nobody greets at port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

async function isGreeted(port: number): Promise<boolean> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    return await connection.read(new Uint8Array(512)) !== null;
  } catch (error) {
    const { ConnectionRefused, ConnectionReset } = Deno.errors;
    if (error instanceof ConnectionRefused || error instanceof ConnectionReset) return false;
    throw error;
  }
}

/** Octets of memory that it holds. */
export function residentMemory({ pid }: Server): number {
  return octetsIn(Deno.readTextFileSync(`/proc/${pid}/status`), "VmRSS");
}

/** What a round of mail tells, wherever one is sent. */
export const RATE = { key: "rate", heading: "messages/s" } as const satisfies Column;
export const PROCESSOR = { key: "processor", heading: "processor, µs" } as const satisfies Column;
export const PEAK = { key: "peak", heading: "memory at most, MB" } as const satisfies Column;

/** Mail for a server, and how many programs each send as much as that; 1 unless told. */
export interface Mail extends Omit<Sending, "port"> {
  readonly programs?: number;
}

/** Sends mail, and returns what it came to by these columns. */
export async function take(
  server: Server,
  { programs = 1, ...sending }: Mail,
): Promise<Record<"rate" | "processor" | "peak", number>> {
  const before = processorTime(server.pid);
  const all = Array.from({ length: programs }, () => send({ ...sending, port: server.port }));
  const seconds = Math.max(...await Promise.all(all));
  const messages = programs * sending.messages;
  return {
    rate: messages / seconds,
    processor: (processorTime(server.pid) - before) * 1e6 / messages,
    peak: peakMemory(server.pid) / 1e6,
  };
}

/** Lets it take so much mail that its code is compiled and its buffers are there. */
export async function warmUp(server: Server, to: string, sessions = 20): Promise<void> {
  await take(server, { messages: WARM_UP, to, sessions: Math.min(sessions, WARM_UP) });
}
