/** Every place in src/ that calls an operation of the disk, found in its text. */

const ROOT = new URL("../../../", import.meta.url);
const DISK = "src/disk.ts";

/** Places that need not be met, each with the reason; by how it begins there, because lines move. */
const EXCUSED: ReadonlyMap<string, string> = new Map([
  ["src/commands/queue.ts: spool.disk.list(", "only read, for a list on a terminal"],
  ["src/config/relay_login.ts: Deno.open(", "only read, a file of the configuration"],
  ["src/config/relay_login.ts: file.read(", "only read, a file of the configuration"],
  ["src/queue/requests.ts: this.#disk.exists(this.#path", "only read, by a command that waits"],
  ["src/queue/requests.ts: this.#disk.exists(this.directory", "only read, where it was removed"],
  [
    "src/queue/spool.ts: this.disk.readEnd(this.textPath(id), length",
    "only read, where an envelope is long",
  ],
  [
    "src/queue/spool.ts: this.disk.exists(this.queueDirectory",
    "only read, where a file is missing",
  ],
  ["src/queue/journal.ts: this.#spool.disk.remove(failed", "only where the disk has failed"],
  ["src/daemon/spool.ts: Deno.makeTempFile(", "tells whose the spool is; gone with all of tmp"],
  ["src/daemon/spool.ts: Deno.remove(", "the same file"],
  ["src/daemon/spool.ts: Deno.open(", "the lock, an empty file that stays"],
  [`${DISK}: this.#file.write(`, "what the watched operation does"],
  [`${DISK}: this.#file.read(`, "what the watched operation does"],
  [`${DISK}: file.read(`, "what the watched operation does"],
  [`${DISK}: file.sync(`, "what the watched operation does"],
]);

/** Whose operations count though others have some of these names. */
const A_DISK = /(?:^|\W)\w*disk$/i;
const A_FILE = /(?:^|\W)file$/;
/** Within the disk itself. */
const THIS_DISK = /^this$/;
const ITS_FILE = /^target$/;
/** Names that nobody else has. */
const ALONE = ["makeDirectory", "syncDirectory", "rename", "link", "copy"];
/** Characters of an excuse. */
const LONGEST = 100;
/** Doors beside the disk. */
const BESIDE = [
  ...[
    "chmod",
    "chown",
    "copyFile",
    "create",
    "link",
    "makeTempDir",
    "makeTempFile",
    "mkdir",
    "open",
  ],
  ...["remove", "rename", "symlink", "truncate", "writeFile", "writeTextFile"],
];

/**
 * As an Operation tells it: file, line and kind. Throws where an excuse is for nothing, or where a
 * place makes, changes or removes files without the disk.
 */
export async function durablePlaces(): Promise<ReadonlySet<string>> {
  const kinds = await operations();
  const places = new Set<string>();
  const excuses = new Set(EXCUSED.keys());
  const beside: string[] = [];
  for await (const path of sources("src/")) {
    for (const { line, kind, begins } of callsIn(path, await read(path), kinds)) {
      const excuse = [...EXCUSED.keys()].find((one) => `${path}: ${begins}`.startsWith(one));
      if (excuse !== undefined) excuses.delete(excuse);
      else if (kind === "beside") beside.push(`${path}:${line}`);
      else places.add(`${path}:${line} ${kind}`);
    }
  }
  if (beside.length > 0) throw new Error(`files without the disk: ${beside.join(", ")}`);
  if (excuses.size > 0) throw new Error(`excused and not there: ${[...excuses].join(", ")}`);
  return places;
}

/** Names of the operations of a disk, and of a file on it. */
export interface Kinds {
  readonly disk: readonly string[];
  readonly file: readonly string[];
}

/** What the interfaces of the disk name. */
async function operations(): Promise<Kinds> {
  const text = await read(DISK);
  const methodsOf = (name: string) => {
    const [, body = ""] = new RegExp(`export interface ${name} {(.*?)\n}`, "s").exec(text) ?? [];
    return [...body.matchAll(/^ {2}(\w+)\(/gm)].map(([, method]) => method!);
  };
  const file = [...methodsOf("DurableFile"), ...methodsOf("ReadableFile")];
  return { disk: methodsOf("Disk"), file: file.filter((name) => name !== "close") };
}

/** A call of the disk, or, as `beside`, one that does the like without it. */
export interface Call {
  readonly line: number;
  readonly kind: string;
  /** The call and what follows it. */
  readonly begins: string;
}

/** The calls in the text of a source file. */
export function* callsIn(path: string, text: string, { disk, file }: Kinds): Generator<Call> {
  const code = withoutComments(text);
  for (const match of code.matchAll(/([\w.#]+)\s*[?!]?\s*\.\s*(\w+)\s*\(/g)) {
    const [all, on, name] = match as unknown as [string, string, string];
    const at = match.index + all.lastIndexOf(name);
    const line = code.slice(0, at).split("\n").length;
    const kind = kindOf(path, on, name);
    if (kind !== undefined) yield { line, kind, begins: code.slice(match.index).slice(0, LONGEST) };
  }

  function kindOf(path: string, on: string, name: string): string | undefined {
    if (on === "Deno") return BESIDE.includes(name) && path !== DISK ? "beside" : undefined;
    const isDisk = A_DISK.test(on) || path === DISK && THIS_DISK.test(on) || ALONE.includes(name);
    if (isDisk && disk.includes(name)) return name;
    const isFile = A_FILE.test(on) || path === DISK && ITS_FILE.test(on);
    return isFile && file.includes(name) ? `file.${name}` : undefined;
  }
}

/** Lines stay where they are. */
function withoutComments(text: string): string {
  return text.replace(/\/\*.*?\*\//gs, (comment) => comment.replace(/[^\n]/g, " "))
    .replace(/(^|\s)\/\/.*$/gm, "$1");
}

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) yield* sources(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield folder + name;
  }
}

function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}
