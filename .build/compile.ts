/**
 * Makes the executables: `deno task compile` dist/denosmtpd for this machine, `deno task compile:all` one
 * for each target of a release, and what installs them, with a checksum beside each.
 */

import { fileURLToPath } from "node:url";
import project from "../deno.json" with { type: "json" };

/** What a release is made for. Names are those of `deno compile --target`. */
const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
];

/**
 * The widest that any configuration needs; at its start the daemon gives each of its parts its own
 * share. No programs, no libraries, no other variable of the environment.
 */
const PERMISSIONS = [
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-sys=hostname,networkInterfaces,statfs",
  "--allow-env=STATE_DIRECTORY,USER",
];

const FLAGS = [
  "--quiet",
  // What is not granted is refused; nobody is there to be asked.
  "--no-prompt",
  // The cache would be a file in /tmp that anybody could have put there.
  "--no-code-cache",
  "--frozen",
  ...PERMISSIONS,
  // Entries of threads are named in strings, which the compiler does not follow.
  "--include=src/receiver/worker.ts",
  "--include=src/relay/worker.ts",
  "--include=LICENSE",
  // Packages that only the tests use stay out. Compilers before 2.9 do not know how.
  ...knowsUnused() ? ["--exclude-unused-npm"] : [],
];

/** What a release holds besides, for whoever installs it without a clone. */
const BESIDE = [
  "install.sh",
  "conf/mail.conf",
  "conf/user.conf",
  "conf/denosmtpd.service",
  "conf/denosmtpd.sysctl",
  "conf/denosmtpd.fail2ban.conf",
];

const MAIN = "src/main.ts";
const folder = fileURLToPath(new URL("..", import.meta.url));

/** The commit of the work tree, with a mark where the tree differs from it; undefined without one. */
async function commit(): Promise<string | undefined> {
  try {
    const args = ["describe", "--always", "--dirty", "--exclude=*"];
    const { success, stdout } = await new Deno.Command("git", { args, cwd: folder }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function compile(output: string, target: string[]): Promise<void> {
  // What stands behind the program is put in front of every command line.
  const words = from === undefined ? [] : [`--commit=${from}`];
  const args = ["compile", ...FLAGS, ...target, `--output=${output}`, MAIN, ...words];
  const { success } = await new Deno.Command(Deno.execPath(), { args, cwd: folder }).spawn().status;
  if (!success) Deno.exit(1);
  say(output);
}

/** Whether the compiler can leave out packages. */
function knowsUnused(): boolean {
  const [major = 0, minor = 0] = Deno.version.deno.split(".").map(Number);
  return major > 2 || major === 2 && minor >= 9;
}

/** In the form that `sha256sum --check` reads. */
async function writeChecksum(file: string): Promise<void> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(`${folder}${file}`));
  const name = file.slice(file.lastIndexOf("/") + 1);
  const text = `${new Uint8Array(digest).toHex()}  ${name}\n`;
  await Deno.writeTextFile(`${folder}${file}.sha256`, text);
}

/** A runtime that is handed in fits this machine alone, and would be taken for every target. */
function targets(): readonly string[] {
  if (Deno.env.get("DENORT_BIN") === undefined) return TARGETS;
  say(`DENORT_BIN is set: ${Deno.build.target} alone`);
  return [Deno.build.target];
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

const from = await commit();
await Deno.mkdir(`${folder}dist`, { recursive: true });
if (Deno.args.includes("--all")) {
  for (const target of targets()) {
    const output = `dist/${project.name}-${project.version}-${target}`;
    await compile(output, [`--target=${target}`]);
    await writeChecksum(output);
  }
  for (const file of BESIDE) {
    const copy = `dist/${file.slice(file.lastIndexOf("/") + 1)}`;
    await Deno.copyFile(`${folder}${file}`, `${folder}${copy}`);
    await writeChecksum(copy);
  }
} else {
  await compile(`dist/${project.name}`, []);
}
