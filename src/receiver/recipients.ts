/** Which recipients this host takes mail for. */

import type { AddressBook, Destination } from "../config/address_book.ts";
import type { Mailbox } from "../smtp/address.ts";
import { sameDomain } from "../smtp/address.ts";
import * as replies from "../smtp/reply.ts";
import type { Reply } from "../smtp/reply.ts";

/** The answer to one RCPT; a positive one comes with the place where the mail ends. */
export interface Decision {
  readonly reply: Reply;
  readonly destination?: Destination;
}

/**
 * Decides on one recipient. `ownLiteral` is the address literal of this end of the connection: mail
 * for it is as local as mail for a configured name.
 */
export function decideRecipient(
  book: AddressBook,
  forwardPath: Mailbox,
  ownLiteral: string,
): Decision {
  const { localPart, domain } = forwardPath;
  if (!book.isLocal(domain) && !sameDomain(domain, ownLiteral)) {
    return { reply: replies.relayDenied };
  }
  const destination = book.find(localPart);
  if (!destination) return { reply: replies.unknownUser };
  // There is no way out of this host, so a forward to elsewhere is a relay that is denied.
  if (destination.remote.length > 0) return { reply: replies.relayDenied };
  return { reply: replies.recipientOk, destination };
}
