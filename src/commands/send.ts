/** `denosmtpd send`: the message on standard input, sent to one server. */

import { systemClock } from "../clock.ts";
import { ValueError } from "../config/problem.ts";
import { type HostPort, hostPort } from "../config/value.ts";
import { ChannelError, Connection, TIMEOUTS, type Timeouts } from "../relay/connection.ts";
import { TcpDialer } from "../relay/wire.ts";
import { type Mailbox, parseMailbox, PathError, printMailbox } from "../smtp/address.ts";
import { type Envelope, MAX_RECIPIENTS, type RecipientResult } from "../smtp/client.ts";
import { isPositive, replyText } from "../smtp/reply.ts";
import { standardText } from "./standard_text.ts";
import { complain, Exit, say } from "./terminal.ts";

/** The command line of `send`, not yet checked. */
export interface SendOptions {
  readonly to: readonly string[];
  readonly from: string | undefined;
  readonly server: string;
  readonly verbose: boolean;
}

/** Milliseconds for the connection, and for each step of the conversation: a person is waiting. */
const PATIENCE = 60_000;
const PATIENT = Object.fromEntries(
  Object.entries(TIMEOUTS).map(([step, limit]) => [step, Math.min(limit, PATIENCE)]),
) as Timeouts;

/** A word of the command line makes no sense; the message names it. */
class UsageError extends Error {}

/** Sends, and says what became of each recipient. */
export async function send(options: SendOptions): Promise<Exit> {
  const host = Deno.hostname();
  let server, reversePath, forwardPaths;
  try {
    server = option("--server", options.server, hostPort);
    reversePath = sender(options.from, host);
    forwardPaths = options.to.map((text) => option("--to", text, address));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complain(error.message);
    return Exit.Misused;
  }
  const text = standardText(await standardInput(), {
    reversePath,
    forwardPaths,
    host,
    now: Date.now(),
    process: Deno.pid,
  });
  const envelope = {
    reversePath,
    forwardPaths,
    size: text.length,
    eightBit: text.some((byte) => byte > 127),
  };
  try {
    const connection = await open(server, host, options.verbose);
    const { results, broken } = await converse(connection, envelope, text);
    const exit = report(results);
    if (broken === undefined) return exit;
    complain(`${options.server}: ${broken}`);
  } catch (error) {
    if (error instanceof ChannelError && error.heard) return report(sameForAll(envelope, error));
    complain(`${options.server}: ${trouble(error)}`);
  }
  return Exit.Failed;
}

/** Reads the value of an option. Throws UsageError. */
function option<T>(name: string, text: string, read: (text: string) => T): T {
  try {
    return read(text);
  } catch (error) {
    if (!(error instanceof PathError || error instanceof ValueError)) throw error;
    throw new UsageError(`${name} ${text}: ${error.message}`);
  }
}

/** The sender: `<>` is the null reverse-path, nothing at all the user who runs this. */
function sender(from: string | undefined, host: string): Mailbox | null {
  if (from === "" || from === "<>") return null;
  if (from !== undefined) return option("--from", from, address);
  const own = `${Deno.env.get("USER") || "postmaster"}@${host}`;
  try {
    return parseMailbox(own);
  } catch (error) {
    if (!(error instanceof PathError)) throw error;
    throw new UsageError(`${own} is no address to send from, give one by --from`);
  }
}

/** An address in angle brackets or without. Throws PathError. */
function address(text: string): Mailbox {
  return parseMailbox(text.replace(/^<(.*)>$/, "$1"));
}

async function standardInput(): Promise<Uint8Array> {
  return new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer());
}

/** Rejects with ChannelError, and with what the system says. */
async function open(server: HostPort, host: string, verbose: boolean): Promise<Connection> {
  const signal = AbortSignal.timeout(PATIENCE);
  const wire = await new TcpDialer().connect(server.host, server.port ?? 25, signal);
  return await Connection.open(wire, {
    host,
    serverName: server.host,
    wantsTls: false,
    clock: systemClock,
    timeouts: PATIENT,
    ...(verbose ? { observe: show } : {}),
  });
}

/** Sends to as many at a time as a server takes, and says what broke the connection, if it broke. */
async function converse(
  connection: Connection,
  envelope: Envelope,
  text: Uint8Array,
): Promise<{ results: readonly RecipientResult[]; broken?: string }> {
  const results: RecipientResult[] = [];
  let open = envelope.forwardPaths;
  while (open.length > 0) {
    const forwardPaths = open.slice(0, MAX_RECIPIENTS);
    const outcome = await connection.send({ ...envelope, forwardPaths }, once(text));
    results.push(...outcome.results);
    if (outcome.broken) return { results, broken: outcome.broken.reply.lines.join(" ") };
    open = [...outcome.remaining, ...open.slice(MAX_RECIPIENTS)];
  }
  await connection.quit();
  return { results };
}

async function* once(text: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(text);
}

/** A server that has refused to talk has refused every recipient. */
function sameForAll({ forwardPaths }: Envelope, { reply, heard }: ChannelError): RecipientResult[] {
  return forwardPaths.map((forwardPath) => ({ forwardPath, reply, heard }));
}

function show(who: "client" | "server", bytes: Uint8Array): void {
  const text = new TextDecoder().decode(bytes).replace(/[^\x20-\x7e\r\n]/g, "?");
  const mark = who === "client" ? "C" : "S";
  for (const line of text.split("\r\n")) if (line !== "") say(`${mark}: ${line}`);
}

function report(results: readonly RecipientResult[]): Exit {
  for (const { forwardPath, reply } of results) {
    const line = `${printMailbox(forwardPath)}: ${replyText(reply)}`;
    if (isPositive(reply)) say(line);
    else complain(line);
  }
  return results.every(({ reply }) => isPositive(reply)) ? Exit.Good : Exit.Failed;
}

function trouble(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "no server listens there";
  if (error instanceof Deno.errors.TimedOut) return "the server does not answer";
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return "no connection in time";
  }
  return error instanceof Error ? error.message : String(error);
}
