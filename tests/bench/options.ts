/** The words of `deno task bench`. Pure. */

import { parseArgs } from "@std/cli/parse-args";
import { type Load, LOADS } from "./loads.ts";

export interface Options {
  readonly loads: readonly Load[];
  readonly pairs: number;
  /** The names of others that are measured; undefined for all that are here. */
  readonly peers: readonly string[] | undefined;
  readonly source: boolean;
  /** Where the figures go as JSON. */
  readonly json: string | undefined;
  /** In which folder mail is kept, and whether it stays there. */
  readonly folder: string | undefined;
  readonly keep: boolean;
}

/** `peers` are the names that there are. */
export function usage(peers: readonly string[]): string {
  return `usage: deno task bench [OPTION]... [LOAD]...

${LOADS.map(({ letter, title }) => `  ${letter}  ${title}\n`).join("")}
  --pairs N         rounds of each, ours and Postfix's in turn (5)
  --messages N      messages of each round, whatever the load
  --peers NAME,...  others besides: ${peers.join(", ")}; or none (all that are here)
  --source          our daemon from source, not dist/denosmtpd
  --json FILE       the figures of every round
  --folder DIR      where mail is kept meanwhile (the system's for temporary files)
  --keep            and stays
`;
}

/** Throws RangeError with what is wrong. `peers` are the names that there are. */
export function readOptions(words: readonly string[], peers: readonly string[]): Options {
  const unknown: string[] = [];
  const given = parseArgs([...words], {
    string: ["pairs", "messages", "peers", "json", "folder", "_"],
    boolean: ["source", "keep"],
    unknown: (word: string) => {
      if (LOADS.some(({ letter }) => letter === word)) return true;
      unknown.push(word);
      return false;
    },
  });
  const letters: readonly string[] = given._.map(String);
  const named: string | undefined = given.peers;
  const others = named?.split(",").filter((name) => name !== "none") ?? [];
  unknown.push(...others.filter((name) => !peers.includes(name)));
  if (unknown.length > 0) throw new RangeError(`there is no ${unknown.join(", ")}`);
  const messages = given.messages === undefined ? undefined : wholeNumber(given.messages);
  return {
    loads: LOADS.filter(({ letter }) => letters.length === 0 || letters.includes(letter))
      .map((load) => messages === undefined ? load : { ...load, messages }),
    pairs: wholeNumber(given.pairs ?? "5"),
    peers: named === undefined ? undefined : others,
    source: given.source,
    json: given.json,
    folder: given.folder,
    keep: given.keep,
  };
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new RangeError(`"${text}" is not a whole number`);
  return Number(text);
}
