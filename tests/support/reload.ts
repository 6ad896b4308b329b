/** A daemon's configuration changed while it runs. */

import type { Daemon } from "./daemon.ts";
import { RawClient } from "./raw_client.ts";
import { until } from "./until.ts";

export interface Change {
  /** Lines of mail.conf, each in the place of the one that sets the same variable, or at the end. */
  readonly mail?: string;
  /** The whole of user.conf. */
  readonly users?: string;
}

/** Writes into its files, which it does not hear of. */
export async function rewrite({ folder }: Daemon, { mail = "", users }: Change): Promise<void> {
  const file = `${folder}/mail.conf`;
  const lines = (await Deno.readTextFile(file)).split("\n").filter((line) => line !== "");
  for (const line of mail.split("\n").filter((text) => text !== "")) {
    const at = lines.findIndex((other) => nameIn(other) === nameIn(line));
    lines.splice(at < 0 ? lines.length : at, 1, line);
  }
  await replace(file, `${lines.join("\n")}\n`);
  if (users !== undefined) await replace(`${folder}/user.conf`, users);
}

/** In one step, for it may be read at any time. */
async function replace(file: string, content: string): Promise<void> {
  const next = `${file}.next`;
  await Deno.writeTextFile(next, content);
  await Deno.chmod(next, (await Deno.stat(file)).mode! & 0o777);
  await Deno.rename(next, file);
}

function nameIn(line: string): string {
  return line.split("=")[0]!.trim();
}

/** The same, told by SIGHUP. Returns the line that says what has come of it. */
export async function reload(daemon: Daemon, change: Change = {}): Promise<string> {
  await rewrite(daemon, change);
  const before = outcomes(daemon).length;
  daemon.process.kill("SIGHUP");
  return await until("an answer to SIGHUP", () => outcomes(daemon)[before]);
}

/** What has come of each reload so far. */
export function outcomes(daemon: Pick<Daemon, "log">): string[] {
  const lines = daemon.log().split("\n").slice(0, -1);
  return lines.filter((line) => /\breloaded\b|configuration refused/.test(line));
}

/** The host's name as a new client is greeted with it. */
export async function greeting(port: number): Promise<string> {
  const client = await RawClient.connect(port);
  try {
    const [, code, name] = /^(220|421) (\S+)/.exec(await client.reply() ?? "") ?? [];
    if (code !== "220") throw new Error("no greeting");
    await client.command("QUIT");
    return name!;
  } finally {
    client.close();
  }
}
