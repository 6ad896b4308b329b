/** What a server has answered 250 to, beside what came of it. */

/** A copy is one message for one of its recipients. */
export interface Balance {
  /** Messages answered 250. */
  readonly acknowledged: number;
  /** Copies of those. */
  readonly copies: number;
  /** Of these copies. */
  readonly found: number;
  readonly lost: number;
  /** Found again: every time but the first. */
  readonly duplicates: number;
  /** Copies of messages that were handed in without an answer and came all the same. */
  readonly unacknowledged: number;
  /** Texts that are not whole, or nobody's. */
  readonly half: number;
}

export class Ledger {
  /** Recipients of messages handed in, by the messages' names. */
  readonly #sent = new Map<string, readonly string[]>();
  readonly #acknowledged = new Set<string>();
  /** How often a copy came. */
  readonly #copies = new Map<string, number>();
  readonly #comesSoon: (recipient: string) => boolean;
  #awaited = 0;
  #half = 0;

  /** `comesSoon` tells whose copies come while the run goes on; others are looked for in the end. */
  constructor(comesSoon: (recipient: string) => boolean = () => false) {
    this.#comesSoon = comesSoon;
  }

  /** Copies that are acknowledged, have not come yet and come soon. */
  get awaited(): number {
    return this.#awaited;
  }

  /** A message goes out; what comes back is still open. */
  sent(name: string, recipients: readonly string[]): void {
    this.#sent.set(name, recipients);
  }

  acknowledged(name: string): void {
    this.#acknowledged.add(name);
    this.#awaited += this.#missing(name).filter(this.#comesSoon).length;
  }

  /** A text came for a recipient. */
  came(name: string, recipient: string, whole: boolean): void {
    if (!whole || !this.#sent.get(name)?.includes(recipient)) {
      this.#half++;
      return;
    }
    const copy = `${name} ${recipient}`;
    const before = this.#copies.get(copy) ?? 0;
    this.#copies.set(copy, before + 1);
    const awaited = before === 0 && this.#acknowledged.has(name) && this.#comesSoon(recipient);
    if (awaited) this.#awaited--;
  }

  /** Names of messages with a copy that is acknowledged and has not come. */
  lost(): string[] {
    return [...this.#acknowledged].filter((name) => this.#missing(name).length > 0);
  }

  balance(): Balance {
    let [copies, lost] = [0, 0];
    for (const name of this.#acknowledged) {
      copies += this.#sent.get(name)!.length;
      lost += this.#missing(name).length;
    }
    let [duplicates, unacknowledged] = [0, 0];
    for (const [copy, times] of this.#copies) {
      duplicates += times - 1;
      if (!this.#acknowledged.has(copy.split(" ")[0]!)) unacknowledged++;
    }
    return {
      acknowledged: this.#acknowledged.size,
      copies,
      found: copies - lost,
      lost,
      duplicates,
      unacknowledged,
      half: this.#half,
    };
  }

  #missing(name: string): string[] {
    const recipients = this.#sent.get(name) ?? [];
    return recipients.filter((recipient) => !this.#copies.has(`${name} ${recipient}`));
  }
}
