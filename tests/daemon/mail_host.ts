/** A mail host beyond the daemon, on loopback, that answers as a test wants it to. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

export interface Received {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came over the wire, without the period at its end. */
  readonly text: string;
}

/**
 * What is said to a command line, or to `.` for the end of a text; undefined for what mail hosts
 * say. Without CR LF.
 */
export type Answer = (command: string) => string | undefined | Promise<string | undefined>;

/** Milliseconds that a test waits for mail. */
const PATIENCE = 20_000;

const USUAL: Readonly<Record<string, string>> = {
  EHLO: "250-host.example\r\n250 8BITMIME",
  DATA: "354 Go on",
  QUIT: "221 Bye",
};

export class MailHost {
  /** What was answered positively. */
  readonly received: Received[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #answer: Answer;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #served: Promise<void>;
  readonly #closing = Promise.withResolvers<never>();
  #changed = Promise.withResolvers<void>();

  constructor(answer: Answer = () => undefined) {
    this.#answer = answer;
    this.#closing.promise.catch(() => {});
    this.#served = this.#serve();
  }

  /** A line of mail.conf that sends everything here. */
  get setting(): string {
    return `RELAY_HOST = 127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Resolves when that many messages were received. */
  async came(count: number): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#changed.resolve();
    }, PATIENCE);
    try {
      while (this.received.length < count) {
        if (late) throw new Error(`${this.received.length} messages came instead of ${count}`);
        await this.#changed.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.reject(new Deno.errors.Interrupted());
    this.#listener.close();
    this.#open.forEach((conn) => conn.close());
    await this.#served;
  }

  async #serve(): Promise<void> {
    const running: Promise<void>[] = [];
    try {
      for await (const conn of this.#listener) running.push(this.#converse(conn));
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    await Promise.all(running);
  }

  async #converse(conn: Deno.TcpConn): Promise<void> {
    this.#open.add(conn);
    try {
      await this.#talk(conn);
    } catch {
      // The daemon, or the test, has had enough of it.
    }
    if (this.#open.delete(conn)) {
      try {
        conn.close();
      } catch {
        // Closed at the end of the test.
      }
    }
  }

  async #talk(conn: Deno.TcpConn): Promise<void> {
    let from = "";
    let to: string[] = [];
    let rest = "";
    const buffer = new Uint8Array(64 * 1024);
    const upTo = async (end: string): Promise<string | undefined> => {
      while (!rest.includes(end)) {
        const length = await conn.read(buffer);
        if (length === null) return undefined;
        rest += decoder.decode(buffer.subarray(0, length));
      }
      const at = rest.indexOf(end);
      const head = rest.slice(0, at);
      rest = rest.slice(at + end.length);
      return head;
    };
    const say = async (usual: string, command: string) => {
      // An answer that never comes ends with the test.
      const reply = await Promise.race([this.#answer(command), this.#closing.promise]) ?? usual;
      const bytes = encoder.encode(`${reply}\r\n`);
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
      return reply;
    };
    await say("220 host.example", "");
    for (let line = await upTo("\r\n"); line !== undefined; line = await upTo("\r\n")) {
      const [, verb = "", path = ""] = /^(\w+)(?:.*:(<.*>))?/.exec(line) ?? [];
      const accepted = (await say(USUAL[verb] ?? "250 OK", line)).startsWith("2");
      if (verb === "MAIL") [from, to] = [path, []];
      if (verb === "RCPT" && accepted) to.push(path);
      if (verb === "QUIT") return;
      if (verb !== "DATA") continue;
      const text = await upTo("\r\n.\r\n");
      if (text === undefined) return;
      if ((await say("250 OK", ".")).startsWith("2")) this.#add({ from, to, text: `${text}\r\n` });
    }
  }

  #add(message: Received): void {
    this.received.push(message);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
