/** What the queue knows of a message besides its text, and how that is written into a file. */

import { type Mailbox, PathError, printMailbox, readForwardPath } from "../smtp/address.ts";
import { Cursor } from "../smtp/cursor.ts";
import type { Reply } from "../smtp/reply.ts";

/**
 * `waiting`: to be tried, or tried again. `delivered`: somebody else is responsible. `failed`: for
 * good, and the sender is yet to hear of it. `returned`: the sender has been told.
 */
export type RecipientState = "waiting" | "delivered" | "failed" | "returned";

/** How a connection to a server was protected. */
export interface Security {
  /** `TLSv1.2`, `TLSv1.3`; `none` for plain text. */
  readonly protocol: string;
  /** Whether the certificate was the server's own by the authorities trusted; not there if unknown. */
  readonly verified?: boolean;
}

/** What came of the last attempt. */
export interface LastReply {
  readonly reply: Reply;
  /** Whether a server said it; otherwise it is our own judgement. */
  readonly heard: boolean;
  /** The server's name, where one was talked to. */
  readonly host?: string;
  /** How the connection was protected, where there was one; older files do not tell. */
  readonly security?: Security;
  /** Milliseconds since 1970. */
  readonly time: number;
}

export interface QueuedRecipient {
  readonly forwardPath: Mailbox;
  /** Whom the sender wrote to, where a user of this host forwards to the forward-path. */
  readonly original?: Mailbox;
  readonly state: RecipientState;
  /** Attempts begun. */
  readonly attempts: number;
  /** Milliseconds since 1970; of `waiting` ones alone. */
  readonly nextAttempt: number;
  readonly last?: LastReply;
}

/** A recipient nobody has been asked for yet, due at once. `now` is in milliseconds since 1970. */
export function newRecipient(
  forwardPath: Mailbox,
  now: number,
  original?: Mailbox,
): QueuedRecipient {
  return {
    forwardPath,
    ...original ? { original } : {},
    state: "waiting",
    attempts: 0,
    nextAttempt: now,
  };
}

/** A message that waits. */
export interface QueuedMessage {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly arrived: number;
  readonly reversePath: Mailbox | null;
  /** Octets of the text. */
  readonly size: number;
  /** Whether the text has octets above 127. */
  readonly eightBit: boolean;
  /** Whether its sender has heard that it takes long. */
  readonly delayReported: boolean;
  readonly recipients: readonly QueuedRecipient[];
}

/** A file of the queue that does not hold what it should; the message says what is wrong. */
export class DamagedError extends Error {
  override name = "DamagedError";
}

/** The form below; another one gets another number. */
const FORM = 1;

/** The last moment that a Date can hold; no other number is larger. */
const LAST_MOMENT = 8.64e15;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The file's content: JSON, one line per recipient, so that people can read it too. */
export function encodeEnvelope(message: QueuedMessage): Uint8Array {
  const { recipients, reversePath, ...rest } = message;
  const sender = reversePath === null ? "" : printMailbox(reversePath);
  const head = JSON.stringify({ form: FORM, ...rest, reversePath: sender }).slice(0, -1);
  const lines = recipients.map((recipient) => JSON.stringify(encodeRecipient(recipient)));
  return encoder.encode(`${head},"recipients":[\n${lines.join(",\n")}\n]}\n`);
}

function encodeRecipient({ forwardPath, original, ...rest }: QueuedRecipient): unknown {
  return {
    forwardPath: printMailbox(forwardPath),
    ...original ? { original: printMailbox(original) } : {},
    ...rest,
  };
}

