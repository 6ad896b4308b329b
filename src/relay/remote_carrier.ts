/** Brings messages to the hosts of one domain, over one connection as long as that serves. */

import { MAX_RECIPIENTS } from "../smtp/client.ts";
import { type Reply, replyText } from "../smtp/reply.ts";
import { ChannelError, type Connection, type Outcome, PLAIN } from "./connection.ts";
import { Attempt, settlements, type Trouble } from "./attempt.ts";
import { placeOf } from "./hosts.ts";
import type { Carrier, Task } from "./line.ts";
import { openConnection, type OpeningParts } from "./opening.ts";
import {
  type Protection,
  type ProtectionFacts,
  type ProtectionFor,
  protectionOf,
} from "./protection.ts";
import { findTargets, RouteError, type RouteFacts, type Target } from "./route.ts";
import * as verdict from "./verdict.ts";

/** Milliseconds after which no further host is tried in the same attempt. */
const SEARCH = 10 * 60_000;

export interface RemoteParts extends OpeningParts {
  readonly route: RouteFacts;
  readonly protection: ProtectionFacts;
}

/** A host, how mail for this domain is to be protected on its way there, and the way there. */
interface Open {
  readonly target: Target;
  readonly protection: Protection;
  readonly connection: Connection;
}

/** This host stops. */
const CUT_SHORT: Trouble = { reply: verdict.interrupted, heard: false, cutShort: true };

/** The host lets others of us in, but no more. */
class NotWantedError extends Error {
  override name = "NotWantedError";
}

export class RemoteCarrier implements Carrier {
  readonly #domain: string;
  readonly #parts: RemoteParts;
  readonly #isServed: (place: string) => boolean;
  readonly #aborted = new AbortController();
  /** Ends the waits that an abort ends. */
  readonly #waits = new Set<() => void>();
  #open: Open | undefined;

  /**
   * `domain` is a name or an address literal; `isServed` tells whether another carrier of ours is
   * connected to a place.
   */
  constructor(
    domain: string,
    parts: RemoteParts,
    isServed: (place: string) => boolean = () => false,
  ) {
    this.#domain = domain;
    this.#parts = parts;
    this.#isServed = isServed;
  }

  get connectedTo(): string | undefined {
    return this.#open?.connection.isOpen ? placeOf(this.#open.target) : undefined;
  }

  async carry(task: Task): Promise<"tried" | "not wanted"> {
    try {
      await this.#carry(task);
      return "tried";
    } catch (error) {
      if (error instanceof NotWantedError) return "not wanted";
      throw error;
    }
  }

