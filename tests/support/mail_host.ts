/** A host in the test's own process that takes connections, and what it says there is the test's. */

export interface MailHost {
  readonly port: number;
  /** Connections so far. */
  readonly connections: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Serves each connection at an address; when `serve` is done, or throws GONE, it is closed. */
export function startMailHost(
  address: { readonly hostname: string; readonly port: number },
  serve: (peer: Peer) => Promise<void>,
): MailHost {
  const listener = Deno.listen(address);
  const peers = new Set<Peer>();
  const accepting = accept();
  let connections = 0;
  return {
    port: listener.addr.port,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      peers.forEach((peer) => peer.close());
      await accepting;
    },
  };

  async function accept(): Promise<void> {
    const serving: Promise<void>[] = [];
    for await (const conn of listener) {
      serving.push(attend(new Peer(conn, connections++)));
    }
    await Promise.all(serving);
  }

  async function attend(peer: Peer): Promise<void> {
    peers.add(peer);
    try {
      peer.hurry();
      await serve(peer);
    } catch (error) {
      // Whoever is connected may go at any time, and so may the test.
      if (!GONE.some((kind) => error instanceof kind)) throw error;
    } finally {
      peers.delete(peer);
      peer.close();
    }
  }
}

const GONE = [
  Deno.errors.BadResource,
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionReset,
  Deno.errors.Interrupted,
  Deno.errors.UnexpectedEof,
];

/** The host's end of a connection. Octets are characters of the same number. */
export class Peer {
  readonly #conn: Deno.TcpConn;
  readonly #buffer = new Uint8Array(64 * 1024);
  #heard = "";
  #open = true;

  /** `number` counts the host's connections from 0. */
  constructor(conn: Deno.TcpConn, readonly number: number) {
    this.#conn = conn;
  }

  /** Replies to pipelined commands go out one by one, and none waits for the one before. */
  hurry(): void {
    this.#conn.setNoDelay();
  }

  async say(text: string): Promise<void> {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** What comes up to this mark, without it. Rejects with UnexpectedEof where it does not come. */
  async hear(mark = "\r\n"): Promise<string> {
    const pieces = [this.#heard];
    // The mark may lie across two pieces.
    for (let tail = this.#heard; !tail.includes(mark);) {
      const length = await this.#conn.read(this.#buffer);
      if (length === null) throw new Deno.errors.UnexpectedEof();
      const piece = octetText(this.#buffer.subarray(0, length));
      pieces.push(piece);
      tail = tail.slice(-mark.length) + piece;
    }
    const all = pieces.join("");
    const end = all.indexOf(mark);
    this.#heard = all.slice(end + mark.length);
    return all.slice(0, end);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#conn.close();
  }
}

/** One character for each octet; what TextDecoder calls latin1 is another character set. */
function octetText(octets: Uint8Array): string {
  let text = "";
  for (let at = 0; at < octets.length; at += 8192) {
    text += String.fromCharCode(...octets.subarray(at, at + 8192));
  }
  return text;
}
