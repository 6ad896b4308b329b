/**
 * Makes the executables: `deno task compile` dist/denosmtpd for this machine, `deno task compile:all` one
 * for each target of a release, and what installs them, with a checksum beside each.
 */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { notices } from "./notices.ts";
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
  // Mail comes and goes: left to itself, V8 would take twice the memory before it looks for what has gone.
  "--v8-flags=--max-semi-space-size=2,--heap-growing-percent=50",
  ...PERMISSIONS,
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

/** The entries: of the program, and of threads, which are named in strings that the compiler does not follow. */
const MAIN = "src/main.ts";
const THREADS = ["src/receiver/worker.ts", "src/relay/worker.ts"];
/** What `--license` shows, two folders above the code that reads it. */
const LICENSE = "LICENSE";

/** A tree like the source's, in which each entry is one file: less to find and to read at a start. */
const BUNDLE = "dist/bundle";
/** Where the program's own file is, with what is loaded on demand: each path in it is right from there. */
const BUNDLED_MAIN = `${BUNDLE}/src/daemon`;

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
  const [main, ...others] = entries;
  const included = others.map((entry) => `--include=${entry}`);
  const args = ["compile", ...FLAGS, ...included, ...target, `--output=${output}`, main, ...words];
  if (!await deno(args)) Deno.exit(1);
  say(output);
}

/** The files that the executable is made of, its own entry first. */
async function bundle(): Promise<readonly [string, ...string[]]> {
  const made = await bundleInto(BUNDLED_MAIN, MAIN) &&
    (await Promise.all(THREADS.map((entry) => bundleInto(dirname(`${BUNDLE}/${entry}`), entry))))
      .every((success) => success);
  if (!made) {
    // A release is to be the same wherever it is made.
    if (all) Deno.exit(1);
    say("no bundle could be made: this executable takes longer to start");
    return [MAIN, ...THREADS, LICENSE];
  }
  const license = await Deno.readTextFile(`${folder}${LICENSE}`);
  await Deno.writeTextFile(`${folder}${BUNDLE}/${LICENSE}`, license + await notices());
  const threads = THREADS.map((entry) => `${BUNDLE}/${entry.replace(/ts$/, "js")}`);
  return [`${BUNDLED_MAIN}/main.js`, ...threads, `${BUNDLE}/${LICENSE}`];
}

/** Without a map of the source's lines: it would be three times as long as the code, and read at each start. */
function bundleInto(directory: string, entry: string): Promise<boolean> {
  const more = ["--quiet", "--frozen", "--platform=deno", "--code-splitting"];
  return deno(["bundle", ...more, `--outdir=${directory}`, entry], {
    // The bundler is downloaded, perhaps through a proxy that the system alone trusts.
    DENO_TLS_CA_STORE: "mozilla,system",
  });
}

async function removeBundle(): Promise<void> {
  try {
    await Deno.remove(`${folder}${BUNDLE}`, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Whether it succeeds. */
async function deno(args: string[], env: Record<string, string> = {}): Promise<boolean> {
  const command = new Deno.Command(Deno.execPath(), { args, cwd: folder, env });
  return (await command.spawn().status).success;
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
const all = Deno.args.includes("--all");
await Deno.mkdir(`${folder}dist`, { recursive: true });
await removeBundle();
const entries = await bundle();
if (all) {
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
await removeBundle();
