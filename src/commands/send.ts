/** `denosmtpd send`: the message on standard input, sent to one server. */

import { type HostPort, hostPort } from "../config/value.ts";
import { ValueError } from "../config/problem.ts";
import { type Mailbox, parseMailbox, PathError, printMailbox, printPath } from "../smtp/address.ts";
import { ClientSession, type Envelope, type RecipientResult } from "../smtp/client.ts";
import { isPositive, replyText } from "../smtp/reply.ts";
import { ReplyError } from "../smtp/reply_reader.ts";
import { dateTime } from "../smtp/trace.ts";
import { TextSender } from "../smtp/transparency.ts";
import { complain, Exit, say } from "./terminal.ts";

/** The command line of `send`, not yet checked. */
export interface SendOptions {
  readonly to: readonly string[];
  readonly from: string | undefined;
  readonly server: string;
  readonly verbose: boolean;
}

/** Milliseconds to wait for a connection, and for each reply. */
const PATIENCE = 60_000;
const LF = 10;
const CR = 13;

const encoder = new TextEncoder();

export async function send(options: SendOptions): Promise<Exit> {
  const host = Deno.hostname();
  let server, reversePath, forwardPaths;
  try {
    server = hostPort(options.server);
    reversePath = sender(options.from, host);
    forwardPaths = options.to.map(address);
  } catch (error) {
    if (!(error instanceof PathError || error instanceof ValueError)) throw error;
    complain(error.message);
    return Exit.Misused;
  }
  const text = withHeader(
    withCrLf(new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer())),
    { reversePath, forwardPaths, host },
  );
  try {
    const envelope = {
      host,
      reversePath,
      forwardPaths,
      size: text.length,
      eightBit: text.some((byte) => byte > 127),
    };
    return report(await converse(server, envelope, text, options.verbose));
  } catch (error) {
    complain(`${options.server}: ${trouble(error)}`);
    return Exit.Failed;
  }
}

/** The sender: `<>` is the null reverse-path, nothing at all the user who runs this. */
function sender(from: string | undefined, host: string): Mailbox | null {
  if (from === "" || from === "<>") return null;
  return address(from ?? `${Deno.env.get("USER") || "postmaster"}@${host}`);
}

/** An address in angle brackets or without. Throws PathError. */
function address(text: string): Mailbox {
  return parseMailbox(text.replace(/^<(.*)>$/, "$1"));
}

async function converse(
  server: HostPort,
  envelope: Envelope,
  text: Uint8Array,
  verbose: boolean,
): Promise<readonly RecipientResult[]> {
  const signal = AbortSignal.timeout(PATIENCE);
  const conn = await Deno.connect({ hostname: server.host, port: server.port ?? 25, signal });
  try {
    const session = new ClientSession(envelope);
    const buffer = new Uint8Array(4096);
    for (;;) {
      const bytes = await readInTime(conn, buffer);
      if (verbose) show("S", bytes);
      session.feed(bytes);
      for (let event = session.next(); event; event = session.next()) {
        if (event.kind === "done") return event.results;
        if (verbose) say(`C: (${text.length} bytes of text)`);
        await sendText(conn, text);
        session.textSent();
      }
      const output = encoder.encode(session.takeOutput());
      if (verbose) show("C", output);
      await writeAll(conn, output);
    }
  } finally {
    conn.close();
  }
}

/** Rejects with TimedOut or UnexpectedEof. */
async function readInTime(conn: Deno.Conn, buffer: Uint8Array): Promise<Uint8Array> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    conn.closeWrite().catch(() => {});
  }, PATIENCE);
  try {
    const length = await conn.read(buffer);
    if (late) throw new Deno.errors.TimedOut();
    if (length === null) throw new Deno.errors.UnexpectedEof();
    return buffer.subarray(0, length);
  } finally {
    clearTimeout(timer);
  }
}

async function sendText(conn: Deno.Conn, text: Uint8Array): Promise<void> {
  const sending = new TextSender();
  for (const piece of [...sending.convert(text), sending.end()]) await writeAll(conn, piece);
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

function show(who: "C" | "S", bytes: Uint8Array): void {
  const text = new TextDecoder().decode(bytes).replace(/[^\x20-\x7e\r\n]/g, "?");
  for (const line of text.split("\r\n")) if (line !== "") say(`${who}: ${line}`);
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
  if (error instanceof Deno.errors.UnexpectedEof) return "the server closed the connection";
  if (error instanceof Deno.errors.TimedOut) return "the server does not answer";
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return "no connection in time";
  }
  if (error instanceof ReplyError) return error.message;
  return error instanceof Error ? error.message : String(error);
}

/** Every line end, CR LF or CR or LF alone, as CR LF. */
function withCrLf(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 * bytes.length);
  let length = 0;
  bytes.forEach((byte, i) => {
    if (byte === LF && bytes[i - 1] === CR) return;
    if (byte === LF || byte === CR) {
      out[length++] = CR;
      out[length++] = LF;
    } else out[length++] = byte;
  });
  return out.subarray(0, length);
}

/** A text that does not begin with a header field gets a short header (RFC 5322 3.6). */
function withHeader(
  text: Uint8Array,
  { reversePath, forwardPaths, host }: Pick<Envelope, "reversePath" | "forwardPaths" | "host">,
): Uint8Array {
  const start = String.fromCharCode(...text.subarray(0, 200));
  if (/^[!-9;-~]+:/.test(start)) return text;
  const now = Date.now();
  const from = reversePath ? printPath(reversePath) : `<postmaster@${host}>`;
  const header = encoder.encode(
    `Date: ${dateTime(now)}\r\nFrom: ${from}\r\n` +
      `To: ${forwardPaths.map(printMailbox).join(",\r\n\t")}\r\n` +
      `Message-ID: <${now}.${Deno.pid}@${host}>\r\n\r\n`,
  );
  const result = new Uint8Array(header.length + text.length);
  result.set(header);
  result.set(text, header.length);
  return result;
}
