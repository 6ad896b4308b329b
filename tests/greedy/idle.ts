/**
 * What idle clients cost: memory, and how much slower mail comes in beside them. Run with
 * `deno run -A`; needs python3 and smtp-source (Debian: postfix), and descriptors for both sides.
 */

import { readMailbox, startDaemon } from "../support/daemon.ts";
import { missing, type Program, succeed } from "../support/programs.ts";
import { gather } from "./crowd.ts";
import { memoryOf } from "../support/proc.ts";

/** What the daemon and the clients need besides Deno. */
export const NEEDS: readonly Program[] = ["python3", "smtp-source"];

export interface IdleOptions {
  readonly idle: number;
  /** Messages sent in each of the two halves of a round, and as many once before. */
  readonly messages: number;
  readonly rounds: number;
}

export interface IdleFigures {
  /** Octets of memory that they took, at most. */
  readonly memory: number;
  /** Messages per second in each round, without the idle ones and with them. */
  readonly without: readonly number[];
  readonly beside: readonly number[];
  /** Messages that are in the mailbox, of those sent. */
  readonly stored: number;
  readonly sent: number;
  /** Of all rounds' idle clients, those that were greeted, and those that were never closed. */
  readonly greeted: number;
  readonly stayed: number;
}

const SESSIONS = 20;
const OCTETS = 4096;

/** Sends mail in turns: alone, then beside idle clients. */
export async function measureIdle({ idle, messages, rounds }: IdleOptions): Promise<IdleFigures> {
  await using daemon = await startDaemon({
    mail: `MAX_CLIENTS = ${idle + 100}\nMAX_CLIENTS_PER_ADDRESS = 100`,
  });
  await load(daemon.port, messages);
  const without: number[] = [];
  const beside: number[] = [];
  let [memory, greeted, stayed] = [0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    without.push(await load(daemon.port, messages));
    const before = (await memoryOf(daemon.process)).resident;
    await using crowd = await gather(daemon.port, idle);
    memory = Math.max(memory, (await memoryOf(daemon.process)).resident - before);
    beside.push(await load(daemon.port, messages));
    greeted += crowd.greeted;
    stayed += await crowd.leave();
  }
  const stored = (await readMailbox(`${daemon.folder}/mail/jones`)).length;
  return { memory, without, beside, stored, sent: (2 * rounds + 1) * messages, greeted, stayed };
}

/** Returns messages per second. */
async function load(port: number, messages: number): Promise<number> {
  const args = ["-s", SESSIONS, "-l", OCTETS, "-m", messages, "-M", "client.example"].map(String);
  args.push("-f", "mary@client.example", "-t", "jones@me.example", `127.0.0.1:${port}`);
  const start = performance.now();
  await succeed("smtp-source", args);
  return messages * 1000 / (performance.now() - start);
}

if (import.meta.main) {
  const reason = missing(NEEDS);
  if (reason) throw new Error(reason);
  const idle = 5000;
  const figures = await measureIdle({ idle, messages: 5000, rounds: 3 });
  const { memory, without, beside } = figures;
  const line = (name: string, rates: readonly number[]) => {
    return `${name.padEnd(28)}${rates.map((rate) => rate.toFixed(0).padStart(7)).join("")}`;
  };
  const ratio = sum(beside) / sum(without);
  const kibibytes = memory / 1024 / idle;
  print(
    line("messages per second, alone", without),
    line(`beside ${idle} idle clients`, beside),
    `${"ratio".padEnd(28)}${ratio.toFixed(2).padStart(7)}`,
    `memory for them: ${(memory / 1e6).toFixed(0)} MB, ${kibibytes.toFixed(1)} KiB each`,
    `${figures.stored} of ${figures.sent} messages are in the mailbox`,
  );
}

function sum(figures: readonly number[]): number {
  return figures.reduce((a, b) => a + b);
}

function print(...lines: string[]): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${lines.join("\n")}\n`));
}
