/** The programs of others that tests talk to: which of them are here, and how to run one. */

export type Program =
  | "chattr"
  | "cp"
  | "curl"
  | "dnsmasq"
  | "env"
  | "exim4"
  | "fail2ban-client"
  | "fail2ban-regex"
  | "ip"
  | "mkfifo"
  | "mount"
  | "msmtp"
  | "mutt"
  | "node"
  | "openssl"
  | "postconf"
  | "postfix"
  | "postqueue"
  | "prlimit"
  | "python3"
  | "script"
  | "setpriv"
  | "smtp-sink"
  | "smtp-source"
  | "strace"
  | "swaks"
  | "sync"
  | "sysctl"
  | "umount"
  | "unshare";

/** Debian keeps Postfix's test programs outside of a user's PATH. */
const FOLDERS = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin"];

/** Where a program is, undefined where it is not installed. */
export function find(program: Program): string | undefined {
  return FOLDERS.map((folder) => `${folder}/${program}`).find(isFile);
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}

/** Why a test that needs these programs cannot run here; undefined where it can. */
export function missing(programs: readonly Program[]): string | undefined {
  const absent = [...new Set(programs)].filter((program) => find(program) === undefined);
  if (absent.length === 0) return undefined;
  return `${absent.join(" and ")} ${absent.length > 1 ? "are" : "is"} not installed`;
}

/** Why a test that needs these programs and root's rights cannot run here. */
export function missingOrNotRoot(programs: readonly Program[]): string | undefined {
  return Deno.uid() === 0 ? missing(programs) : "only root may do this";
}

/** Whether this machine has the IPv6 loopback address. */
export function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrNotAvailable) return false;
    throw error;
  }
}

/** A name that says why its test is skipped, and whether it is. */
export function skippable(name: string, reason: string | undefined) {
  return { name: reason ? `${name} (skipped: ${reason})` : name, ignore: reason !== undefined };
}

/** A test that needs programs; where one is missing it is skipped and its name says so. */
export function testWith(
  programs: readonly Program[],
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  Deno.test({ ...skippable(name, missing(programs)), fn });
}

export interface Outcome {
  readonly code: number;
  readonly output: Uint8Array;
  /** Standard output and standard error as text, for failures. */
  readonly words: string;
}

export interface RunOptions {
  readonly input?: Uint8Array<ArrayBuffer>;
  readonly env?: Record<string, string>;
  readonly cwd?: string;
}

/** Milliseconds after which a program that hangs is ended. */
const PATIENCE = 30_000;

/** Runs a program to its end, whatever that is. */
export async function run(
  program: Program,
  args: readonly string[],
  { input = new Uint8Array(0), ...options }: RunOptions = {},
): Promise<Outcome> {
  const process = new Deno.Command(find(program) ?? program, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    ...options,
  }).spawn();
  const timer = setTimeout(() => process.kill("SIGKILL"), PATIENCE);
  const fed = feed(process.stdin, input);
  const { code, stdout, stderr } = await process.output();
  clearTimeout(timer);
  await fed;
  const decoder = new TextDecoder();
  return { code, output: stdout, words: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function feed(stdin: WritableStream<Uint8Array>, input: Uint8Array): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(input);
    await writer.close();
  } catch (error) {
    // A program need not read what it does not want.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Runs a program and throws what it said unless it succeeded. */
export async function succeed(
  program: Program,
  args: readonly string[],
  options?: RunOptions,
): Promise<Uint8Array> {
  const { code, output, words } = await run(program, args, options);
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${words}`);
  return output;
}