  /** Rejects with NotWantedError, and then nothing is settled. */
  async #carry(task: Task): Promise<void> {
    let left = task.recipients;
    while (left.length > 0) {
      // All servers take a hundred at once (RFC 5321 4.5.3.1.8).
      const some = left.slice(0, MAX_RECIPIENTS);
      const transaction = new Attempt(task, some);
      await this.#send(transaction);
      left = [...transaction.remaining, ...left.slice(some.length)];
      if (transaction.trouble) {
        // What kept these keeps the others too.
        await task.settle(settlements(left, transaction.trouble));
        return;
      }
      if (task.message.over) return;
    }
  }

  async rest(): Promise<void> {
    // It stays where an abort finds it.
    await this.#open?.connection.quit();
    this.#open = undefined;
  }

  abort(): void {
    this.#aborted.abort();
    this.#waits.forEach((end) => end());
    this.#open?.connection.close();
  }

  /** What comes of a wait, undefined where an abort comes first. Rejects with what the wait does. */
  async #unlessAborted<T>(wait: Promise<T>): Promise<T | undefined> {
    if (this.#aborted.signal.aborted) return undefined;
    const { promise: end, resolve } = Promise.withResolvers<undefined>();
    const endWait = () => resolve(undefined);
    this.#waits.add(endWait);
    try {
      return await Promise.race([wait, end]);
    } finally {
      this.#waits.delete(endWait);
    }
  }

  /** What protects this domain's mail, undefined where an abort comes before that is known. */
  #findProtection(): ProtectionFor | Promise<ProtectionFor | undefined> {
    const found = protectionOf(this.#domain, this.#parts.protection);
    return "then" in found ? this.#unlessAborted(found) : found;
  }

  /** Tries the open connection, then host after host, until all recipients have their answers. */
  async #send(attempt: Attempt): Promise<void> {
    const open = await this.#reusable();
    if (open) {
      await this.#transact(attempt, open);
      if (attempt.done) return;
      // An idle connection may be closed by the other end at any time: that tells nothing of it.
      attempt.forgive();
    }
    try {
      await this.#tryTargets(attempt);
    } catch (error) {
      if (!(error instanceof RouteError)) throw error;
      attempt.fail({ reply: error.reply, heard: false });
    }
    await attempt.giveUp(this.#aborted.signal.aborted ? CUT_SHORT : undefined);
  }

  /**
   * The open connection, where it still serves: a policy that was found meanwhile holds for the next
   * message too.
   */
  async #reusable(): Promise<Open | undefined> {
    if (!this.#open?.connection.usable) return undefined;
    const { target, connection } = this.#open;
    const protectionFor = await this.#findProtection();
    if (!protectionFor || !connection.usable) return undefined;
    const protection = protectionFor(target);
    const unproven = protection.tls === "verify" && !connection.security?.verified;
    if (!protection.barred && !unproven) return this.#open = { target, protection, connection };
    await this.rest();
    return undefined;
  }

  /** Rejects with RouteError. */
  async #tryTargets(attempt: Attempt): Promise<void> {
    const { route, hosts, clock } = this.#parts;
    const end = clock.now() + SEARCH;
    const protectionFor = await this.#findProtection();
    if (!protectionFor) return;
    const targets = findTargets(this.#domain, route);
    let barred: Trouble | undefined;
    while (!attempt.done && !this.#aborted.signal.aborted) {
      // A name server that keeps silent must not keep us from stopping.
      const next = await this.#unlessAborted(targets.next());
      // What came of a host that may be used stands, also where it is for good: no other may be.
      if (!next?.value) return barred && attempt.failAtLeast(barred);
      // What the others said is not final while one was not asked.
      if (clock.now() >= end) {
        return attempt.fail({ reply: verdict.searchedLong(this.#domain), heard: false });
      }
      const target = next.value;
      const protection = protectionFor(target);
      if (protection.barred) {
        barred ??= { reply: protection.barred, heard: false, host: target.host };
        continue;
      }
      const open = await this.#connect(attempt, target, protection);
      if (!open) continue;
      await this.#transact(attempt, open);
      if (attempt.turnedAway) hosts.markDown(target, attempt.turnedAway);
    }
  }

  async #connect(
    attempt: Attempt,
    target: Target,
    protection: Protection,
  ): Promise<Open | undefined> {
    const { hosts } = this.#parts;
    const reply = this.#remembered(target, protection);
    if (reply) {
      if (this.#isLeftToOthers(attempt, target, reply)) throw new NotWantedError();
      attempt.fail({ reply, heard: false, host: target.host });
      return undefined;
    }
    await this.rest();
    try {
      const connection = await openConnection(
        target,
        protection,
        this.#parts,
        this.#aborted.signal,
      );
      hosts.markUp(target);
      this.#tellOf({ target, protection, connection });
      return this.#open = { target, protection, connection };
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error;
      if (this.#isLeftToOthers(attempt, target, error.reply)) throw new NotWantedError();
      attempt.fail(
        this.#aborted.signal.aborted ? CUT_SHORT : this.#judge(error, target, protection),
      );
      return undefined;
    }
  }

  /**
   * Whether a host that turns us away for now serves others of us: it wants no more at a time, and who is
   * there brings this too. Not where some of the recipients have their answers already.
   */
  #isLeftToOthers({ undecided, task }: Attempt, target: Target, { code }: Reply): boolean {
    return code < 500 && undecided.length === task.recipients.length &&
      !this.#aborted.signal.aborted && this.#isServed(placeOf(target));
  }

  /** Why it did not work a moment ago. */
  #remembered(target: Target, protection: Protection): Reply | undefined {
    const { hosts } = this.#parts;
    const down = hosts.whyDown(target);
    if (down || protection.tls !== "verify") return down;
    const unproven = hosts.whyUnproven(target);
    return unproven && protection.judge(unproven);
  }

  #tellOf({ target: { host, address }, protection, connection }: Open): void {
    const { log } = this.#parts;
    const security = connection.security ?? PLAIN;
    const { protocol: tls, verified } = security;
    log.debug("connected", { host, address, tls, verified });
    const reason = protection.breach(security);
    if (reason !== undefined) {
      log.warn("policy not met", { domain: this.#domain, host, mode: "testing", reason });
    }
  }

  /** What it means that there is no connection to this host; it is remembered for a while. */
  #judge(error: ChannelError, target: Target, protection: Protection): Trouble {
    const { hosts, log } = this.#parts;
    const { host, address } = target;
    const { kind, heard, security } = error;
    const trouble = { host, ...security ? { security } : {} };
    const reply = replyText(error.reply);
    if (kind === "login") {
      // Whoever made the configuration is to mend that; the mail waits for it.
      log.error("relay login refused", { host, address, reply });
      const refusal = verdict.loginRefused(host, reply);
      hosts.markDown(target, refusal);
      return { ...trouble, reply: refusal, heard: false };
    }
    log.info("host unusable", { host, address, reply });
    if (protection.tls === "verify") {
      if (kind === "tls") {
        hosts.markUnproven(target, error.reply);
        return { ...trouble, reply: protection.judge(error.reply), heard };
      }
      // Nobody may send the mail back who has not proved who it is.
      if (error.reply.code >= 500 && !security?.verified) {
        return { ...trouble, reply: verdict.unprovenRefusal(host, reply), heard: false };
      }
    }
    // A 5yz to the greeting is an answer, and the next message may not care (RFC 5321 4.5.4.1).
    if (error.reply.code < 500) hosts.markDown(target, error.reply);
    return { ...trouble, reply: error.reply, heard };
  }

  async #transact(
    attempt: Attempt,
    { target, protection, connection }: Open,
  ): Promise<void> {
    const { message } = attempt.task;
    const { reversePath, size, eightBit } = message.message;
    const envelope = { reversePath, forwardPaths: attempt.undecided, size, eightBit };
    let outcome;
    try {
      outcome = await connection.send(envelope, message.text());
    } catch (error) {
      // Our own disk. A damaged message is over, another one may be read later.
      this.#parts.log.error("message unreadable", { id: message.message.id, error: String(error) });
      return await attempt.giveUp({ reply: verdict.unreadable, heard: false });
    }
    if (connection.declinedTls && outcome.results.some(insistsOnTls)) {
      const { host } = target;
      const why = protection.tls === "none" ? verdict.tlsForbidden(host) : verdict.needsTls;
      outcome = withoutTls(outcome, why);
      // The next connection tries it again.
      this.#parts.hosts.markTls(target);
      await this.rest();
    }
    const security = connection.security ?? PLAIN;
    await attempt.hear(outcome, { host: target.host, security });
  }
}

function insistsOnTls({ reply }: { readonly reply: Reply }): boolean {
  return reply.code === 530;
}

/**
 * A server that insists on TLS refuses because the handshake failed a while ago or is not wanted, not
 * because of the mail (RFC 3207 4): that passes.
 */
function withoutTls(outcome: Outcome, why: Reply): Outcome {
  const results = outcome.results.map((result) => {
    return insistsOnTls(result) ? { ...result, reply: why, heard: false } : result;
  });
  return { ...outcome, results };
}
