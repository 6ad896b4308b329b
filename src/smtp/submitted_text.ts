/**
 * The text of a message that a user who is logged in hands over: nobody but that user may be its
 * author, and what its header lacks is put on top (RFC 6409 6.3, 8).
 */

import { type Mailbox, printMailbox } from "./address.ts";
import { AuthorError, parseAuthors } from "./author.ts";
import { type Field, HeaderEnd, HeaderError, readFields } from "./header.ts";
import {
  badHeader,
  headerTooLarge,
  missingAuthor,
  notYourAddress,
  repeatedAuthor,
  type Reply,
  unreadableAuthor,
} from "./reply.ts";
import { dateTime } from "./trace.ts";

export interface Submission {
  readonly reversePath: Mailbox | null;
  /** Whether an address is the login's own. */
  readonly isOwn: (mailbox: Mailbox) => boolean;
  /** When it came, in milliseconds since 1970. */
  readonly time: number;
  /** For a text without one, without angle brackets: `1m828dtfh00fgn1@mail.example.com`. */
  readonly messageId: string;
}

/** Octets of a header, its empty line included. */
const MOST_HEADER = 256 * 1024;
/** Octets that nearly every header that comes in several pieces has room in. */
const FIRST_ROOM = 4096;

/** Fields that say whose message it is, and whether one may stand there more than once. */
const AUTHOR_FIELDS = new Map([
  ["from", { title: "From", repeats: false }],
  ["sender", { title: "Sender", repeats: false }],
  // A message may be resent time and again (RFC 5322 3.6.6).
  ["resent-from", { title: "Resent-From", repeats: true }],
  ["resent-sender", { title: "Resent-Sender", repeats: true }],
]);

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();

/** Takes one text in pieces of any size, in CR LF lines without transparency. */
export class SubmittedText {
  readonly #submission: Submission;
  readonly #headerEnd = new HeaderEnd();
  /** Which of the fields that count have been seen. */
  readonly #seen = new Set<string>();
  /** What has come of the header. */
  #held = NOTHING;
  #length = 0;
  /** Whether the header is through, so that all the rest passes. */
  #passing = false;
  #refusal: Reply | undefined;

  constructor(submission: Submission) {
    this.#submission = submission;
  }

  /**
   * Why the message is refused, for the reply to its end. Known for certain after `end`; once it is
   * there `feed` and `end` return nothing.
   */
  get refusal(): Reply | undefined {
    return this.#refusal;
  }

  /**
   * What to store for the next octets of the text: nothing while the header is held back, then the
   * header and what came with it, from then on `bytes` itself. Keeps no view of `bytes`.
   */
  feed(bytes: Uint8Array): Uint8Array {
    if (this.#refusal) return NOTHING;
    if (this.#passing) return bytes;
    const room = MOST_HEADER - this.#length;
    const length = this.#headerEnd.feed(bytes.subarray(0, room));
    if (this.#headerEnd.noHeader) return this.#release(this.#topOfBody(), bytes);
    if (this.#headerEnd.reached) {
      if (this.#length === 0) return this.#release(this.#top(bytes.subarray(0, length)), bytes);
      this.#hold(bytes.subarray(0, length));
      return this.#release(this.#top(this.#header), bytes.subarray(length));
    }
    if (bytes.length > room) return this.#refuse(headerTooLarge);
    this.#hold(bytes);
    return NOTHING;
  }

  /** At the text's end: what to store of what is still held back. */
  end(): Uint8Array {
    if (this.#refusal || this.#passing) return NOTHING;
    this.#headerEnd.end();
    const top = this.#headerEnd.noHeader ? this.#topOfBody() : this.#top(this.#header);
    return this.#release(top, NOTHING);
  }

  get #header(): Uint8Array {
    return this.#held.subarray(0, this.#length);
  }

  #hold(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#held.length) {
      const room = Math.max(length, 2 * this.#held.length, FIRST_ROOM);
      const larger = new Uint8Array(Math.min(room, MOST_HEADER));
      larger.set(this.#header);
      this.#held = larger;
    }
    this.#held.set(bytes, this.#length);
    this.#length = length;
  }

  /** Hands out what is held back between these fields and that rest, or refuses. */
  #release(top: string | Reply, rest: Uint8Array): Uint8Array {
    if (typeof top !== "string") return this.#refuse(top);
    const header = this.#header;
    this.#passing = true;
    this.#held = NOTHING;
    if (top === "" && header.length === 0) return rest;
    const fields = encoder.encode(top);
    const all = new Uint8Array(fields.length + header.length + rest.length);
    all.set(fields);
    all.set(header, fields.length);
    all.set(rest, fields.length + header.length);
    return all;
  }

  #refuse(reply: Reply): Uint8Array {
    this.#refusal = reply;
    this.#held = NOTHING;
    return NOTHING;
  }

  /** What a text gets on top that is all body: a whole header with its empty line. */
  #topOfBody(): string | Reply {
    const top = this.#missingFields();
    return typeof top === "string" ? `${top}\r\n` : top;
  }

  /** What a text with this header gets on top. */
  #top(header: Uint8Array): string | Reply {
    return this.#judge(header) ?? this.#missingFields();
  }

  #judge(header: Uint8Array): Reply | undefined {
    try {
      for (const field of readFields(header)) {
        const reply = this.#judgeField(field);
        if (reply) return reply;
      }
      return undefined;
    } catch (error) {
      if (error instanceof HeaderError) return badHeader(error.message);
      throw error;
    }
  }

  #judgeField({ name, body }: Field): Reply | undefined {
    if (name === "date" || name === "message-id") this.#seen.add(name);
    const authors = AUTHOR_FIELDS.get(name);
    if (!authors) return undefined;
    const { title, repeats } = authors;
    // Of several, some readers show the first and some the last.
    if (this.#seen.has(name) && !repeats) return repeatedAuthor(title);
    this.#seen.add(name);
    try {
      const own = parseAuthors(body).every((author) => this.#submission.isOwn(author));
      return own ? undefined : notYourAddress(title);
    } catch (error) {
      if (error instanceof AuthorError) return unreadableAuthor(title, error.message);
      throw error;
    }
  }

  #missingFields(): string | Reply {
    const { reversePath, time, messageId } = this.#submission;
    let fields = "";
    if (!this.#seen.has("date")) fields += `Date: ${dateTime(time)}\r\n`;
    if (!this.#seen.has("message-id")) fields += `Message-ID: <${messageId}>\r\n`;
    if (this.#seen.has("from")) return fields;
    if (!reversePath) return missingAuthor;
    if (!this.#submission.isOwn(reversePath)) return notYourAddress("From");
    return `${fields}From: ${printMailbox(reversePath)}\r\n`;
  }
}
