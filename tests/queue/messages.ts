/** Messages as they wait, for tests. */

import {
  newRecipient,
  type QueuedMessage,
  type QueuedRecipient,
} from "../../src/queue/envelope.ts";
import type { RetryPolicy, Settlement } from "../../src/queue/progress.ts";
import { parseMailbox } from "../../src/smtp/address.ts";
import type { Reply } from "../../src/smtp/reply.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const ARRIVED = Date.UTC(2026, 10, 22, 12);
export const FRED = parseMailbox("fred@me.example");

/** The preset RETRY_DELAYS and QUEUE_LIFETIME. */
export const POLICY: RetryPolicy = {
  delays: [5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR],
  lifetime: 5 * DAY,
  notice: 4 * HOUR,
};

/** The id of the nth message. */
export const idOf = (n: number) => `id${String(n).padStart(13, "0")}`;

/** A recipient who is due at once, but for what `rest` says. */
export function recipient(address: string, rest: Partial<QueuedRecipient> = {}): QueuedRecipient {
  return { ...newRecipient(parseMailbox(address), ARRIVED), ...rest };
}

/** A message from Fred that has just come, but for what `rest` says. */
export function message(rest: Partial<QueuedMessage> = {}): QueuedMessage {
  return {
    id: idOf(1),
    arrived: ARRIVED,
    reversePath: FRED,
    size: 100,
    eightBit: false,
    delayReported: false,
    recipients: [recipient("jones@x.y")],
    ...rest,
  };
}

/** A reply of this code. */
export function reply(code: number): Reply {
  return { code, status: `${Math.floor(code / 100)}.0.0`, lines: [`reply ${code}`] };
}

/** What a server said about a recipient. */
export function settlement(
  address: string,
  code: number,
  rest: Partial<Settlement> = {},
): Settlement {
  return { forwardPath: parseMailbox(address), reply: reply(code), heard: true, ...rest };
}
