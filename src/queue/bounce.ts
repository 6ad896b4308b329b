/** Reports to senders, through the same queue that their messages waited in (RFC 5321 6.1, RFC 3464). */

import {
  type LastReply,
  newRecipient,
  type QueuedMessage,
  type QueuedRecipient,
} from "./envelope.ts";
import type { MessageIds } from "./id.ts";
import { headerOf, type ReportedRecipient, reportText } from "./report.ts";
import type { Spool } from "./spool.ts";

/** Octets of a message's header that go back with a report. */
const MOST_HEADER = 32 * 1024;
/** The status of who was tried until the lifetime's end (RFC 3463 3.5: delivery time expired). */
const EXPIRED = "4.4.7";

const NEVER_TRIED: LastReply["reply"] = { code: 451, status: "4.4.1", lines: ["No attempt yet"] };
/** This host went down in the middle of every attempt. */
const NO_OUTCOME: LastReply["reply"] = {
  code: 451,
  status: "4.3.0",
  lines: ["No answer is known"],
};

export interface BounceParts {
  readonly spool: Spool;
  readonly ids: MessageIds;
  /** Own name. */
  readonly host: string;
}

/**
 * Puts a report about these recipients of a message into the queue. Returns the report's id; it is
 * durable then. Undefined where there is nobody to tell, the reverse-path being null. Rejects with
 * disk errors, and with DamagedError where the message's text is.
 */
export async function report(
  { spool, ids, host }: BounceParts,
  kind: "failed" | "delayed",
  message: QueuedMessage,
  recipients: readonly QueuedRecipient[],
  now: number,
  retryUntil: number,
): Promise<string | undefined> {
  const { id, arrived, reversePath } = message;
  if (reversePath === null) return undefined;
  const reportId = ids.next();
  const text = reportText({
    kind,
    host,
    id,
    reportId,
    arrived,
    now,
    to: reversePath,
    recipients: recipients.map(reported),
    ...kind === "delayed" ? { retryUntil } : {},
    header: await readHeader(spool, message),
  });
  const delivery = spool.receive({
    id: reportId,
    arrived: now,
    reversePath: null,
    recipients: [newRecipient(reversePath, now)],
  });
  try {
    await delivery.write(text);
    await delivery.stage();
    await delivery.publish();
  } catch (error) {
    await delivery.discard();
    throw error;
  }
  return reportId;
}

function reported(recipient: QueuedRecipient): ReportedRecipient {
  const { forwardPath, original, state, attempts, last } = recipient;
  const { reply, heard, host, time } = last ??
    { reply: attempts > 0 ? NO_OUTCOME : NEVER_TRIED, heard: false, time: 0 };
  const gaveUp = state === "failed" && reply.code < 500;
  return {
    forwardPath,
    ...original ? { original } : {},
    reply,
    heard,
    ...host === undefined ? {} : { host },
    time,
    ...gaveUp ? { status: EXPIRED } : {},
  };
}

async function readHeader(spool: Spool, message: QueuedMessage): Promise<Uint8Array> {
  for await (const piece of spool.text(message)) return headerOf(piece, MOST_HEADER);
  return new Uint8Array(0);
}
