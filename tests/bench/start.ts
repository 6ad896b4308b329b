/**
 * How long the executable takes until it serves, and how much memory it holds with nothing to do.
 * Run with `deno run -A`; the executable is dist/denosmtpd.
 */

import { EXECUTABLE, notCompiled } from "../support/executable.ts";
import { makeFolder } from "../support/folder.ts";
import { memoryOf } from "../support/proc.ts";

const STARTS = 10;
const MEBI = 1024 ** 2;
/** Milliseconds after a start by which all that belongs to it is done. */
const IDLE = 10_000;

interface Start {
  /** Milliseconds from the program's execution to the line that says it serves. */
  readonly started: number;
  /** Later, with nothing to do: MiB of memory, and how much of it is no file's. */
  readonly resident: number;
  readonly own: number;
}

const reason = notCompiled();
if (reason !== undefined) {
  print(`nothing to measure: ${reason}`);
  Deno.exit(1);
}

const starts: Start[] = [];
// One after the other, and each alone on the machine.
for (let i = 0; i < STARTS; i++) starts.push(await measure());
row(`of ${STARTS}`, ["median", "least", "most"]);
figures("start, ms", starts.map(({ started }) => started));
figures("memory, MiB", starts.map(({ resident }) => resident));
figures("  of it no file's", starts.map(({ own }) => own));

async function measure(): Promise<Start> {
  await using folder = await makeFolder();
  await Deno.writeTextFile(`${folder.path}/mail.conf`, "HOSTNAME = me.example\nLISTEN_PORT = 0\n");
  await Deno.writeTextFile(`${folder.path}/user.conf`, "jones:mail/jones\n");
  const before = performance.now();
  const process = new Deno.Command(EXECUTABLE, {
    args: ["mail.conf", "user.conf"],
    cwd: folder.path,
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const output = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let log = ""; !log.includes(" info started ");) {
      const { done, value } = await output.read();
      if (done) throw new Error(`it does not start:\n${log}`);
      log += value;
    }
    const started = performance.now() - before;
    await new Promise((resolve) => setTimeout(resolve, IDLE));
    const { resident, own } = await memoryOf(process);
    return { started, resident: resident / MEBI, own: own / MEBI };
  } finally {
    await output.cancel();
    process.kill("SIGTERM");
    await process.status;
  }
}

function figures(name: string, all: readonly number[]): void {
  const inOrder = all.toSorted((a, b) => a - b);
  const [low, high] = [inOrder[inOrder.length / 2 - 1]!, inOrder[inOrder.length / 2]!];
  row(name, [(low + high) / 2, inOrder[0]!, inOrder.at(-1)!].map((figure) => figure.toFixed(0)));
}

function row(name: string, cells: readonly string[]): void {
  print(name.padEnd(20) + cells.map((cell) => cell.padStart(9)).join(""));
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
