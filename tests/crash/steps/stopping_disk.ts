/**
 * Stands in for `src/disk.ts` in a process under test, by way of an import map. Every operation goes
 * on to the real disk; on the way it is told, or the thread stops at it for good, or it fails, as
 * the orders in this module's own address say.
 */

import { SystemDisk as RealDisk } from "../../../src/disk.ts";
import { type Operation, type Orders, STOPPED, TOLD } from "./orders.ts";

// The class below takes the place of its namesake.
export * from "../../../src/disk.ts";

const ROOT = new URL("../../../", import.meta.url).href;

const orders: Orders = JSON.parse(
  new URL(import.meta.url).searchParams.get("orders") ?? `{ "folder": "" }`,
);
const faults = (orders.faults ?? []).map((fault) => ({ times: Infinity, ...fault }));
const met = new Map<string, number>();

const thread = globalThis.name || "main";
if (thread === "main") numberThreads();

/** Threads of one name are told apart. */
function numberThreads(): void {
  const counts = new Map<string, number>();
  globalThis.Worker = class extends Worker {
    constructor(entry: string | URL, options: WorkerOptions = {}) {
      const { name = "" } = options;
      const number = (counts.get(name) ?? 0) + 1;
      counts.set(name, number);
      super(entry, { ...options, name: `${name} ${number}` });
    }
  };
}

/** The real one, with all that it can do watched. */
export class SystemDisk extends RealDisk {}

for (const kind of Object.getOwnPropertyNames(RealDisk.prototype)) {
  const real: unknown = Reflect.get(RealDisk.prototype, kind);
  if (kind === "constructor" || typeof real !== "function") continue;
  Object.defineProperty(SystemDisk.prototype, kind, {
    value(this: SystemDisk, ...words: (string | number)[]) {
      const paths = words.filter((word) => typeof word === "string").map(normalised).join(" > ");
      return watched(kind, paths, async () => {
        const result = await real.apply(this, words);
        return kind === "create" || kind === "open" ? watchedFile(result as object, paths) : result;
      });
    },
  });
}

function watchedFile(file: object, paths: string): object {
  return new Proxy(file, {
    get(_, name) {
      const real: unknown = Reflect.get(file, name);
      if (typeof real !== "function") return real;
      if (name === "close") return real.bind(file);
      return (...words: unknown[]) => {
        return watched(`file.${String(name)}`, paths, async () => await real.apply(file, words));
      };
    },
  });
}

function watched<T>(kind: string, paths: string, act: () => Promise<T>): Promise<T> {
  const place = callPlace();
  const key = `${place} ${kind} ${paths}`;
  const before = met.get(key) ?? 0;
  met.set(key, before + 1);
  const operation: Operation = { thread, place, kind, paths, before };
  if (orders.tell) say(TOLD + JSON.stringify(operation));
  const stop = orders.stop && JSON.stringify(orders.stop.operation) === JSON.stringify(operation)
    ? orders.stop.side
    : undefined;
  if (stop === "before") stopHere();
  const fault = faults.find((one) => {
    return one.times > 0 && thread.startsWith(one.thread) && kind === one.kind &&
      paths.startsWith(one.paths);
  });
  if (fault) fault.times--;
  const done = fault
    ? Promise.reject(Object.assign(new Error(`no ${kind}`), { code: fault.code ?? "ENOSPC" }))
    : act();
  return stop === "after" ? done.finally(stopHere) : done;
}

/** Until the process is killed. */
function stopHere(): void {
  say(STOPPED);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** The one way out of a thread that may do nothing; it returns when the line is written. */
function say(line: string): void {
  // deno-lint-ignore no-console
  console.error(line);
}

function callPlace(): string {
  for (const frame of new Error().stack?.split("\n") ?? []) {
    const [, place] = /(src\/[\w/]+\.ts:\d+):\d+\)?$/.exec(frame) ?? [];
    if (place !== undefined && frame.includes(ROOT + place)) return place;
  }
  return "elsewhere";
}

/** Ids, names and numbers of the run replaced by words. */
function normalised(path: string): string {
  return path.replace(orders.folder, "").replace(/^\//, "")
    .replace(/\d+\.M\d+P\d+Q\d+R[0-9a-f]{8}\.[^/,]+/, "NAME")
    .replace(/,S=\d+/, ",S=SIZE")
    .replace(/\b[0-9a-hjkmnp-tv-z]{15}\b/, "ID")
    .replace(/\b(receiver|relay)-[\d-]+-/, "$1-");
}
