/** How a message gets on: what an attempt, its outcome and the time make of an envelope. Pure. */

import { type Mailbox, printMailbox } from "../smtp/address.ts";
import type { Reply } from "../smtp/reply.ts";
import type { QueuedMessage, QueuedRecipient, Security } from "./envelope.ts";

/** How long and how often is tried. All in milliseconds. */
export interface RetryPolicy {
  /** After the first attempt, the second …; the last one repeats. One at least. */
  readonly delays: readonly number[];
  /** After that long without success a recipient has failed. */
  readonly lifetime: number;
  /** After that long without success the sender hears that it takes time. */
  readonly notice: number;
}

/** What an attempt came to for one recipient. */
export interface Settlement {
  readonly forwardPath: Mailbox;
  readonly reply: Reply;
  /** Whether a server said it; otherwise it is our own judgement. */
  readonly heard: boolean;
  /** The server's name, where one was talked to. */
  readonly host?: string;
  /** How the connection to it was protected. */
  readonly security?: Security;
  /** It did not come to an answer, and nothing speaks against another attempt at once. */
  readonly cutShort?: boolean;
}

/** The waiting recipients whose time has come. */
export function dueRecipients({ recipients }: QueuedMessage, now: number): QueuedRecipient[] {
  return recipients.filter(({ state, nextAttempt }) => state === "waiting" && nextAttempt <= now);
}

/**
 * When there is something to do for a message: an attempt, a report. Infinity where all is done. What
 * is due at `now` already, and could not be done, is due at `later`.
 */
export function dueOf(
  message: QueuedMessage,
  { notice }: RetryPolicy,
  now = -Infinity,
  later = Infinity,
): number {
  const times = message.recipients.flatMap(({ state, nextAttempt }) => {
    // Who failed has a report to be sent, at any time.
    return state === "waiting" ? nextAttempt : state === "failed" ? 0 : [];
  });
  if (wantsNotice(message)) times.push(message.arrived + notice);
  return times.reduce((least, time) => Math.min(least, time <= now ? later : time), Infinity);
}

/** Nobody is to be asked for it any more. */
export function isDone({ recipients }: QueuedMessage): boolean {
  return recipients.every(({ state }) => state === "delivered" || state === "returned");
}

/**
 * An attempt begins for these recipients. The next one is set already, so that a crash in the
 * middle cannot make us try again and again; the last one comes when the lifetime ends.
 */
export function attempted(
  message: QueuedMessage,
  forwardPaths: readonly Mailbox[],
  now: number,
  policy: RetryPolicy,
): QueuedMessage {
  return change(message, forwardPaths, (recipient) => {
    const attempts = recipient.attempts + 1;
    return { ...recipient, attempts, nextAttempt: nextAttempt(message, attempts, now, policy) };
  });
}

/** The attempt was not made after all, and may follow at any time. */
export function withdrawn(
  message: QueuedMessage,
  forwardPaths: readonly Mailbox[],
  now: number,
): QueuedMessage {
  return change(message, forwardPaths, (recipient) => {
    return { ...recipient, attempts: recipient.attempts - 1, nextAttempt: now };
  });
}

/** When to try again after so many attempts. */
function nextAttempt(
  { arrived }: QueuedMessage,
  attempts: number,
  now: number,
  { delays, lifetime }: RetryPolicy,
): number {
  const end = arrived + lifetime;
  const next = now + delays[Math.min(Math.max(attempts, 1), delays.length) - 1]!;
  return now < end ? Math.min(next, end) : next;
}

/**
 * Attempts have come to this (RFC 5321 4.2.1: 2yz, 4yz, 5yz). The next one counts from their end: a
 * host that took its time is not tried again at once.
 */
export function settled(
  message: QueuedMessage,
  settlements: readonly Settlement[],
  now: number,
  policy: RetryPolicy,
): QueuedMessage {
  const byPath = new Map(settlements.map((one) => [printMailbox(one.forwardPath), one]));
  return change(message, settlements.map((one) => one.forwardPath), (recipient) => {
    const { reply, heard, host, security, cutShort } = byPath.get(
      printMailbox(recipient.forwardPath),
    )!;
    const state = reply.code < 300 ? "delivered" : reply.code >= 500 ? "failed" : "waiting";
    const { attempts } = recipient;
    return {
      ...recipient,
      state,
      ...cutShort && state === "waiting"
        ? { attempts: attempts - 1, nextAttempt: now }
        : { nextAttempt: nextAttempt(message, attempts, now, policy) },
      last: {
        reply,
        heard,
        ...host === undefined ? {} : { host },
        ...security === undefined ? {} : { security },
        time: now,
      },
    };
  });
}

/** Who has been tried to the end of the lifetime has failed (RFC 5321 4.5.4.1). */
export function expired(
  message: QueuedMessage,
  now: number,
  { lifetime }: RetryPolicy,
): QueuedMessage {
  if (now < message.arrived + lifetime) return message;
  const over = message.recipients.filter(({ state, attempts, nextAttempt }) => {
    return state === "waiting" && attempts > 0 && nextAttempt > now;
  });
  return change(message, over.map(({ forwardPath }) => forwardPath), (recipient) => {
    return { ...recipient, state: "failed" };
  });
}

/** The sender has heard of these, who failed. */
export function returned(
  message: QueuedMessage,
  failed: readonly QueuedRecipient[],
): QueuedMessage {
  const told = new Set(failed.map(({ forwardPath }) => printMailbox(forwardPath)));
  const recipients = message.recipients.map((recipient): QueuedRecipient => {
    const heard = recipient.state === "failed" && told.has(printMailbox(recipient.forwardPath));
    return heard ? { ...recipient, state: "returned" } : recipient;
  });
  return { ...message, recipients };
}

/** Whether it is time to tell the sender that it takes long. */
export function isNoticeDue(message: QueuedMessage, now: number, policy: RetryPolicy): boolean {
  const { arrived } = message;
  return wantsNotice(message) && now >= arrived + policy.notice && now < arrived + policy.lifetime;
}

/**
 * Makes every waiting recipient due. What came in while the clock was ahead would live for as much longer:
 * now it has a second lifetime at most. It cannot be told from a clock that is behind for a while, and
 * nothing may be given up too soon for that.
 */
export function hastened(
  message: QueuedMessage,
  now: number,
  { lifetime }: Pick<RetryPolicy, "lifetime">,
): QueuedMessage {
  const recipients = message.recipients.map((recipient) => {
    return recipient.state === "waiting" ? { ...recipient, nextAttempt: now } : recipient;
  });
  return { ...message, arrived: Math.min(message.arrived, now + lifetime), recipients };
}

/** A null reverse-path is never answered with mail (RFC 5321 4.5.5), nor is one without any attempt. */
function wantsNotice({ reversePath, delayReported, recipients }: QueuedMessage): boolean {
  return reversePath !== null && !delayReported &&
    recipients.some(({ state, attempts }) => state === "waiting" && attempts > 0);
}

/** Changes the waiting ones of these recipients. */
function change(
  message: QueuedMessage,
  forwardPaths: readonly Mailbox[],
  to: (recipient: QueuedRecipient) => QueuedRecipient,
): QueuedMessage {
  const wanted = new Set(forwardPaths.map(printMailbox));
  const recipients = message.recipients.map((recipient) => {
    const meant = recipient.state === "waiting" && wanted.has(printMailbox(recipient.forwardPath));
    return meant ? to(recipient) : recipient;
  });
  return { ...message, recipients };
}
