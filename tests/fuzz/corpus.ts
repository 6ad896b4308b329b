/** Inputs in files: `seeds/<target>/` is kept with the tests, `found/<target>/` is what failed here. */

import { characters } from "./octets.ts";

/** An input and the chance that goes with it. */
export interface Saved {
  readonly name: string;
  readonly input: Uint8Array;
  /** Undefined where any will do. */
  readonly chance: number | undefined;
}

const SEEDS = new URL("seeds/", import.meta.url);
const FOUND = new URL("found/", import.meta.url);

/** The files of a target in the order of their names. A number behind a dot at a name's end is its chance. */
export async function savedInputs(target: string): Promise<Saved[]> {
  const folder = new URL(`${target}/`, SEEDS);
  const saved: Saved[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const chance = /\.(\d+)$/.exec(name)?.[1];
    const input = await Deno.readFile(new URL(name, folder));
    saved.push({ name, input, chance: chance === undefined ? undefined : Number(chance) });
  }
  return saved.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** The targets that have a folder of seeds. */
export async function targetsWithSeeds(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(SEEDS)) if (isDirectory) names.push(name);
  return names.sort();
}

/** Writes an input that failed where the next run of the tests does not look; returns the path. */
export async function save(
  target: string,
  name: string,
  chance: number,
  input: Uint8Array,
): Promise<string> {
  const folder = new URL(`${target}/`, FOUND);
  await Deno.mkdir(folder, { recursive: true });
  const file = new URL(`${name}.${chance}`, folder);
  await Deno.writeFile(file, input);
  return file.pathname;
}

/** An input for people, as a string literal that JavaScript reads back octet by octet. */
export function shown(input: Uint8Array): string {
  const escapes: Record<string, string> = { "\r": "\\r", "\n": "\\n", "\t": "\\t", '"': '\\"' };
  const text = characters(input).replace(/[^ !#-[\]-~]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(2, "0");
    return escapes[character] ?? (character === "\\" ? "\\\\" : `\\x${code}`);
  });
  return `"${text}"`;
}
