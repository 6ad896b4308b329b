/** smtp-source (Debian: postfix), which sends as fast as it is answered. */

import { find } from "../support/programs.ts";

export interface Sending {
  readonly port: number;
  readonly messages: number;
  /** An address; of several recipients it is the last one, see `recipientsOf`. */
  readonly to: string;
  /** Connections at once; 1 unless told. */
  readonly sessions?: number;
  /** Octets of a message's text, without its header; 4,096 unless told. */
  readonly octets?: number;
  /** Of each message; 1 unless told. */
  readonly recipients?: number;
  /** Whether a connection is kept for the next message; unless told, each message has its own. */
  readonly reused?: boolean;
  /** Milliseconds after which it is given up; ten minutes unless told. */
  readonly patience?: number;
}

/** What the messages come from, and who says EHLO. */
const CLIENT = "client.example";
const PATIENCE = 600_000;

/**
 * Sends messages and returns how many seconds that took, from before the first connection to the last
 * reply. Rejects where one of them is not taken, with what smtp-source says.
 */
export async function send(sending: Sending): Promise<number> {
  const start = performance.now();
  const process = new Deno.Command(find("smtp-source") ?? "smtp-source", {
    args: wordsFor(sending),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => process.kill("SIGKILL"), sending.patience ?? PATIENCE);
  const { success, stderr } = await process.output();
  clearTimeout(timer);
  const seconds = (performance.now() - start) / 1000;
  if (!success) {
    const said = new TextDecoder().decode(stderr).trim();
    throw new Error(`smtp-source after ${seconds.toFixed(1)} s: ${said || "given up"}`);
  }
  return seconds;
}

function wordsFor(sending: Sending): string[] {
  const { port, messages, to, sessions = 1, octets = 4096, recipients = 1, reused } = sending;
  const words = ["-4", "-s", sessions, "-l", octets, "-m", messages, "-M", CLIENT];
  words.push("-f", `mary@${CLIENT}`, "-t", to);
  if (recipients > 1) words.push("-r", recipients);
  if (reused) words.push("-d");
  return [...words, `127.0.0.1:${port}`].map(String);
}

/** The recipients of such a message: smtp-source tells them apart by a number in front. */
export function recipientsOf({ to, recipients = 1 }: Pick<Sending, "to" | "recipients">): string[] {
  return Array.from({ length: recipients }, (_, i) => i === 0 ? to : `${i + 1}${to}`);
}
