/** What a client may do wrong before the channel is closed (RFC 5321 7.8), so that it fills no log. */

import type { Reply } from "./reply.ts";

/**
 * Without a message between: ten bad commands or failed logins, or a thousand of whatever else is
 * refused, or some of each.
 */
const BUDGET = 1000;
const BAD_COMMAND = 100;
const REFUSAL = 1;

/** Counts what a client does wrong. */
export class Budget {
  #spent = 0;

  /** Pays for what got this negative reply; whether there was as much left. */
  pay({ code }: Reply): boolean {
    // A 4yz is no fault: who has too many recipients is to hear so each time (RFC 5321 4.5.3.1.10).
    if (code >= 500) this.#spent += isBad(code) ? BAD_COMMAND : REFUSAL;
    return this.#spent <= BUDGET;
  }

  /** A message came: all is forgiven. */
  refill(): void {
    this.#spent = 0;
  }
}

/**
 * Errors of syntax and order (50z and 555), what comes before TLS and a login (530), and credentials
 * that are wrong (535). What is refused for its content is less: a sender may be new to it.
 */
function isBad(code: number): boolean {
  return code >= 500 && code < 510 || code === 530 || code === 535 || code === 555;
}
