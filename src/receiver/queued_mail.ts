/** Mail that comes out of the queue into mailboxes of this host: what waited for one, and reports. */

import { ForwardError } from "../config/address_book.ts";
import { MaildirDelivery } from "../mailbox/maildir.ts";
import { DamagedError, newRecipient, type QueuedMessage } from "../queue/envelope.ts";
import type { Mailbox } from "../smtp/address.ts";
import { printPath } from "../smtp/address.ts";
import * as replies from "../smtp/reply.ts";
import type { Reply } from "../smtp/reply.ts";
import { returnPathField } from "../smtp/trace.ts";
import type { Backend } from "./backend.ts";
import { Places } from "./places.ts";
import { type Store, Storing, storingFailed } from "./storing.ts";

const encoder = new TextEncoder();

/**
 * Delivers a message of the queue; returns a reply for each recipient, in order. Rejects with
 * DamagedError where its text cannot be read.
 */
export async function deliverQueued(
  backend: Backend,
  message: QueuedMessage,
  recipients: readonly Mailbox[],
): Promise<Reply[]> {
  const results: Reply[] = [];
  for (const recipient of recipients) results.push(await deliver(backend, message, recipient));
  return results;
}

async function deliver(
  backend: Backend,
  message: QueuedMessage,
  recipient: Mailbox,
): Promise<Reply> {
  const { book, log } = backend;
  const { id, reversePath } = message;
  try {
    const destination = book.find(recipient.localPart);
    if (!destination) return replies.unknownUser;
    const places = new Places();
    places.add(recipient, destination);
    const away = await backend.presence.away(places.directories);
    if (away.length > 0) return replies.mailboxAway;
    await store(backend, message, places);
    log.info("message delivered", {
      id,
      from: printPath(reversePath),
      to: [printPath(recipient)],
      size: message.size,
      mailbox: places.directories,
    });
    return replies.stored(id);
  } catch (error) {
    if (error instanceof DamagedError) throw error;
    if (error instanceof ForwardError) return replies.unknownUser;
    const reply = storingFailed(error);
    log.error("mailbox trouble", { id, to: printPath(recipient), error: String(error) });
    return reply;
  }
}

/** Into the directories, and into the queue again for those on other hosts. */
async function store(backend: Backend, message: QueuedMessage, places: Places): Promise<void> {
  const { disk, names, spool, ids, now } = backend;
  const { reversePath } = message;
  const top = encoder.encode(returnPathField(reversePath));
  const stores: Store[] = [];
  if (places.directories.length > 0) {
    stores.push(new MaildirDelivery(disk, names, places.directories, top));
  }
  const id = ids.next();
  if (places.remote.length > 0) {
    const time = now();
    const recipients = places.remote.map((one) => {
      return newRecipient(one.forwardPath, time, one.original);
    });
    stores.push(spool.receive({ id, arrived: time, reversePath, recipients }));
  }
  const storing = new Storing(stores);
  try {
    for await (const piece of spool.text(message)) await storing.write(piece);
  } catch (error) {
    await storing.discard();
    throw error;
  }
  await storing.store();
  if (places.remote.length > 0) backend.queued(id);
}
