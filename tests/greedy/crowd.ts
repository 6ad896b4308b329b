/** Many clients that have been greeted and say nothing, in a process of their own. */

import { find } from "../support/programs.ts";

const SCRIPT = new URL("crowd.py", import.meta.url).pathname;

export interface Crowd extends AsyncDisposable {
  /** How many were greeted. */
  readonly greeted: number;
  /** Sends them away. Returns how many of them were still connected. */
  leave(): Promise<number>;
}

/** Connects so many to a port of 127.0.0.1, forty from each address. Needs `python3`. */
export async function gather(port: number, clients: number): Promise<Crowd> {
  const process = new Deno.Command(find("python3")!, {
    args: [SCRIPT, String(port), String(clients)],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const number = async () => Number((await lines.read()).value ?? NaN);
  const greeted = await number();
  let left: Promise<number> | undefined;
  const leave = async () => {
    await process.stdin.close();
    const stayed = await number();
    await lines.cancel();
    await process.status;
    return stayed;
  };
  return {
    greeted,
    leave: () => left ??= leave(),
    [Symbol.asyncDispose]: async () => void await (left ??= leave()),
  };
}
