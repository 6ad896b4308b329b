/** Which recipients this host takes mail for. */

import type { AddressBook, Destination } from "../config/address_book.ts";
import type { Mailbox } from "../smtp/address.ts";
import { sameDomain } from "../smtp/address.ts";
import * as replies from "../smtp/reply.ts";
import type { Reply } from "../smtp/reply.ts";

/** The answer to one RCPT; a positive one comes with the places where the mail goes. */
export interface Decision {
  readonly reply: Reply;
  readonly destination?: Destination;
}

/** What there is to know about the client of a connection. */
export interface ClientFacts {
  /** The address literal of this end: mail for it is as local as mail for a configured name. */
  readonly ownLiteral: string;
  /** Whether it may send to anyone, as RELAY_FROM has it. */
  readonly mayRelay: boolean;
}

/** Whether mail for a domain ends here, as the client of a connection sees it. */
export function isLocalDomain(
  book: AddressBook,
  domain: string,
  { ownLiteral }: Pick<ClientFacts, "ownLiteral">,
): boolean {
  return book.isLocal(domain) || sameDomain(domain, ownLiteral);
}

/**
 * Decides on one recipient. Only the mailbox itself counts, whatever a source route, a percent sign
 * or quotes in its local-part seem to say (RFC 5321 3.6.1, appendix F.2).
 */
export function decideRecipient(
  book: AddressBook,
  forwardPath: Mailbox,
  { ownLiteral, mayRelay }: ClientFacts,
): Decision {
  const { localPart, domain } = forwardPath;
  if (isLocalDomain(book, domain, { ownLiteral })) {
    // Where a user's mail is forwarded to is the configuration's choice, so it is open to everyone.
    const destination = book.find(localPart);
    return destination
      ? { reply: replies.recipientOk, destination }
      : { reply: replies.unknownUser };
  }
  if (!mayRelay) return { reply: replies.relayDenied };
  return { reply: replies.recipientOk, destination: { directories: [], remote: [forwardPath] } };
}
