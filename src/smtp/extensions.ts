/** The service extensions of a session: which it knows, and which its EHLO names just now. */

import { MECHANISMS } from "./sasl.ts";

/** The extensions that not every session knows. */
export interface Extensions {
  /** STARTTLS (RFC 3207), though it may have been used already. */
  readonly startTls: boolean;
  /** AUTH (RFC 4954). */
  readonly auth: boolean;
}

/** What the answer to EHLO depends on. */
export interface OfferFacts {
  /** Octets a text may have. */
  readonly maxMessageSize: number;
  /** TLS can be begun here, or has been. */
  readonly tls?: "offered" | "in use";
  /** Messages are submitted here. */
  readonly submission?: boolean;
  readonly loggedIn: boolean;
}

/** The keywords of EHLO (RFC 5321 4.1.1.1). */
export function keywords(facts: OfferFacts): string[] {
  return [
    "PIPELINING",
    `SIZE ${facts.maxMessageSize}`,
    "8BITMIME",
    "ENHANCEDSTATUSCODES",
    "HELP",
    ...offeredNow(facts),
  ];
}

/** A login is offered where it can be used and nowhere else (RFC 4954 6), TLS until it is in use. */
function offeredNow({ tls, submission = false, loggedIn }: OfferFacts): string[] {
  if (tls === "offered") return ["STARTTLS"];
  return submission && !loggedIn ? [`AUTH ${MECHANISMS.join(" ")}`] : [];
}
