/** Queues that are long, made in no time. */

import { encodeEnclosed } from "../../../src/queue/enclosed.ts";
import { encodeEnvelope, type QueuedMessage } from "../../../src/queue/envelope.ts";
import { MessageIds } from "../../../src/queue/id.ts";

const HOUR = 3600_000;
/** How long ago the first one came, and when it is tried again: sooner than the longest delay. */
const AGE = HOUR;
const WAIT = 3 * HOUR;

/** One attempt has been made for it, in vain. */
const LAST = {
  reply: { code: 451, status: "4.4.1", lines: ["127.0.0.1: connection refused"] },
  heard: false,
} as const;

const TEXT = new TextEncoder().encode("Subject: old\r\n\r\nold\r\n");

/**
 * Makes a spool with so many messages, none of them due within hours; nothing is synced.
 */
export function fillSpool(directory: string, messages: number): void {
  const queue = `${directory}/queue`;
  for (const part of ["tmp", "queue", "damaged", "requests"]) {
    Deno.mkdirSync(`${directory}/${part}`, { recursive: true });
  }
  const now = Date.now();
  let arrived = now - AGE;
  const ids = new MessageIds({ now: () => arrived, random: Math.random });
  for (let i = 0; i < messages; i++) {
    arrived = Math.floor(now - AGE + AGE / 2 * i / messages);
    const id = ids.next();
    const message = messageOf(id, arrived, now + WAIT + i);
    const [recipient] = message.recipients;
    const { last: _, ...untried } = recipient!;
    const enclosed = encodeEnclosed({ ...message, recipients: [{ ...untried, attempts: 0 }] });
    const file = new Uint8Array(TEXT.length + enclosed.length);
    file.set(TEXT);
    file.set(enclosed, TEXT.length);
    Deno.writeFileSync(`${queue}/${id}.eml`, file);
    Deno.writeFileSync(`${queue}/${id}.json`, encodeEnvelope(message));
  }
}

function messageOf(id: string, arrived: number, nextAttempt: number): QueuedMessage {
  return {
    id,
    arrived,
    reversePath: { localPart: "mary", domain: "client.example" },
    size: TEXT.length,
    eightBit: false,
    delayReported: false,
    recipients: [{
      forwardPath: { localPart: "box", domain: "other.example" },
      state: "waiting",
      attempts: 1,
      nextAttempt,
      last: { ...LAST, time: arrived },
    }],
  };
}

/** The names of all files of the queue. */
export function queueFiles(directory: string): ReadonlySet<string> {
  return new Set([...Deno.readDirSync(`${directory}/queue`)].map(({ name }) => name));
}

/** Removes what is in the queue besides these. */
export function removeOthers(directory: string, kept: ReadonlySet<string>): void {
  for (const name of queueFiles(directory)) {
    if (!kept.has(name)) Deno.removeSync(`${directory}/queue/${name}`);
  }
}
