/**
 * How fast the daemon takes and passes on mail, beside Postfix and others: `deno task bench [LOAD...]`.
 * README.md beside this file tells what is measured, and how each is configured.
 */

import { systemSpace } from "../../src/space.ts";
import { missing } from "../support/programs.ts";
import { judge, judgementLine } from "./judgement.ts";
import { octetsLeft } from "./loads.ts";
import { machineOf } from "./machine.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { describe, type LoadResult, measure } from "./pairs.ts";
import { aiosmtpd } from "./peers/aiosmtpd.ts";
import { executable, fromSource } from "./peers/denosmtpd.ts";
import { exim } from "./peers/exim.ts";
import type { Kind } from "./peers/peer.ts";
import { opensmtpd } from "./peers/opensmtpd.ts";
import { postfix } from "./peers/postfix.ts";
import { smtpServer } from "./peers/smtp_server.ts";
import { smtpSink } from "./peers/smtp_sink.ts";
import { spread } from "./spread.ts";
import { tableOf } from "./table.ts";
import { given, say } from "./terminal.ts";

/** By the words that name them. */
const OTHERS: Readonly<Record<string, Kind>> = {
  exim,
  opensmtpd,
  "smtp-server": smtpServer,
  aiosmtpd,
  "smtp-sink": smtpSink,
};
const OTHER_ROUNDS = 2;
/** Of the file system: MIN_FREE of our daemon, and some. */
const KEPT_FREE = 0.06;

const names = Object.keys(OTHERS);
const options = given((words) => readOptions(words, names), usage(names));
const ours = options.source ? fromSource : executable;
const reasons = [
  missing(["smtp-source", "smtp-sink"])?.concat(" (Debian: postfix)"),
  postfix.missing(),
  ours.missing(),
].filter((reason) => reason !== undefined);
if (reasons.length > 0) {
  say(...reasons.map((reason) => `nothing to compare: ${reason}`));
  Deno.exit(1);
}
const others = whoIsHere(options.peers);
await compare(options, others);

/** Those named or else all, without those that are missing; of these it says so. */
function whoIsHere(names: readonly string[] = Object.keys(OTHERS)): Kind[] {
  return names.map((name) => OTHERS[name]!).filter((kind) => {
    const reason = kind.missing();
    if (reason !== undefined) say(`without ${kind.name}: ${reason}`);
    return reason === undefined;
  });
}

/** Exit code 1 where a message was lost or a load could not be played; a missed target is none. */
async function compare(options: Options, others: readonly Kind[]): Promise<void> {
  const { loads, pairs, json, keep } = options;
  const within = options.folder === undefined ? {} : { dir: options.folder };
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-bench-", ...within });
  // Servers that give up root's rights must still get in.
  await Deno.chmod(folder, 0o755);
  const programs = [ours, postfix, ...others].map((one) => `${one.name} ${one.version()}`);
  const machine = [await machineOf(folder), programs.join(", ")];
  say(...machine);
  const results: LoadResult[] = [];
  const verdicts: string[] = [];
  const stopped = stopAtSignal();
  for (const load of loads) {
    const own = `${folder}/${load.letter}`;
    await Deno.mkdir(own);
    await spread(own);
    const able = others.filter(({ relays }) => relays || load.kind === "mailbox");
    const otherRounds = Math.min(OTHER_ROUNDS, pairs);
    try {
      const rounds = 2 * (pairs + 1) + able.length * (otherRounds + 1);
      await makeSureOfRoom(folder, octetsLeft(load, rounds));
      const result = await measure({
        load,
        ours,
        theirs: postfix,
        others: able,
        pairs,
        otherRounds,
        folder: own,
        tell: (words) => tell(`(${load.letter}) ${words}`),
        stopped: stopped.promise,
      });
      tell("");
      say("", ...tableOf(result));
      results.push(result);
      verdicts.push(judgementLine(load.letter, judge(result)));
    } catch (error) {
      tell("");
      verdicts.push(`(${load.letter}) failed: ${describe(error)}`);
      Deno.exitCode = 1;
      if (stopped.over) break;
    }
  }
  if (results.some(lost)) Deno.exitCode = 1;
  say("", ...verdicts);
  if (json !== undefined) {
    const figures = { date: new Date().toISOString(), machine, verdicts, results };
    await Deno.writeTextFile(json, `${JSON.stringify(figures, undefined, 1)}\n`);
  }
  if (keep || Deno.exitCode !== 0) say(`all mail and all logs are in ${folder}`);
  else await Deno.remove(folder, { recursive: true });
}

/** Throws where less is free than that and as much again as servers want to keep free. */
async function makeSureOfRoom(folder: string, octets: number): Promise<void> {
  const { free, size } = await systemSpace(folder);
  const needed = octets + KEPT_FREE * size;
  if (free >= needed) return;
  const giga = (one: number) => `${(one / 1e9).toFixed(1)} GB`;
  throw new Error(`${folder} has ${giga(free)} left, and needs ${giga(needed)}`);
}

/** Whoever ends the bench ends all that it has started. */
function stopAtSignal(): { readonly promise: Promise<never>; readonly over: boolean } {
  const { promise, reject } = Promise.withResolvers<never>();
  const stopped = { promise, over: false };
  // Heard by the round that goes on.
  promise.catch(() => {});
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      stopped.over = true;
      reject(new Error(signal));
    });
  }
  return stopped;
}

function lost({ ours, theirs, others }: LoadResult): boolean {
  return [ours, theirs, ...others].some(({ rounds }) => rounds.some((round) => round.missing > 0));
}

/** What is going on, to whoever sits in front of it: the next words take the place of these. */
function tell(words: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${words}`));
}
