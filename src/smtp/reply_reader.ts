/** Replies out of a stream of bytes: the sending side's ear. */

import type { Reply } from "./reply.ts";

/** Octets of one whole reply beyond which a server is no longer listened to. */
const MAX_REPLY = 64 * 1024;
const CR = 13;
const LF = 10;

/** What a server says is no SMTP (RFC 5321 4.2). */
export class ReplyError extends Error {
  override name = "ReplyError";
}

/**
 * Reads replies of any number of lines (RFC 5321 4.2.1), with or without text, with or without an
 * enhanced code. Octets that are not printable ASCII become `?`: what a server says ends in logs
 * and reports.
 */
export class ReplyReader {
  #line = "";
  #length = 0;
  #code: number | undefined;
  #status = "";
  #lines: string[] = [];

  /** Whether a reply has begun and is not whole yet. */
  get inReply(): boolean {
    return this.#length > 0;
  }

  /**
   * Reads from `input` at `from` until one reply is whole. Returns where it stopped and the reply,
   * if there is one. Throws ReplyError.
   */
  read(input: Uint8Array, from: number): { next: number; reply?: Reply } {
    for (let at = from; at < input.length; at++) {
      const byte = input[at]!;
      if (++this.#length > MAX_REPLY) throw new ReplyError("the server's reply does not end");
      if (byte === LF) {
        const reply = this.#takeLine();
        if (reply) return { next: at + 1, reply };
      } else if (byte !== CR) {
        this.#line += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "?";
      }
    }
    return { next: input.length };
  }

  #takeLine(): Reply | undefined {
    const match = /^([2-5]\d\d)(?:([ -])(?:([245]\.\d{1,3}\.\d{1,3})(?: |$))?(.*))?$/
      .exec(this.#line);
    if (!match) throw new ReplyError(`the server's reply is no reply: ${this.#line.slice(0, 80)}`);
    const [, code, separator = " ", status = "", text = ""] = match;
    this.#line = "";
    if (this.#code !== undefined && this.#code !== Number(code)) {
      throw new ReplyError("the server changes the code within one reply");
    }
    this.#code = Number(code);
    this.#status ||= status;
    this.#lines.push(text);
    if (separator === "-") return undefined;
    const reply = { code: this.#code, status: this.#status, lines: this.#lines };
    this.#code = undefined;
    this.#status = "";
    this.#lines = [];
    this.#length = 0;
    return reply;
  }
}
