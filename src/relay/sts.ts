/** The policies of the domains that mail goes to (MTA-STS, RFC 8461), found and remembered. */

import { type Clock, isRecent } from "../clock.ts";
import type { Log } from "../log.ts";
import { isDomainName } from "../smtp/address.ts";
import type { TextResolver } from "./resolver.ts";
import type { HeldPolicy, StsMemory } from "./sts_memory.ts";
import { parseStsPolicy, parseStsRecord, type StsPolicy } from "./sts_policy.ts";

export interface StsPolicies {
  /**
   * The policy that holds for mail to this domain, undefined where it has none. An address literal
   * has none (RFC 8461 3.4). May take as long as looking up and fetching does; never rejects.
   */
  policyFor(domain: string): Promise<StsPolicy | undefined>;
  /** Looks at every domain anew from now on. Policies that hold go on to do so (RFC 8461 5.1). */
  forget(): void;
}

export interface StsParts {
  /** The TXT records of a name. Better not out of a memory: here is one already. */
  readonly txt: TextResolver["txt"];
  /** The text of a domain's policy. Rejects where there is none to be had. */
  readonly fetch: (domain: string) => Promise<string>;
  /** Where the policies are that hold at the next start too. */
  readonly memory: StsMemory;
  readonly clock: Pick<Clock, "now">;
  readonly log: Pick<Log, "warn">;
}

/** Domains with a policy that holds, and as many others. */
const MAX_DOMAINS = 1000;

const MINUTE = 60 * 1000;
/**
 * After that a domain's record is looked at again; until then a failure is not tried again, and a
 * policy holds however short its time is.
 */
const LOOK_AGAIN = 5 * MINUTE;
/** After that a policy is fetched again though its id is the same, long before it expires. */
const FETCH_AGAIN = 24 * 60 * MINUTE;

/** Characters of an error in the log. */
const MAX_ERROR = 300;

/** What is known of a domain. */
interface Entry {
  /** When its record was last looked at. */
  looked: number | undefined;
  held: HeldPolicy | undefined;
  /** Under way: whoever asks meanwhile shares it. */
  looking: Promise<void> | undefined;
}

/**
 * Keeps what it finds for as long as it holds, of 1000 domains at most; those without a policy do not
 * push out those with one.
 */
export class CachedStsPolicies implements StsPolicies {
  readonly #parts: StsParts;
  /** The one that was looked at longest ago comes first. */
  readonly #entries = new Map<string, Entry>();

  constructor(parts: StsParts) {
    this.#parts = parts;
  }

  /** Takes up what was kept at an earlier start; before anything is asked for. Never rejects. */
  async recall(): Promise<void> {
    for (const [name, held] of await this.#parts.memory.recall()) {
      this.#entries.set(name, { looked: undefined, held, looking: undefined });
    }
  }

  async policyFor(domain: string): Promise<StsPolicy | undefined> {
    const name = domain.toLowerCase();
    if (!isDomainName(name)) return undefined;
    const entry = this.#entryOf(name);
    await entry.looking;
    return entry.held?.policy;
  }

  forget(): void {
    for (const [name, { held }] of this.#entries) {
      if (held) this.#entries.set(name, { looked: undefined, held, looking: undefined });
      else this.#entries.delete(name);
    }
  }

  /** What is known, or will be when `looking` is done. */
  #entryOf(name: string): Entry {
    const entry = this.#entries.get(name) ??
      { looked: undefined, held: undefined, looking: undefined };
    if (entry.looking || this.#isFresh(entry)) return entry;
    entry.looking = this.#look(name, entry);
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    this.#bound();
    return entry;
  }

  #isFresh({ looked, held }: Entry): boolean {
    if (looked === undefined || !this.#isRecent(LOOK_AGAIN, looked)) return false;
    return !held || this.#holds(held);
  }

  #holds({ policy, fetched }: HeldPolicy): boolean {
    return this.#isRecent(Math.max(policy.maxAge * 1000, LOOK_AGAIN), fetched);
  }

  #isRecent(milliseconds: number, since: number): boolean {
    return isRecent(milliseconds, since, this.#parts.clock.now());
  }

  async #look(name: string, entry: Entry): Promise<void> {
    // It may run out meanwhile: what counts is that mail goes by it now.
    if (entry.held && !this.#holds(entry.held)) entry.held = undefined;
    const before = entry.held;
    try {
      entry.held = await this.#find(name, before);
    } catch (error) {
      this.#tell(name, error, before);
    }
    entry.looked = this.#parts.clock.now();
    entry.looking = undefined;
    // Not where all was forgotten meanwhile: somebody may have found a newer one.
    if (entry.held !== before && this.#entries.get(name) === entry) {
      this.#bound();
      this.#keep();
    }
  }

  /** The domain's policy as it is now. Rejects where that cannot be found out. */
  async #find(name: string, held: HeldPolicy | undefined): Promise<HeldPolicy | undefined> {
    const { txt, fetch, clock } = this.#parts;
    const id = await idOf(txt, name, held);
    // That there is no record any more does not end a policy (RFC 8461 3.1).
    if (id === undefined) return held;
    if (held?.id === id && this.#isRecent(FETCH_AGAIN, held.fetched)) return held;
    const policy = parseStsPolicy(await fetch(name));
    return { id, policy, fetched: clock.now() };
  }

  /** Who withdraws a policy may take its host away, which is no trouble (RFC 8461 3.3, 8.3). */
  #tell(domain: string, error: unknown, held: HeldPolicy | undefined): void {
    if (held?.policy.mode === "none") return;
    const why = error instanceof Error ? error.message : String(error);
    const text = why.replace(/[^ -~]/g, "?").slice(0, MAX_ERROR);
    this.#parts.log.warn("policy unusable", { domain, error: text });
  }

  #bound(): void {
    const all = Map.groupBy(
      this.#entries,
      ([, { held }]) => held !== undefined && this.#holds(held),
    );
    for (const entries of all.values()) {
      for (const [name] of entries.slice(0, -MAX_DOMAINS)) this.#entries.delete(name);
    }
  }

  #keep(): void {
    const holding = [...this.#entries].flatMap(([name, { held }]) => {
      return held && this.#holds(held) ? [[name, held] as const] : [];
    });
    this.#parts.memory.keep(new Map(holding));
  }
}

/** The id in the domain's record. */
async function idOf(
  txt: StsParts["txt"],
  domain: string,
  held: HeldPolicy | undefined,
): Promise<string | undefined> {
  try {
    const answer = await txt(`_mta-sts.${domain}`);
    return answer.kind === "records" ? parseStsRecord(answer.records) : undefined;
  } catch (error) {
    // Most domains have no policy, and the route tells of a name server that gives no answer.
    if (held) throw error;
    return undefined;
  }
}
