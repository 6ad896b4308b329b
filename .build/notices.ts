/** The licences of the packages that an executable holds: whoever passes it on passes them on (MIT). */

import { TESTS_ONLY } from "../src/commands/license.ts";

const LOCK = new URL("../deno.lock", import.meta.url);

/** Each package's name and version, and its licence's text where it comes with one. */
export async function notices(): Promise<string> {
  const { npm }: { npm: Readonly<Record<string, unknown>> } = JSON.parse(
    await Deno.readTextFile(LOCK),
  );
  const names = Object.keys(npm).filter((name) => {
    return !TESTS_ONLY.some((other) => name.startsWith(`${other}@`));
  });
  const texts = await Promise.all(names.map(async (name) => `${name}\n\n${await licence(name)}`));
  return texts.map((text) => `\n${"-".repeat(72)}\n${text.trim()}\n`).join("");
}

async function licence(name: string): Promise<string> {
  for (const directory of await directoriesOf(name)) {
    for await (const { name: file } of Deno.readDir(directory)) {
      if (/^licen[cs]e/i.test(file)) return await Deno.readTextFile(`${directory}/${file}`);
    }
  }
  // Its package says no more than that.
  return "MIT License";
}

/** Where Deno keeps a package, below the name of each registry that it came from. */
async function directoriesOf(name: string): Promise<string[]> {
  const command = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] });
  const { npmCache } = JSON.parse(new TextDecoder().decode((await command.output()).stdout));
  const path = name.replace(/@([^@]+)$/, "/$1");
  const directories: string[] = [];
  for await (const { name: registry } of Deno.readDir(npmCache)) {
    const directory = `${npmCache}/${registry}/${path}`;
    try {
      if ((await Deno.stat(directory)).isDirectory) directories.push(directory);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return directories;
}
