/** `denosmtpd --license`: on what terms the program comes, and what an executable holds of others. */

import deno from "../../deno.json" with { type: "json" };
import { Exit, say } from "./terminal.ts";

/** Compiled in beside the source. */
const LICENSE = new URL("../../LICENSE", import.meta.url);

/** Packages that the tests alone use are not in the executable. */
export const TESTS_ONLY = ["nodemailer"];

export async function license(): Promise<Exit> {
  const packages = Object.values(deno.imports)
    .map((specifier) => /^npm:((?:@[^/]+\/)?[^/]+@[^/]+)/.exec(specifier)?.[1] ?? specifier)
    .filter((name) => !TESTS_ONLY.some((other) => name.startsWith(`${other}@`)));
  const held = [...new Set(packages)].sort().join(", ");
  say(await Deno.readTextFile(LICENSE));
  say(
    `An executable also holds, from npm, ${held} and what these need, all under the MIT license,`,
  );
  say(
    "each with its authors' copyright, and Deno (https://deno.com), which is under the MIT license",
  );
  say("and holds V8 and others under licenses of their own.");
  return Exit.Good;
}
