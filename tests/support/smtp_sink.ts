/** smtp-sink, Postfix's mail server for tests, which fails at whatever it is told to fail at. */

import { namesIn } from "./names_in.ts";
import { find } from "./programs.ts";
import { until } from "./until.ts";
import { sendSignal } from "./signal.ts";

export interface SinkOptions {
  readonly hostname: string;
  readonly port: number;
  readonly switches?: readonly string[];
  /** Keeps what comes in this folder, a file for each text, whatever it is answered. */
  readonly folder?: string;
}

/** Starts it and waits until it listens. */
export async function startSink(
  { hostname, port, switches = [], folder }: SinkOptions,
): Promise<AsyncDisposable> {
  // It refuses to run as root, and writes as the one it becomes.
  const root = Deno.uid() === 0;
  if (folder && root) await Deno.chmod(folder, 0o777);
  const process = new Deno.Command(find("smtp-sink") ?? "smtp-sink", {
    args: [
      ...root ? ["-u", "nobody"] : [],
      ...folder ? ["-d", `${folder}/text.`] : [],
      ...switches,
      `${hostname}:${port}`,
      "100",
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const stop = async () => {
    sendSignal(process, "SIGTERM");
    await process.status;
  };
  try {
    await until(`smtp-sink at ${hostname}:${port}`, () => listens(hostname, port));
  } catch (error) {
    await stop();
    throw error;
  }
  return { [Symbol.asyncDispose]: stop };
}

/** How many texts a sink has kept to their end. It begins a file for each before they come. */
export async function countTexts(folder: string): Promise<number> {
  const names = await namesIn(folder);
  const texts = await Promise.all(names.map((name) => readIfThere(`${folder}/${name}`)));
  return texts.filter((text) => text.includes("\nSubject: ")).length;
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    // A text that did not come to its end.
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

async function listens(hostname: string, port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname, port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}
