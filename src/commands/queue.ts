/** `denosmtpd queue`: what waits, and a hand for it; beside a running daemon and without one. */

import { resolve } from "node:path";
import { readMailConf } from "../config/mail_conf.ts";
import { ConfigurationError, problemText } from "../config/problem.ts";
import { isSpoolLocked } from "../daemon/spool.ts";
import { system } from "../daemon/system.ts";
import { SystemDisk } from "../disk.ts";
import { tamed } from "../printable.ts";
import { DamagedError, type QueuedMessage } from "../queue/envelope.ts";
import { headerOf } from "../queue/report.ts";
import { type Request, Requests } from "../queue/requests.ts";
import { Spool } from "../queue/spool.ts";
import { jsonLine, listLines, showLines } from "./queue_print.ts";
import { complain, Exit, print, say } from "./terminal.ts";

/** The command line of `queue`, checked as far as words go. */
export interface QueueOptions {
  readonly action: "list" | "show" | "retry" | "remove";
  readonly mailFile: string;
  readonly ids: readonly string[];
  readonly all: boolean;
  readonly json: boolean;
}

/** Messages read at once. */
const AT_ONCE = 64;
/** Octets of a header shown. */
const MOST_HEADER = 64 * 1024;
/** Milliseconds that a daemon has to carry out a request, and between two looks whether it has. */
const PATIENCE = 10_000;
const PAUSE = 20;

export async function queue({ action, mailFile, ids, all, json }: QueueOptions): Promise<Exit> {
  let directory;
  try {
    directory = (await readMailConf(mailFile, system)).conf.SPOOL_DIR;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    error.problems.map(problemText).forEach(complain);
    return Exit.Misused;
  }
  const disk = new SystemDisk();
  try {
    if (!await disk.exists(`${directory}/queue`)) {
      complain(
        `${mailFile}: SPOOL_DIR: there is no queue in ${resolve(directory)}`,
      );
      return Exit.Misused;
    }
    const spool = new Spool(disk, directory, "queue");
    if (action === "list") return await list(spool, json);
    if (action === "show") return await show(spool, ids);
    return all ? await retryAll(spool) : await request(spool, action, ids);
  } catch (error) {
    const why = reason(error);
    if (why === undefined) throw error;
    complain(`${directory}: ${why}`);
    return Exit.Failed;
  }
}

/** What a disk says, undefined for any other error. */
function reason(error: unknown): string | undefined {
  if (error instanceof Deno.errors.PermissionDenied) {
    return "permission denied, run this as the daemon's user or as root";
  }
  return error instanceof Error && "code" in error ? error.message : undefined;
}

async function list(spool: Spool, json: boolean): Promise<Exit> {
  const ids = await spool.list();
  const now = Date.now();
  let count = 0;
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const messages = await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => read(spool, id)));
    const lines: string[] = [];
    for (const message of messages) {
      if (!message) continue;
      count++;
      if (json) lines.push(jsonLine(message));
      else lines.push(...listLines(message, now));
    }
    await print(lines);
  }
  const damaged = await countDamaged(spool);
  // Which queue that is, for a relative SPOOL_DIR depends on where one stands.
  const place = resolve(spool.directory);
  if (!json) say(`${count === 1 ? "1 message waits" : `${count} messages wait`} in ${place}`);
  if (damaged > 0) {
    complain(
      `${damaged} damaged ${damaged === 1 ? "file" : "files"} in ${spool.directory}/damaged`,
    );
  }
  return Exit.Good;
}

/** A message, or what is wrong with it; undefined where it has gone meanwhile. */
async function read(spool: Spool, id: string) {
  try {
    return await spool.read(id);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.PermissionDenied) throw error;
    return { id, damage: error instanceof Error ? error.message : String(error) };
  }
}

async function countDamaged(spool: Spool): Promise<number> {
  return (await spool.disk.list(`${spool.directory}/damaged`)).length;
}

async function show(spool: Spool, ids: readonly string[]): Promise<Exit> {
  let exit = Exit.Good;
  for (const id of ids) {
    const message = await read(spool, id);
    if (!message || "damage" in message) {
      complain(`${id}: ${message ? message.damage : "there is no such message"}`);
      exit = Exit.Failed;
      continue;
    }
    await print([...showLines(message, Date.now()), `text: ${spool.textPath(id)}`, ""]);
    try {
      await showHeader(spool, message);
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      complain(`${id}: ${error.message}`);
      exit = Exit.Failed;
    }
  }
  return exit;
}

/** Rejects with DamagedError. */
async function showHeader(spool: Spool, message: QueuedMessage): Promise<void> {
  for await (const piece of spool.text(message)) {
    // What a stranger wrote must not steer the terminal, nor hide in it.
    const header = new TextDecoder().decode(headerOf(piece, MOST_HEADER));
    return await print(header.split("\r\n").map(tamed));
  }
}

/** Asks for something for each of these. */
async function request(
  spool: Spool,
  kind: Request["kind"],
  ids: readonly string[],
): Promise<Exit> {
  const running = await isSpoolLocked(spool.directory);
  // What is not listed is not touched: whatever the words are, they become file names.
  const known = new Set(await spool.list());
  let exit = Exit.Good;
  for (const id of ids) {
    if (!known.has(id)) {
      complain(`${id}: there is no such message`);
      exit = Exit.Failed;
    } else if (running) exit = Math.max(exit, await ask(spool, { kind, id }));
    else await act(spool, { kind, id });
  }
  return exit;
}

async function retryAll(spool: Spool): Promise<Exit> {
  const all: Request = { kind: "retry", id: "all" };
  if (await isSpoolLocked(spool.directory)) return await ask(spool, all);
  await act(spool, all);
  return Exit.Good;
}

/** By way of the daemon, which alone may touch what it works on. */
async function ask(spool: Spool, request: Request): Promise<Exit> {
  const requests = new Requests(spool.disk, spool.directory);
  await requests.make(request);
  for (let waited = 0; await requests.pending(request); waited += PAUSE) {
    if (waited >= PATIENCE) {
      const why = request.kind === "remove"
        ? "it is being sent just now, or the daemon is busy"
        : "it is busy";
      complain(`${request.id}: the daemon has not done it yet (${why}); the request stays`);
      return Exit.Failed;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  say(`${request.id}: ${request.kind === "retry" ? "is tried now" : "removed"}`);
  return Exit.Good;
}

/** Without a daemon. Its files are left as they are: they belong to its user, not to us. */
async function act(spool: Spool, request: Request): Promise<void> {
  if (request.kind === "remove") {
    await spool.remove(request.id);
    return say(`${request.id}: removed`);
  }
  await new Requests(spool.disk, spool.directory).make(request);
  say(`${request.id}: is tried as soon as the daemon runs`);
}
