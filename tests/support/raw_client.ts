/** A client that says what it is told to, byte for byte. */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class RawClient {
  #conn: Deno.Conn;
  readonly #buffer = new Uint8Array(4096);
  #received = "";

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  static async connect(port: number, hostname = "127.0.0.1"): Promise<RawClient> {
    return new RawClient(await Deno.connect({ hostname, port }));
  }

  async send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /**
   * Does the handshake as TLS client, when the server has nothing more to say before it. Rejects
   * where it fails, and then the connection is closed.
   */
  async secure(options: Deno.StartTlsOptions): Promise<void> {
    if (this.#received !== "") throw new Error(`before the handshake: ${this.#received}`);
    if (this.#pending) throw new Error("a read is pending");
    const conn = await Deno.startTls(this.#conn as Deno.TcpConn, options);
    this.#conn = conn;
    try {
      await conn.handshake();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Tells the server that nothing more is sent. Reading goes on. */
  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  /** One line without its CR LF; null when the server has closed. Rejects after `patience` milliseconds. */
  async line(patience = 10_000): Promise<string | null> {
    for (;;) {
      const end = this.#received.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#received.slice(0, end);
        this.#received = this.#received.slice(end + 2);
        return line;
      }
      if (!await this.#read(patience)) {
        if (this.#received !== "") throw new Error(`half a line: ${this.#received}`);
        return null;
      }
    }
  }

  /** A whole reply, its lines joined by line feeds; null when the server has closed. Rejects like `line`. */
  async reply(patience?: number): Promise<string | null> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.line(patience);
      if (line === null) return null;
      lines.push(line);
      if (line[3] !== "-") return lines.join("\n");
    }
  }

  /** Sends a command and returns its reply. */
  async command(line: string): Promise<string | null> {
    await this.send(`${line}\r\n`);
    return await this.reply();
  }

  /** Whether the server says nothing for `milliseconds`. What it does say is lost. */
  async silent(milliseconds: number): Promise<boolean> {
    if (this.#received !== "") return false;
    try {
      await this.#read(milliseconds);
      return false;
    } catch (error) {
      if (error instanceof SilenceError) return true;
      throw error;
    }
  }

  close(): void {
    try {
      this.#conn.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  #pending: Promise<number | null> | undefined;

  async #read(patience: number): Promise<boolean> {
    this.#pending ??= this.#conn.read(this.#buffer);
    let timer;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new SilenceError("the server says nothing")), patience);
    });
    try {
      const length = await Promise.race([this.#pending, silence]);
      this.#pending = undefined;
      if (length === null) return false;
      this.#received += decoder.decode(this.#buffer.subarray(0, length));
      return true;
    } finally {
      clearTimeout(timer);
    }
  }
}

class SilenceError extends Error {
  override name = "SilenceError";
}
