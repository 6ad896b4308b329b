/** Waiting messages as people and programs read them. */

import type { LastReply, QueuedMessage, QueuedRecipient, Security } from "../queue/envelope.ts";
import { printMailbox, printPath } from "../smtp/address.ts";
import { replyText } from "../smtp/reply.ts";

/** A message that cannot be read. */
export interface Damaged {
  readonly id: string;
  readonly damage: string;
}

/** The lines for one message. `now` is in milliseconds since 1970. */
export function listLines(message: QueuedMessage | Damaged, now: number): string[] {
  if ("damage" in message) return [`${message.id}  damaged: ${message.damage}`];
  const { id, arrived, size, reversePath, recipients } = message;
  const sender = reversePath === null ? "<> (a report)" : printPath(reversePath);
  return [
    `${id}  ${span(now - arrived).padStart(4)}  ${octets(size).padStart(6)}  from ${sender}`,
    ...recipients.map((recipient) => `    to ${recipientText(recipient, now)}`),
  ];
}

/** All there is to know of one message besides its text. */
export function showLines(message: QueuedMessage, now: number): string[] {
  const { id, arrived, size, eightBit, delayReported, reversePath, recipients } = message;
  return [
    `id: ${id}`,
    `from: ${printPath(reversePath)}`,
    `arrived: ${moment(arrived)} (${span(now - arrived)} ago)`,
    `size: ${size} octets${eightBit ? ", 8-bit" : ""}`,
    ...delayReported ? ["the sender has heard that it takes time"] : [],
    ...recipients.flatMap((recipient) => recipientLines(recipient, now)),
  ];
}

/** The same for programs: one JSON object. Times are as ISO 8601 writes them. */
export function jsonLine(message: QueuedMessage | Damaged): string {
  if ("damage" in message) return JSON.stringify(message);
  const { id, arrived, size, reversePath, recipients } = message;
  return JSON.stringify({
    id,
    arrived: moment(arrived),
    size,
    from: reversePath === null ? "" : printMailbox(reversePath),
    recipients: recipients.map(({ forwardPath, original, state, attempts, nextAttempt, last }) => ({
      to: printMailbox(forwardPath),
      ...original ? { original: printMailbox(original) } : {},
      state,
      attempts,
      ...state === "waiting" ? { nextAttempt: moment(nextAttempt) } : {},
      ...last
        ? {
          lastAttempt: moment(last.time),
          reply: replyText(last.reply),
          ...last.host === undefined ? {} : { host: last.host },
          ...last.security ? { tls: last.security.protocol, verified: last.security.verified } : {},
        }
        : {},
    })),
  });
}

function recipientText(recipient: QueuedRecipient, now: number): string {
  const { forwardPath, attempts, nextAttempt, last } = recipient;
  const parts = [stateText(recipient)];
  if (attempts > 0) parts.push(attempts === 1 ? "1 attempt" : `${attempts} attempts`);
  if (recipient.state === "waiting") {
    parts.push(nextAttempt > now ? `next in ${span(nextAttempt - now)}` : "next now");
  }
  const host = last?.heard && last.host !== undefined ? ` (${talkText(last)})` : "";
  const reply = last ? `: ${replyText(last.reply)}${host}` : "";
  return `${printPath(forwardPath)} ${parts.join(", ")}${reply}`;
}

function recipientLines(recipient: QueuedRecipient, now: number): string[] {
  const { forwardPath, original, state, attempts, nextAttempt, last } = recipient;
  const next = `${moment(nextAttempt)}${
    nextAttempt > now ? ` (in ${span(nextAttempt - now)})` : ""
  }`;
  return [
    `to: ${printPath(forwardPath)} ${stateText(recipient)}`,
    ...original ? [`    for: ${printPath(original)}`] : [],
    `    attempts: ${attempts}`,
    ...state === "waiting" ? [`    next: ${next}`] : [],
    ...last
      ? [
        `    last: ${moment(last.time)}${last.host === undefined ? "" : ` ${talkText(last)}`}`,
        `    ${last.heard ? "it said" : "we found"}: ${replyText(last.reply)}`,
      ]
      : [],
  ];
}

/** `mx.example.com, TLSv1.3 verified` */
function talkText({ host = "", security }: LastReply): string {
  return security ? `${host}, ${securityText(security)}` : host;
}

function securityText({ protocol, verified }: Security): string {
  if (protocol === "none") return "no TLS";
  // An old executable cannot tell.
  if (verified === undefined) return protocol;
  return `${protocol} ${verified ? "verified" : "not verified"}`;
}

function stateText({ state }: QueuedRecipient): string {
  return state === "failed" ? "failed, to be returned" : state;
}

function moment(time: number): string {
  return new Date(time).toISOString();
}

/** `45s`, `12m`, `7h`, `3d` */
function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)}m`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)}h`;
  return `${Math.round(seconds / 86_400)}d`;
}

function octets(size: number): string {
  if (size < 1024) return String(size);
  if (size < 1024 ** 2) return `${(size / 1024).toFixed(1)}K`;
  return `${(size / 1024 ** 2).toFixed(1)}M`;
}
