/** Against what waits in the queue: what a long one costs at the start, and whether mail comes in slower. */

import { succeed } from "../../support/programs.ts";
import { idle } from "../arrival.ts";
import { type Bench, type Curve, type Figures, inRounds, inThousands } from "./curve.ts";
import { DOMAIN, residentMemory, serve, take, warmUp } from "./server.ts";
import { fillSpool, queueFiles, removeOthers } from "./spool_filler.ts";

const SESSIONS = 20;
const MESSAGES = { local: 3000, queued: 1500 };

export const queue: Curve = {
  name: "queue",
  title: "Queue",
  load: "messages waiting",
  write: inThousands,
  loads: (quick) => [0, 1000, 10_000, ...quick ? [] : [100_000]],
  columns: [
    {
      key: "local",
      heading: "local, messages/s",
      judged: { what: "time per local message", as: "rate", law: "nothing" },
    },
    {
      key: "localProcessor",
      heading: "processor, µs",
      judged: { what: "processor time per local message", as: "cost", law: "nothing" },
    },
    {
      key: "queued",
      heading: "to be queued, messages/s",
      judged: { what: "time per message to be queued", as: "rate", law: "nothing" },
    },
    {
      key: "queuedProcessor",
      heading: "processor, µs",
      judged: { what: "processor time per message to be queued", as: "cost", law: "nothing" },
    },
    {
      key: "listening",
      heading: "exec to listening, ms",
      judged: { what: "time to listening", as: "cost", law: "line" },
    },
    {
      key: "ready",
      heading: "queue read, ms",
      judged: { what: "time until the queue is read", as: "cost", law: "line" },
    },
    { key: "memory", heading: "memory, MB", judged: { what: "memory", as: "cost", law: "line" } },
    {
      key: "list",
      heading: "`queue list`, ms",
      judged: { what: "`queue list`", as: "cost", law: "line" },
    },
  ],
  plotted: { heading: "messages/s", lines: { local: "local", queued: "to be queued" } },
  async measure(bench) {
    const folders = new Map<number, string>();
    for (const load of bench.loads) {
      bench.tell(`making a queue of ${load}`);
      const folder = await bench.folder();
      fillSpool(`${folder}/spool`, load);
      folders.set(load, folder);
    }
    // What was made is no load of the first round's, and neither is reading the program from the disk.
    await succeed("sync", []);
    await (await serve(bench.command, await bench.folder(), ["jones"]))[Symbol.asyncDispose]();
    return await inRounds(bench, (load) => round(bench, folders.get(load)!));
  },
};

/** A daemon of its own for each; what is queued in a round is not there in the next. */
async function round({ command, quick }: Bench, folder: string): Promise<Figures> {
  const spool = `${folder}/spool`;
  const kept = queueFiles(spool);
  const figures = await withServer();
  removeOthers(spool, kept);
  return figures;

  async function withServer(): Promise<Figures> {
    await using server = await serve(command, folder, ["jones"]);
    await idle(server.pid);
    const { listening, ready } = server;
    const memory = residentMemory(server) / 1e6;
    const list = await timeOf(command, ["queue", "list", "mail.conf"], folder);
    const part = quick ? 1 / 4 : 1;
    const local = { messages: MESSAGES.local * part, to: `jones@${DOMAIN}`, sessions: SESSIONS };
    const queued = {
      messages: MESSAGES.queued * part,
      to: "box@other.example",
      sessions: SESSIONS,
    };
    await warmUp(server, local.to);
    const [here, there] = [await take(server, local), await take(server, queued)];
    return {
      local: here.rate,
      localProcessor: here.processor,
      queued: there.rate,
      queuedProcessor: there.processor,
      listening,
      ready,
      memory,
      list,
    };
  }
}

/** Milliseconds that a command takes. Rejects where it fails. */
async function timeOf(
  command: readonly string[],
  words: readonly string[],
  cwd: string,
): Promise<number> {
  const [program, ...args] = [...command, ...words];
  const before = performance.now();
  const process = new Deno.Command(program!, { args, cwd, stdin: "null", stdout: "null" }).spawn();
  const { success } = await process.status;
  if (!success) throw new Error(`${words.join(" ")} fails`);
  return performance.now() - before;
}
