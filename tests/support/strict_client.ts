/** A client that takes nothing but what a server in good order answers. */

const MILLISECONDS = 10_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Something else came than should have, or nothing. The message says at which step. */
export class Loss extends Error {
  override name = "Loss";
}

export interface Conversation {
  readonly hostname: string;
  readonly port: number;
  readonly to: string;
  /** A message for each, told from all others by this name in its Subject. */
  readonly names: readonly string[];
}

/**
 * A whole connection: greeting, EHLO, the messages, QUIT, the end. `taken` hears of each message the
 * server has answered 250 to. Throws Loss.
 */
export async function converse(
  { hostname, port, to, names }: Conversation,
  taken: (name: string) => void,
): Promise<void> {
  const conn = await step("connect", Deno.connect({ hostname, port }));
  const line = new Line(conn);
  // A server that hangs loses everything too.
  const timer = setTimeout(() => conn.close(), MILLISECONDS);
  try {
    await line.hear("greeting", "220");
    await line.say("EHLO", "EHLO client.example", "250");
    for (const name of names) {
      await line.say("MAIL", "MAIL FROM:<mary@client.example>", "250");
      await line.say("RCPT", `RCPT TO:<${to}>`, "250");
      await line.say("DATA", "DATA", "354");
      await line.say("end of text", `Subject: ${name}\r\n\r\nHello\r\n.`, "250");
      taken(name);
    }
    await line.say("QUIT", "QUIT", "221");
    await line.end();
  } finally {
    clearTimeout(timer);
    close(conn);
  }
}

class Line {
  readonly #conn: Deno.TcpConn;
  readonly #buffer = new Uint8Array(4096);

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /** One whole reply of this code and nothing behind it. */
  async hear(name: string, code: string): Promise<void> {
    let reply = "";
    while (!/^\d{3}( .*)?\r\n$/m.test(reply)) reply += await this.#read(name, reply);
    const good = new RegExp(`^(${code}-.*\r\n)*${code} .*\r\n$`);
    if (!good.test(reply)) throw new Loss(`${name}: ${JSON.stringify(reply)}`);
  }

  async say(name: string, words: string, code: string): Promise<void> {
    const bytes = encoder.encode(`${words}\r\n`);
    for (let at = 0; at < bytes.length;) {
      at += await step(name, this.#conn.write(bytes.subarray(at)));
    }
    await this.hear(name, code);
  }

  /** The server closes. */
  async end(): Promise<void> {
    const length = await step("end", this.#conn.read(this.#buffer));
    if (length !== null) throw new Loss(`end: ${length} octets more`);
  }

  async #read(name: string, before: string): Promise<string> {
    const length = await step(name, this.#conn.read(this.#buffer));
    if (length === null) throw new Loss(`${name}: closed after ${JSON.stringify(before)}`);
    return decoder.decode(this.#buffer.subarray(0, length));
  }
}

async function step<T>(name: string, done: Promise<T>): Promise<T> {
  try {
    return await done;
  } catch (error) {
    throw new Loss(`${name}: ${error}`);
  }
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
