/**
 * What a client may do in vain before the channel is closed (RFC 5321 7.8), so that it keeps nobody
 * from being served and fills no log.
 */

import type { Command } from "./command.ts";
import type { Reply } from "./reply.ts";

/**
 * Without a message between: ten bad commands or failed logins, or a thousand of whatever else is
 * refused, or some of each.
 */
const REFUSALS = 1000;
const BAD_COMMAND = 100;
const OTHER_REFUSAL = 1;

/**
 * Commands without a message between. A message needs two besides its recipients, a session a handful
 * more, and a client that has nothing to send just now says one every few minutes.
 */
const COMMANDS = 100;

/** Counts what leads nowhere. */
export class Budget {
  #refused = 0;
  #commands = 0;

  /** Takes up a command; whether there was one left. */
  take(verb: Command["verb"]): boolean {
    // Recipients have limits of their own, and whoever leaves needs no invitation.
    if (verb !== "RCPT" && verb !== "QUIT") this.#commands++;
    return this.#commands <= COMMANDS;
  }

  /** Pays for what got this negative reply; whether there was as much left. */
  pay({ code }: Reply): boolean {
    this.#refused += isBad(code) ? BAD_COMMAND : OTHER_REFUSAL;
    return this.#refused <= REFUSALS;
  }

  /** A message came: all is forgiven. */
  refill(): void {
    this.#refused = this.#commands = 0;
  }
}

/**
 * Errors of syntax and order (50z and 555), what comes before TLS and a login (530), and credentials
 * that are wrong (535). What is refused for its content, or for now, is less: a sender may be new to it.
 */
function isBad(code: number): boolean {
  return code >= 500 && code < 510 || code === 530 || code === 535 || code === 555;
}
