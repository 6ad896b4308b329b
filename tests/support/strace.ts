/** What a program asked the system for, as strace has written it. */

import { find, missing } from "./programs.ts";

/** A call that names a file. */
export interface FileCall {
  readonly call: string;
  /** Absolute. */
  readonly path: string;
  /** Whether it could change something. */
  readonly writes: boolean;
  /** Whether it can only have looked where a symbolic link leads. */
  readonly follows: boolean;
}

/** A call that makes a socket, or names the other end of one or its own. */
export interface SocketCall {
  readonly call: string;
  /** Its arguments and what it returned. A descriptor shows its protocol: `7<UDP:[1234]>`. */
  readonly args: string;
  /** `AF_INET 192.0.2.1:25`, or the family alone; undefined where none is named. */
  readonly place: string | undefined;
}

export interface Trace {
  readonly files: readonly FileCall[];
  readonly sockets: readonly SocketCall[];
}

/** Files, sockets and threads. Architectures have one of the last two or both. */
const CALLS = "%file,%network,?clone,?clone3";

/**
 * What runs a program so that its calls, or those of them, are written to `file`. The program is the
 * child of whoever starts it, strace is not: signals reach it, and its output ends when strace has
 * written all.
 */
export function underStrace(file: string, calls = CALLS): string[] {
  const strace = find("strace") ?? "strace";
  return [strace, "-D", "-f", "-yy", "--seccomp-bpf", "-o", file, "-e", `trace=${calls}`];
}

/** Why nothing can be traced here; undefined where it can. */
export const noStrace = missing(["strace"]) ?? notPermitted();

function notPermitted(): string | undefined {
  const [program, ...args] = [...underStrace("/dev/null"), "true"];
  const { success } = new Deno.Command(program!, { args, stderr: "null" }).outputSync();
  return success ? undefined : "strace is not permitted";
}

/** Those that name two files. */
const TWO = /^(rename|link|symlink)/;
const THREADS = /^clone/;
const LOOKS =
  /^(access|faccessat|stat|lstat|newfstatat|statx|statfs|readlink|inotify_add_watch|execve)/;
const OPENS = /^open/;
const WRITING = /O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)/;
const SOCKETS = /^(socket|socketpair|bind|connect|sendto|sendmsg|sendmmsg)$/;
/** A name, perhaps with the directory it counts from, which `-yy` shows behind its descriptor. */
const NAME = /(?:(?:AT_FDCWD|\d+)<([^<>]*)[^,]*, )?"((?:[^"\\]|\\.)*)"/g;

/** Reads what `underStrace` wrote. `cwd` is where the program was started. */
export async function readTrace(file: string, cwd: string): Promise<Trace> {
  const files: FileCall[] = [];
  const sockets: SocketCall[] = [];
  for (const line of (await Deno.readTextFile(file)).split("\n")) {
    // Lines about signals and ends, and the second halves of calls, do not begin like this.
    const [, call, args] = /^\d+ +([a-z]\w*)\((.*)/.exec(line) ?? [];
    if (call === undefined || args === undefined) continue;
    if (THREADS.test(call)) continue;
    if (SOCKETS.test(call)) sockets.push({ call, args, place: placeIn(args) });
    else files.push(...filesIn(call, args, cwd));
  }
  return { files, sockets };
}

/** A call with its place among all beginnings and ends of calls. */
export interface TimedCall {
  /** As strace writes it, without what it returned where another thread came in between. */
  readonly text: string;
  readonly begun: number;
  readonly done: number;
}

/** Reads what `underStrace` wrote: the calls that came to their end. */
export async function readCalls(file: string): Promise<TimedCall[]> {
  const calls: TimedCall[] = [];
  /** By thread. */
  const unfinished = new Map<string, { readonly text: string; readonly begun: number }>();
  for (const [at, line] of (await Deno.readTextFile(file)).split("\n").entries()) {
    const [, thread = "", words = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (words.endsWith("<unfinished ...>")) unfinished.set(thread, { text: words, begun: at });
    else if (words.startsWith("<... ")) {
      const call = unfinished.get(thread);
      if (call) calls.push({ ...call, done: at });
    } else if (/^[a-z]\w*\(/.test(words)) calls.push({ text: words, begun: at, done: at });
  }
  return calls;
}

/** The threads of a program, from what `underStrace` wrote. */
export class Threads {
  readonly #lines: readonly (readonly [thread: number, call: string])[];
  readonly #parents: ReadonlyMap<number, number>;

  private constructor(lines: readonly (readonly [number, string])[]) {
    this.#lines = lines;
    this.#parents = new Map(lines.flatMap(([parent, call]) => {
      const [, child] = /^(?:<\.\.\. )?clone3?\b.* = (\d+)$/.exec(call) ?? [];
      return child === undefined ? [] : [[Number(child), parent]];
    }));
  }

  static async read(file: string): Promise<Threads> {
    const lines = (await Deno.readTextFile(file)).split("\n");
    return new Threads(lines.flatMap((line) => {
      const [, thread, call] = /^(\d+) +(.*)$/.exec(line) ?? [];
      return call === undefined ? [] : [[Number(thread), call] as const];
    }));
  }

  /** The one that the program began with. */
  get first(): number | undefined {
    return this.#lines[0]?.[0];
  }

  /** Those that made such a call, as strace writes it, each once. */
  calling(call: RegExp): number[] {
    return [...new Set(this.#lines.flatMap(([thread, text]) => call.test(text) ? [thread] : []))];
  }

  /** A thread and those that it was made by, in the end the program's first. */
  ancestry(thread: number): number[] {
    const parent = this.#parents.get(thread);
    return parent === undefined ? [thread] : [thread, ...this.ancestry(parent)];
  }
}

function filesIn(call: string, args: string, cwd: string): FileCall[] {
  // The one that names a file by what it returns; and those of sockets, whose strings are text.
  if (call === "getcwd" || /^(accept|recv|get|set|shutdown|listen)/.test(call)) return [];
  const names = [...args.matchAll(NAME)].slice(0, TWO.test(call) ? 2 : 1);
  const writes = OPENS.test(call) ? WRITING.test(args) : !LOOKS.test(call);
  return names.map(([, base = cwd, name = ""]) => {
    const path = name.startsWith("/") ? name : name === "" ? base : `${base}/${name}`;
    return { call, path: withoutDots(path), writes, follows: call === "readlink" };
  });
}

function withoutDots(path: string): string {
  return path.startsWith("/") ? new URL(`file://${path}`).pathname : path;
}

function placeIn(args: string): string | undefined {
  const [, family] = /sa_family=(AF_\w+)/.exec(args) ?? [];
  if (family === undefined) return undefined;
  const [, port] = /sin6?_port=htons\((\d+)\)/.exec(args) ?? [];
  const [, address] = /inet_(?:addr\(|pton\(AF_INET6, )"([^"]+)"/.exec(args) ?? [];
  return port === undefined ? family : `${family} ${address}:${port}`;
}
