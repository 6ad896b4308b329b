/**
 * What a client may do in vain before the channel is closed (RFC 5321 7.8), so that it keeps nobody
 * from being served and fills no log.
 */

import type { Command } from "./command.ts";
import type { Reply } from "./reply.ts";

/**
 * Without a message between: ten bad commands or failed logins, a thousand of whatever else is refused
 * for good, ten thousand of what is for now, or some of each. Among the last are recipients too many,
 * of whom a list may have some thousand and still send to those who were accepted (RFC 5321 4.5.3.1.10).
 */
const REFUSALS = 10_000;
const BAD_COMMAND = 1000;
const REFUSED_FOR_GOOD = 10;
const REFUSED_FOR_NOW = 1;

/**
 * Commands without a message between. A message needs one besides its recipients and DATA, a session a
 * handful more, and a client that has nothing to send just now says one every few minutes.
 */
const COMMANDS = 100;

/** Counts what leads nowhere. */
export class Budget {
  #refused = 0;
  #commands = 0;

  /** Takes up a command; whether there was one left. */
  take(verb: Command["verb"]): boolean {
    // MAIL pays for the whole transaction, and whoever leaves needs no invitation.
    if (verb !== "RCPT" && verb !== "DATA" && verb !== "QUIT") this.#commands++;
    return this.#commands <= COMMANDS;
  }

  /** Pays for what got this negative reply; whether there was as much left. */
  pay({ code }: Reply): boolean {
    if (isBad(code)) this.#refused += BAD_COMMAND;
    else this.#refused += code >= 500 ? REFUSED_FOR_GOOD : REFUSED_FOR_NOW;
    return this.#refused <= REFUSALS;
  }

  /** A message came: all is forgiven. */
  refill(): void {
    this.#refused = this.#commands = 0;
  }
}

/**
 * Errors of syntax and order (50z and 555), what comes before TLS and a login (530), and credentials
 * that are wrong (535). What is refused for its content is less: a sender may be new to it.
 */
function isBad(code: number): boolean {
  return code >= 500 && code < 510 || code === 530 || code === 535 || code === 555;
}