/** Reads such a content back. Throws DamagedError; `id` is what the file's name says. */
export function decodeEnvelope(bytes: Uint8Array, id: string): QueuedMessage {
  let json: unknown;
  try {
    json = JSON.parse(decoder.decode(bytes));
  } catch {
    throw new DamagedError("the envelope is no JSON");
  }
  const envelope = object(json, "the envelope");
  if (envelope.form !== FORM) throw new DamagedError("the envelope has an unknown form");
  if (envelope.id !== id) throw new DamagedError("the envelope belongs to another message");
  const recipients = array(envelope.recipients, "recipients").map(decodeRecipient);
  if (recipients.length === 0) throw new DamagedError("the envelope has no recipient");
  const reversePath = text(envelope.reversePath, "reversePath");
  return {
    id,
    arrived: number(envelope.arrived, "arrived"),
    reversePath: reversePath === "" ? null : mailbox(reversePath, "reversePath"),
    size: number(envelope.size, "size"),
    eightBit: boolean(envelope.eightBit, "eightBit"),
    delayReported: boolean(envelope.delayReported, "delayReported"),
    recipients,
  };
}

function decodeRecipient(json: unknown): QueuedRecipient {
  const recipient = object(json, "a recipient");
  const { original, last } = recipient;
  return {
    forwardPath: mailbox(text(recipient.forwardPath, "forwardPath"), "forwardPath"),
    ...original === undefined ? {} : { original: mailbox(text(original, "original"), "original") },
    state: oneOf(recipient.state, ["waiting", "delivered", "failed", "returned"], "state"),
    attempts: number(recipient.attempts, "attempts"),
    nextAttempt: number(recipient.nextAttempt, "nextAttempt"),
    ...last === undefined ? {} : { last: decodeLast(last) },
  };
}

function decodeLast(json: unknown): LastReply {
  const last = object(json, "last");
  const reply = object(last.reply, "reply");
  return {
    reply: {
      code: number(reply.code, "code"),
      status: visible(reply.status, "status"),
      lines: array(reply.lines, "lines").map((line) => visible(line, "a line of the reply")),
    },
    heard: boolean(last.heard, "heard"),
    ...last.host === undefined ? {} : { host: visible(last.host, "host") },
    ...last.security === undefined ? {} : { security: decodeSecurity(last.security) },
    time: number(last.time, "time"),
  };
}

function decodeSecurity(json: unknown): Security {
  const { protocol, verified } = object(json, "security");
  return {
    protocol: visible(protocol, "protocol"),
    ...verified === undefined ? {} : { verified: boolean(verified, "verified") },
  };
}

function object(json: unknown, what: string): Record<string, unknown> {
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    return json as Record<string, unknown>;
  }
  throw new DamagedError(`${what} is no object`);
}

function array(json: unknown, what: string): unknown[] {
  if (Array.isArray(json)) return json;
  throw new DamagedError(`${what} is no list`);
}

function text(json: unknown, what: string): string {
  if (typeof json === "string") return json;
  throw new DamagedError(`${what} is no text`);
}

/** Text for people's terminals: whoever wrote the file, nothing in it steers one. */
function visible(json: unknown, what: string): string {
  return text(json, what).replace(/[^ -~]/g, "?");
}

function number(json: unknown, what: string): number {
  if (typeof json === "number" && json >= 0 && json <= LAST_MOMENT) return json;
  throw new DamagedError(`${what} is no number`);
}

function boolean(json: unknown, what: string): boolean {
  if (typeof json === "boolean") return json;
  throw new DamagedError(`${what} is neither true nor false`);
}

function oneOf<T extends string>(json: unknown, words: readonly T[], what: string): T {
  const word = words.find((candidate) => candidate === json);
  if (word !== undefined) return word;
  throw new DamagedError(`${what} is none of ${words.join(", ")}`);
}

function mailbox(printed: string, what: string): Mailbox {
  const cursor = new Cursor(`<${printed}>`);
  try {
    // As a path, for a recipient may be the bare Postmaster.
    const { mailbox, route } = readForwardPath(cursor);
    if (!cursor.done || route.length > 0) throw new PathError("it is more than that");
    return mailbox;
  } catch (error) {
    if (!(error instanceof PathError)) throw error;
    throw new DamagedError(`${what} is no address: ${error.message}`);
  }
}
