/** Who may try how many passwords, and how soon: bookkeeping alone, time is handed in. */

import { Recent } from "./recent.ts";

/** Milliseconds after the last failure; then all of them are forgotten. */
const WINDOW = 15 * 60_000;
/** Milliseconds from a failure to the next attempt of the same network: after the first, the second… */
const DELAYS = [1000, 2000, 4000, 8000, 16_000] as const;
/** Failures of one network, whatever the names. */
const MOST = 10;
/** Failures for a name, from everywhere, after which whoever was among them has fewer tries. */
const MUCH_TRIED = 20;
/** Failures of one network for such a name. */
const FEW = 3;
/** Networks, and names, that are remembered. */
const REMEMBERED = 10_000;
/** Milliseconds that a network is known for a login that was accepted. */
const KNOWN = 24 * 60 * 60_000;

/** What a network has to its account. */
interface Debt {
  /** Failures by name; ten together, as there is no further attempt then. */
  readonly byName: Map<string, number>;
  /** What was tried in vain, as fingerprints; as many as there can be failures. */
  readonly tried: readonly string[];
  /** Milliseconds since 1970. */
  readonly last: number;
}

/** Whose attempt comes first where more than one waits: the lower one's. */
export enum Standing {
  /** A login from there was accepted lately. */
  Known,
  /** Nothing is known against it. */
  Unknown,
  /** It has failed. */
  Failing,
}

/**
 * Counts by network, so one's failures never keep another from its login, also with the same name:
 * only who has failed for a name itself has fewer tries for it.
 *
 * Where there are too many the oldest are forgotten, which no guesser gains by: two passwords at once,
 * 50 ms each, are 36,000 in those 15 minutes, and ten tries of each of 3,600 networks use that up before
 * 10,000 networks have failed. What makes a network known is pushed out by accepted logins alone.
 */
export class LoginLimits {
  readonly #debts = new Recent<Debt>({ window: WINDOW, most: REMEMBERED });
  readonly #names = new Recent<number>({ window: WINDOW, most: REMEMBERED });
  readonly #known = new Recent<true>({ window: KNOWN, most: REMEMBERED });
  /** Networks one of whose attempts waits for its delay to pass. */
  readonly #waiting = new Set<string>();
  /** Attempts whose passwords are being verified. */
  readonly #trying = new Map<string, number>();

  /** Milliseconds that an attempt must wait, then `waited` is called; undefined where it may not try. */
  enter(network: string, name: string, now: number): number | undefined {
    if (!this.#mayFail(network, name, now)) return undefined;
    const debt = this.#debts.get(network, now);
    const delay = DELAYS[Math.min(failures(debt), DELAYS.length) - 1] ?? 0;
    const wait = debt ? Math.min(delay, Math.max(0, debt.last + delay - now)) : 0;
    if (wait === 0) return 0;
    // Many connections at once are no way around the delay.
    if (this.#waiting.has(network)) return undefined;
    this.#waiting.add(network);
    return wait;
  }

  /** Whether an attempt of this network waits; another one does not wait behind it. */
  isWaiting(network: string): boolean {
    return this.#waiting.has(network);
  }

  /** The wait is over. */
  waited(network: string): void {
    this.#waiting.delete(network);
  }

  /** Whether a password may be verified now; then `end`, after `failed` or `accepted`. */
  begin(network: string, name: string, now: number): boolean {
    if (!this.#mayFail(network, name, now)) return false;
    this.#trying.set(network, (this.#trying.get(network) ?? 0) + 1);
    return true;
  }

  end(network: string): void {
    const left = (this.#trying.get(network) ?? 1) - 1;
    if (left > 0) this.#trying.set(network, left);
    else this.#trying.delete(network);
  }

  /** `fingerprint` is of the name and password that were wrong. */
  failed(network: string, name: string, fingerprint: string, now: number): void {
    const { byName = new Map<string, number>(), tried = [] } = this.#debts.get(network, now) ?? {};
    byName.set(name, (byName.get(name) ?? 0) + 1);
    this.#debts.put(
      network,
      { byName, tried: [...tried, fingerprint].slice(-MOST), last: now },
      now,
    );
    this.#names.put(name, (this.#names.get(name, now) ?? 0) + 1, now);
  }

  /** Forgives the failures for this name, not those for others: one account is no key to the rest. */
  accepted(network: string, name: string, now: number): void {
    this.#debts.get(network, now)?.byName.delete(name);
    this.#known.put(network, true, now);
  }

  /** Whether the same was wrong before. A program that keeps an old password guesses nothing. */
  isRepeated(network: string, fingerprint: string, now: number): boolean {
    return this.#debts.get(network, now)?.tried.includes(fingerprint) ?? false;
  }

  standing(network: string, now: number): Standing {
    if (failures(this.#debts.get(network, now)) > 0) return Standing.Failing;
    return this.#known.get(network, now) ? Standing.Known : Standing.Unknown;
  }

  /** Whether one more failure, beside those that may be coming, is within what a network has. */
  #mayFail(network: string, name: string, now: number): boolean {
    const debt = this.#debts.get(network, now);
    const trying = this.#trying.get(network) ?? 0;
    if (failures(debt) + trying >= MOST) return false;
    const own = debt?.byName.get(name) ?? 0;
    const muchTried = (this.#names.get(name, now) ?? 0) > MUCH_TRIED;
    return own === 0 || !muchTried || own + trying < FEW;
  }
}

function failures(debt: Debt | undefined): number {
  let sum = 0;
  for (const count of debt?.byName.values() ?? []) sum += count;
  return sum;
}
