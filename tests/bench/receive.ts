/**
 * How fast the daemon takes mail, beside smtp-sink, which keeps none of it: 20 sessions send 5,000
 * messages of 4 KB to each in turn. Run with `deno run`, with the permissions of the tests.
 */

import { readMailbox, startDaemon } from "../support/daemon.ts";
import { find, missing, type Program, succeed } from "../support/programs.ts";

const ROUNDS = 3;
const SESSIONS = 20;
const MESSAGES = 5000;
const OCTETS = 4096;
/** Sent to each before the first round: a daemon that runs for long has done that long ago. */
const WARM_UP = 500;

interface Target {
  readonly name: string;
  readonly port: number;
  /** Messages per second, one figure per round. */
  readonly rates: number[];
}

const needs: Program[] = ["smtp-source", "smtp-sink"];
const reason = missing(needs);
if (reason) {
  print(`nothing to compare: ${reason}`);
  Deno.exit(1);
}
await compare();

async function compare(): Promise<void> {
  await using daemon = await startDaemon();
  await using sink = await startSink();
  const ours: Target = { name: "denoSMTPD, synced", port: daemon.port, rates: [] };
  const theirs: Target = { name: "smtp-sink, kept nowhere", port: sink.port, rates: [] };
  for (const { port } of [ours, theirs]) await load(port, WARM_UP, "smith");
  for (let round = 1; round <= ROUNDS; round++) {
    for (const target of [ours, theirs]) {
      const seconds = await load(target.port, MESSAGES, "jones");
      target.rates.push(MESSAGES / seconds);
    }
  }
  report(ours, theirs);

  const stored = await readMailbox(`${daemon.folder}/mail/jones`);
  const whole = stored.filter(({ bytes }) => bytes.length > OCTETS).length;
  print(`${whole} of ${ROUNDS * MESSAGES} messages are in the mailbox`);
  if (whole !== ROUNDS * MESSAGES) Deno.exitCode = 1;
}

/** Sends messages; returns how many seconds that took. */
async function load(port: number, messages: number, user: string): Promise<number> {
  const args = ["-s", SESSIONS, "-l", OCTETS, "-m", messages, "-M", "client.example"].map(String);
  args.push("-f", "mary@client.example", "-t", `${user}@me.example`);
  const start = performance.now();
  await succeed("smtp-source", [...args, `127.0.0.1:${port}`]);
  return (performance.now() - start) / 1000;
}

/** smtp-sink at a free port. */
async function startSink(): Promise<AsyncDisposable & { readonly port: number }> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const process = new Deno.Command(find("smtp-sink")!, {
    // It refuses to run as root.
    args: [...Deno.uid() === 0 ? ["-u", "nobody"] : [], `127.0.0.1:${port}`, "100"],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  await listening(port);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      process.kill("SIGTERM");
      await process.status;
    },
  };
}

async function listening(port: number): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused) || tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function report(...targets: Target[]): void {
  const rounds = Array.from({ length: ROUNDS }, (_, i) => `round ${i + 1}`);
  row("messages per second", [...rounds, "median"]);
  for (const { name, rates } of targets) {
    row(name, [...rates, median(rates)].map((rate) => rate.toFixed(0)));
  }
  const [ours, theirs] = targets.map(({ rates }) => median(rates));
  row("ratio", [...rounds.map(() => ""), (ours! / theirs!).toFixed(2)]);
}

function row(name: string, cells: string[]): void {
  print(name.padEnd(26) + cells.map((cell) => cell.padStart(9)).join(""));
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)]!;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
