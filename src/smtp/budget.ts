/** What a client may do wrong before the channel is closed (RFC 5321 7.8). */

/**
 * Without a message between: ten bad commands, or a thousand recipients that are refused, or some of
 * each.
 */
const BUDGET = 1000;
export const BAD_COMMAND = 100;
export const REFUSED_RECIPIENT = 1;

export class Budget {
  #spent = 0;

  /** Whether there was as much left. */
  spend(amount: number): boolean {
    this.#spent += amount;
    return this.#spent <= BUDGET;
  }

  /** A message came: all is forgiven. */
  refill(): void {
    this.#spent = 0;
  }
}
