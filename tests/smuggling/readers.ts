/** Mail servers that find the end of a text by rules of their own; what they read. */

import { find } from "../support/programs.ts";
import { until } from "../support/until.ts";

/** The rules of readers.py, and where the server of each is. */
export const READERS = {
  strict: "127.0.0.2",
  lines: "127.0.0.3",
  unix: "127.0.0.4",
  any: "127.0.0.5",
  blanks: "127.0.0.6",
  nul: "127.0.0.7",
  seven: "127.0.0.8",
} as const;

export type Rule = keyof typeof READERS;
export const RULES = Object.keys(READERS) as Rule[];

/** The domain of each, for a name server. */
export const DOMAINS: Readonly<Record<string, string>> = Object.fromEntries(
  RULES.map((rule) => [`${rule}.test`, READERS[rule]]),
);

/** A text as a server read it. */
export interface Read {
  readonly rule: Rule;
  /** The commands. */
  readonly sender: string;
  readonly recipients: readonly string[];
  /** As it came, without its end mark alone; one character for each octet. */
  readonly text: string;
}

export interface Readers extends AsyncDisposable {
  /** What one has read so far. */
  texts(rule: Rule): readonly Read[];
  /** All commands so far. */
  readonly commands: readonly string[];
  /** Resolves when a server has read that many texts. */
  took(rule: Rule, count: number): Promise<void>;
}

const SCRIPT = new URL("readers.py", import.meta.url).pathname;

/** Starts all of them at this port. */
export async function startReaders(port: number): Promise<Readers> {
  const process = new Deno.Command(find("python3") ?? "python3", {
    args: ["-I", SCRIPT, String(port), ...RULES.map((rule) => `${READERS[rule]}=${rule}`)],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const texts: Read[] = [];
  const commands: string[] = [];
  let ready = false;
  const reading = collect();
  const dispose = async () => {
    await process.stdin.close();
    await reading;
    await process.status;
  };
  try {
    await until("the readers", () => ready);
  } catch (error) {
    await dispose();
    throw error;
  }
  const read = (rule: Rule) => texts.filter((text) => text.rule === rule);
  return {
    texts: read,
    commands,
    async took(rule, count) {
      await until(`${count} texts at ${rule}`, () => read(rule).length >= count);
    },
    [Symbol.asyncDispose]: dispose,
  };

  async function collect(): Promise<void> {
    let rest = "";
    for await (const piece of process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const told = JSON.parse(line);
        if (told.ready) ready = true;
        else if (told.text === undefined) commands.push(told.command);
        else texts.push({ ...told, text: atob(told.text) });
      }
    }
  }
}
