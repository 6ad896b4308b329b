/** A connection to a server that is the test itself. */

import type { SecureOptions, Security, Wire } from "../../src/relay/wire.ts";

const latin1 = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** What the client's next read gives. */
type Said = Uint8Array | null | Error;

export class FakeWire implements Wire {
  /** Everything the client has written, write by write. */
  readonly written: string[] = [];
  closed = false;
  /** Whether writes, and a handshake, last until the connection is closed. */
  stalled = false;
  /** Whether the handshake works, and with what kind of certificate. */
  certificate: "none" | "valid" | "wrong" = "none";
  security?: Security;
  #said: Said[] = [];
  #reading: PromiseWithResolvers<Uint8Array | null> | undefined;
  #writing: PromiseWithResolvers<void> | undefined;
  #heard = 0;
  #broken = false;
  #changed = Promise.withResolvers<void>();

  read(): Promise<Uint8Array | null> {
    if (this.#reading) throw new Error("two reads at a time");
    this.#reading = Promise.withResolvers();
    const { promise } = this.#reading;
    this.#serve();
    return promise;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.closed || this.#broken) return Promise.reject(new Deno.errors.BrokenPipe());
    this.written.push(latin1(bytes));
    this.#change();
    if (!this.stalled) return Promise.resolve();
    this.#writing = Promise.withResolvers();
    return this.#writing.promise;
  }

  close(): void {
    this.closed = true;
    this.#writing?.reject(new Deno.errors.Interrupted());
    this.#serve();
    this.#change();
  }

  /** What is said and heard stays in plain text, whatever comes of the handshake. */
  async secure(_name: string, { verify }: SecureOptions = { verify: false }): Promise<Wire> {
    while (this.stalled && !this.closed) await this.#changed.promise;
    if (this.certificate === "none") throw new Error("no TLS here");
    const verified = this.certificate === "valid";
    if (verify && !verified) throw new Error("wrong certificate");
    this.security = { protocol: "TLSv1.3", verified };
    return this;
  }

  /** The server says this, in one piece. */
  say(text: string): void {
    this.#push(bytesOf(text));
  }

  /** The server closes its side. */
  end(): void {
    this.#push(null);
  }

  /** The server resets the connection. */
  reset(): void {
    this.#broken = true;
    this.#writing?.reject(new Deno.errors.ConnectionReset());
    this.#push(new Deno.errors.ConnectionReset());
  }

  /** The client's next write. */
  async hear(): Promise<string> {
    while (this.written.length <= this.#heard) await this.#changed.promise;
    return this.written[this.#heard++]!;
  }

  /** Resolves when the client has done all it does before more is said or time passes. */
  settled(): Promise<void> {
    // A turn of the event loop: all that is left to do without the outside is done then.
    return new Promise((resolve) => void setTimeout(resolve));
  }

  #push(said: Said): void {
    this.#said.push(said);
    this.#serve();
  }

  #serve(): void {
    if (!this.#reading) return;
    const said = this.closed ? new Deno.errors.Interrupted() : this.#said.shift();
    if (said === undefined) return;
    const { resolve, reject } = this.#reading;
    this.#reading = undefined;
    if (said instanceof Error) reject(said);
    else resolve(said);
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
