/** `denosmtpd --license`: on what terms the program comes, and what an executable holds of others. */

import deno from "../../deno.json" with { type: "json" };
import { Exit, say } from "./terminal.ts";

/** Compiled in beside the source. */
const LICENSE = new URL("../../LICENSE", import.meta.url);

/** Packages that the tests alone use are not in the executable. */
const TESTS_ONLY = ["nodemailer"];

export async function license(): Promise<Exit> {
  const packages = Object.values(deno.imports)
    .map((specifier) => /^npm:((?:@[^/]+\/)?[^/]+@[^/]+)/.exec(specifier)?.[1] ?? specifier)
    .filter((name) => !TESTS_ONLY.some((other) => name.startsWith(`${other}@`)));
  const held = [...new Set(packages)].sort().join(", ");
  say(await Deno.readTextFile(LICENSE));
  say(`An executable also holds Deno (https://deno.com) and, from npm, ${held}.`);
  say("All of these come under the MIT license too, each with its authors' copyright.");
  return Exit.Good;
}
