/**
 * A root of its own for what root does: this machine's files as they are, with every change kept
 * apart in memory. It lives in a mount namespace and is gone when its keeper ends.
 */

import { skippable } from "../support/programs.ts";
import { lacking, type Outcome } from "./kit.ts";

/**
 * What is mounted where. The kernel is the machine's own, so its settings can be read and not be
 * changed. The keeper then waits until its input ends.
 */
const SETUP = `set -e
  mount -t tmpfs -o mode=0755 none "$1"
  mkdir "$1/changes" "$1/work" "$1/root"
  mount -t overlay -o "lowerdir=/,upperdir=$1/changes,workdir=$1/work" none "$1/root"
  cd "$1/root"
  mount --rbind /proc proc
  mount -o bind,ro /proc/sys proc/sys
  mount --rbind /dev dev
  mount -t tmpfs none run
  mount -t tmpfs none tmp
  mkdir tmp/kit tmp/changes
  mount --bind "$2" tmp/kit
  mount --bind ../changes tmp/changes
  echo ready
  exec cat`;

export interface InRoot {
  readonly env?: Readonly<Record<string, string>>;
  /** Whoever runs it: root, unless a name or number is given. */
  readonly user?: string;
}

export interface FreshRoot {
  /** Runs a program to its end. The kit's folder is /tmp/kit there, its fakes come first in PATH. */
  run(command: readonly string[], options?: InRoot): Promise<Outcome>;
  /** Runs a shell text and returns what it says. Throws unless it succeeds. */
  sh(text: string): Promise<string>;
  /** Starts a program. */
  spawn(command: readonly string[], options?: InRoot): Deno.ChildProcess;
  /** A line for each file and directory that was changed: path, kind, mode, owner, group. */
  changes(): Promise<string[]>;
  /** The same with inode, time and size. */
  exactChanges(): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function makeFreshRoot(kit: string): Promise<FreshRoot> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  const keeper = new Deno.Command("unshare", {
    args: ["--mount", "--propagation", "private", "sh", "-c", SETUP, "sh", folder, kit],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(keeper.stderr).text();
  const output = keeper.stdout.getReader();

  const dispose = async () => {
    await keeper.stdin.close().catch(() => {});
    while (!(await output.read()).done);
    await errors;
    await keeper.status;
    await Deno.remove(folder);
  };
  const ready = await output.read();
  if (ready.done) {
    await dispose();
    throw new Error(await errors);
  }

  const spawn = (command: readonly string[], { env = {}, user }: InRoot = {}) => {
    const as = user === undefined ? [] : [
      "setpriv",
      ...[`--reuid=${user}`, `--regid=${user}`, "--clear-groups", "--no-new-privs"],
    ];
    return new Deno.Command("nsenter", {
      args: [`--mount=/proc/${keeper.pid}/ns/mnt`, "chroot", `${folder}/root`, ...as, ...command],
      clearEnv: true,
      env: { PATH: "/tmp/kit/fakes:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  };
  const run = async (command: readonly string[], options?: InRoot) => {
    const { code, stdout, stderr } = await spawn(command, options).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  };
  const sh = async (text: string) => {
    const { code, out, err } = await run(["sh", "-c", text]);
    if (code !== 0) throw new Error(`${text}\nended with ${code}:\n${out}${err}`);
    return out;
  };
  const list = async (format: string) => {
    const lines = await sh(`find /tmp/changes -mindepth 1 -printf '${format}\\n' | sort`);
    return lines.trimEnd().split("\n");
  };
  return {
    run,
    sh,
    spawn,
    changes: () => list("%P %y %m %u %g"),
    exactChanges: async () => (await list("%P %y %m %u %g %i %T@ %s")).join("\n"),
    [Symbol.asyncDispose]: dispose,
  };
}

/** Why there can be no fresh root here; undefined where there can. */
async function whyNot(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "this is not Linux";
  if (Deno.uid() !== 0) return "only root may do this";
  const absent = lacking("unshare", "nsenter", "mount", "chroot", "setpriv", "useradd");
  if (absent !== undefined) return absent;
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    await using root = await makeFreshRoot(folder);
    if ((await root.run(["id", "denosmtpd"])).code === 0) {
      return "there is a user denosmtpd already";
    }
    const paths = ["/etc/denosmtpd", "/var/lib/denosmtpd", "/usr/local/bin/denosmtpd"];
    const { out } = await root.run(["ls", "-d", ...paths]);
    return out === "" ? undefined : "denosmtpd is installed already";
  } catch (error) {
    return `no mount namespace: ${String(error).trim().split("\n").at(-1)}`;
  } finally {
    await Deno.remove(folder);
  }
}

const REASON = await whyNot();

/** A test in a fresh root; where there can be none, or `reason` says so, it is skipped. */
export function testInRoot(name: string, fn: () => Promise<void>, reason?: string): void {
  Deno.test({ ...skippable(name, REASON ?? reason), fn });
}
