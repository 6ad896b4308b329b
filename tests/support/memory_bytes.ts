/** The two ends of a connection in memory. */

import type { Bytes } from "../../src/tls/stream.ts";

/** One way. It holds what was written and not yet read. */
class Way {
  readonly #chunks: Uint8Array[] = [];
  #reader: PromiseWithResolvers<Uint8Array | null> | undefined;
  #ended = false;
  taken = 0;

  write(bytes: Uint8Array): void {
    if (this.#ended) return;
    // Its owner may use it again.
    this.#chunks.push(bytes.slice());
    this.#serve();
  }

  read(): Promise<Uint8Array | null> {
    this.#reader = Promise.withResolvers();
    const { promise } = this.#reader;
    this.#serve();
    return promise;
  }

  end(): void {
    this.#ended = true;
    this.#serve();
  }

  break(error: Error): void {
    this.#reader?.reject(error);
    this.#reader = undefined;
  }

  #serve(): void {
    if (!this.#reader || this.#chunks.length === 0 && !this.#ended) return;
    const chunk = this.#chunks.shift() ?? null;
    this.taken += chunk?.length ?? 0;
    this.#reader.resolve(chunk);
    this.#reader = undefined;
  }
}

export class MemoryBytes implements Bytes {
  readonly #incoming: Way;
  readonly #outgoing: Way;
  closed = false;

  private constructor(incoming: Way, outgoing: Way) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  static pair(): [MemoryBytes, MemoryBytes] {
    const [there, back] = [new Way(), new Way()];
    return [new MemoryBytes(there, back), new MemoryBytes(back, there)];
  }

  /** Octets that were read at this end so far. */
  get taken(): number {
    return this.#incoming.taken;
  }

  async read(): Promise<Uint8Array | null> {
    this.#check();
    return await this.#incoming.read();
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    await Promise.resolve(this.#outgoing.write(bytes));
  }

  /** The other end reads to the end of what was written, and then that it is one. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#outgoing.end();
    this.#incoming.break(new Deno.errors.Interrupted("closed here"));
  }

  #check(): void {
    if (this.closed) throw new Deno.errors.BadResource("closed here");
  }
}
