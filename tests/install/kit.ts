/**
 * A folder with install.sh and all it may install. Tests run it as an ordinary user, also where they
 * are root's: nothing of the machine can come to harm. What root does is seen in fresh_root.ts.
 */

import assert from "node:assert/strict";
import { stub } from "./stub.ts";

const CHECKOUT = new URL("../../", import.meta.url).pathname;
export const SCRIPT = `${CHECKOUT}install.sh`;

/** The programs that install.sh cannot do without, and the shell. */
export const NEEDED =
  ("sh cat chmod chown cmp cp cut dirname find grep head id ls mkdir mktemp mv od rm sed " +
    "sha256sum sync tail tr uname").split(" ");

/** The files beside the executable in a release. */
export const CONF = ["mail.conf", "user.conf", "denosmtpd.service", "denosmtpd.sysctl"];

/** Who has no rights: nobody, or whoever runs the tests. */
export const ORDINARY = Deno.uid() === 0 ? { uid: 65534, gid: 65534 } : {};

export const VERSION = "denosmtpd 1.0.0 (stub)";

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A program with arguments that runs the script. */
  readonly under?: readonly string[];
  /** What is typed. Without it standard input is empty and no terminal. */
  readonly input?: string;
}

export interface Kit {
  /** Holds `install.sh`, `conf`, and in `release` what a release has: a stub and the files of `conf`. */
  readonly folder: string;
  /** The stub, of VERSION. */
  readonly executable: string;
  /** Where files go when DESTDIR is the tree's: absent until something is there. */
  readonly tree: string;
  /** Runs the script as an ordinary user, in `folder`. */
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** The same with DESTDIR, the executable and no question. */
  install(args?: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** Puts a program of this shell text in front of all others. */
  fake(program: string, text: string): Promise<void>;
  /** A PATH with these programs alone. */
  only(programs: readonly string[]): Promise<string>;
  /** A line for each file: path, kind, mode, inode, time, size. Temporary files are in `tmp`. */
  list(folder?: string): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function makeKit(): Promise<Kit> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  await Deno.chmod(folder, 0o755);
  for (const name of ["conf", "release", "fakes", "tools", "tmp"]) {
    await Deno.mkdir(`${folder}/${name}`);
  }
  await Deno.copyFile(SCRIPT, `${folder}/install.sh`);
  for (const name of CONF) {
    await Deno.copyFile(`${CHECKOUT}conf/${name}`, `${folder}/conf/${name}`);
    await Deno.copyFile(`${CHECKOUT}conf/${name}`, `${folder}/release/${name}`);
  }
  const executable = `${folder}/release/denosmtpd`;
  await Deno.writeFile(executable, stub(VERSION), { mode: 0o755 });
  await giveAway(folder, `${folder}/tmp`);
  const path = `${folder}/fakes:${Deno.env.get("PATH")}`;

  const run = async (args: readonly string[], options: RunOptions = {}) => {
    const { env = {}, under = ["sh"], input } = options;
    const [program, ...words] = [...under, `${folder}/install.sh`, ...args];
    const process = new Deno.Command(program!, {
      args: words,
      cwd: folder,
      clearEnv: true,
      env: { PATH: path, TMPDIR: `${folder}/tmp`, ...env },
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      ...ORDINARY,
    }).spawn();
    if (input !== undefined) await type(process.stdin, input);
    const { code, stdout, stderr } = await process.output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  };

  return {
    folder,
    executable,
    tree: `${folder}/tree`,
    run,
    install: (args = [], { env = {}, ...options } = {}) => {
      const all = ["--from", executable, "--yes", ...args];
      return run(all, { ...options, env: { DESTDIR: `${folder}/tree`, ...env } });
    },
    fake: async (program, text) => {
      const file = `${folder}/fakes/${program}`;
      await Deno.writeTextFile(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    },
    only: async (programs) => {
      const folders = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];
      for (const program of programs) {
        const found = folders.map((one) => `${one}/${program}`).find(isThere);
        if (found !== undefined) await Deno.symlink(found, `${folder}/tools/${program}`);
      }
      return `${folder}/fakes:${folder}/tools`;
    },
    list: async (below = folder) => {
      // The times of these two change whenever the script runs.
      const but = ["!", "-path", folder, "!", "-path", `${folder}/tmp`];
      const args = [below, ...but, "-printf", "%P %y %m %i %T@ %s %l\n"];
      const { stdout } = await new Deno.Command("find", { args }).output();
      return new TextDecoder().decode(stdout).trimEnd().split("\n").sort().join("\n");
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** The script refuses: one line that says this, and nothing was told to be done. */
export function assertRefused({ code, out, err }: Outcome, why: RegExp, expected = 1): void {
  assert.match(err, why);
  assert.match(err, /^install\.sh: [^\n]+\n$/);
  assert.equal(out, "");
  assert.equal(code, expected);
}

export function assertDone({ code, err }: Outcome): void {
  assert.equal(err, "");
  assert.equal(code, 0);
}

/** The checksum of a file with this content. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Whether a program can be found. */
function hasProgram(program: string): boolean {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.some((folder) => isThere(`${folder}/${program}`));
}

/** Why a test that needs these programs cannot run here; undefined where it can. */
export function lacking(...programs: readonly string[]): string | undefined {
  const absent = programs.filter((program) => !hasProgram(program));
  return absent.length === 0 ? undefined : `${absent.join(" and ")} not installed`;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

async function giveAway(...paths: readonly string[]): Promise<void> {
  if (ORDINARY.uid === undefined) return;
  for (const path of paths) await Deno.chown(path, ORDINARY.uid, ORDINARY.gid);
}

async function type(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}
