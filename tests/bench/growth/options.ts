/** The words of `deno task bench:growth`. Pure. */

import { parseArgs } from "@std/cli/parse-args";

export interface Options {
  /** Names of curves, in the order that there are. */
  readonly curves: readonly string[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly source: boolean;
  /** Where the plots go. */
  readonly svg: string | undefined;
  /** In which folder mail is kept meanwhile. */
  readonly folder: string | undefined;
}

const ROUNDS = 3;

/** `curves` are the names that there are. */
export function usage(curves: readonly string[]): string {
  return `usage: deno task bench:growth [OPTION]... [CURVE]...

  curves: ${curves.join(", ")} (all)
  --quick       fewer and smaller loads
  --rounds N    measurements of each (${ROUNDS})
  --svg FILE    plots of what is measured
  --source      our daemon from source, not dist/denosmtpd
  --folder DIR  where mail is kept meanwhile (the system's for temporary files)
`;
}

/** Throws RangeError with what is wrong. `curves` are the names that there are. */
export function readOptions(words: readonly string[], curves: readonly string[]): Options {
  const given = parseArgs([...words], {
    string: ["rounds", "svg", "folder"],
    boolean: ["quick", "source"],
    unknown: (word: string) => {
      if (word.startsWith("-")) throw new RangeError(`there is no ${word}`);
    },
  });
  const names: readonly string[] = given._.map(String);
  const unknown = names.filter((name) => !curves.includes(name));
  if (unknown.length > 0) throw new RangeError(`there is no curve ${unknown.join(", ")}`);
  const rounds = given.rounds ?? String(ROUNDS);
  if (!/^[1-9]\d{0,3}$/.test(rounds)) throw new RangeError(`${rounds} is no number of rounds`);
  return {
    curves: curves.filter((name) => names.length === 0 || names.includes(name)),
    rounds: Number(rounds),
    quick: given.quick,
    source: given.source,
    svg: given.svg,
    folder: given.folder,
  };
}
