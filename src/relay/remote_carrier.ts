/** Brings messages to the hosts of one domain, over one connection as long as that serves. */

import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { MAX_RECIPIENTS } from "../smtp/client.ts";
import { type Reply, replyText } from "../smtp/reply.ts";
import { ChannelError, Connection, type Outcome, type Timeouts } from "./connection.ts";
import { Attempt, settlements, type Trouble } from "./attempt.ts";
import type { Carrier } from "./courier.ts";
import type { HostMemory } from "./hosts.ts";
import type { Task } from "./line.ts";
import { findTargets, RouteError, type RouteFacts, type Target } from "./route.ts";
import * as verdict from "./verdict.ts";
import type { Dialer } from "./wire.ts";

/** Milliseconds for a TCP connection; there may be another address to try. */
const CONNECT = 30_000;
/** Milliseconds after which no further host is tried in the same attempt. */
const SEARCH = 10 * 60_000;

export interface RemoteParts {
  readonly route: RouteFacts;
  readonly dialer: Dialer;
  readonly hosts: HostMemory;
  readonly clock: Clock;
  readonly log: Log;
  /** Own name for EHLO. */
  readonly host: string;
  readonly timeouts?: Timeouts;
}

/** This host stops. */
const CUT_SHORT: Trouble = { reply: verdict.interrupted, heard: false, cutShort: true };

export class RemoteCarrier implements Carrier {
  readonly #domain: string;
  readonly #parts: RemoteParts;
  readonly #aborted = new AbortController();
  readonly #abortion: Promise<undefined>;
  #open: { readonly target: Target; readonly connection: Connection } | undefined;

  /** `domain` is a name or an address literal. */
  constructor(domain: string, parts: RemoteParts) {
    this.#domain = domain;
    this.#parts = parts;
    this.#abortion = new Promise((resolve) => {
      this.#aborted.signal.addEventListener("abort", () => resolve(undefined));
    });
  }

  async carry(task: Task): Promise<void> {
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
    this.#open?.connection.close();
  }

  /** Tries the open connection, then host after host, until all recipients have their answers. */
  async #send(attempt: Attempt): Promise<void> {
    if (this.#open?.connection.usable) {
      await this.#transact(attempt, this.#open);
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

  /** Rejects with RouteError. */
  async #tryTargets(attempt: Attempt): Promise<void> {
    const { route, hosts, clock } = this.#parts;
    const targets = findTargets(this.#domain, route);
    const end = clock.now() + SEARCH;
    while (!attempt.done && !this.#aborted.signal.aborted) {
      // A name server that keeps silent must not keep us from stopping.
      const next = await Promise.race([targets.next(), this.#abortion]);
      if (!next?.value) return;
      // What the others said is not final while one was not asked.
      if (clock.now() >= end) {
        return attempt.fail({ reply: verdict.searchedLong(this.#domain), heard: false });
      }
      const target = next.value;
      const open = await this.#connect(attempt, target);
      if (!open) continue;
      await this.#transact(attempt, open);
      if (attempt.turnedAway) hosts.markDown(target, attempt.turnedAway);
    }
  }

  async #connect(
    attempt: Attempt,
    target: Target,
  ): Promise<{ target: Target; connection: Connection } | undefined> {
    const { hosts, log } = this.#parts;
    const remembered = hosts.whyDown(target);
    if (remembered) {
      attempt.fail({ reply: remembered, heard: false, host: target.host });
      return undefined;
    }
    await this.rest();
    try {
      const connection = await this.#greet(target);
      hosts.markUp(target);
      log.debug("connected", {
        host: target.host,
        address: target.address,
        tls: connection.security?.protocol,
        verified: connection.security?.authorized,
      });
      return this.#open = { target, connection };
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error;
      const { reply, heard } = error;
      if (!this.#aborted.signal.aborted) {
        // A 5yz to the greeting is an answer, and the next message may not care (RFC 5321 4.5.4.1).
        if (reply.code < 500) hosts.markDown(target, reply);
        log.info("host unusable", {
          host: target.host,
          address: target.address,
          reply: replyText(reply),
        });
      }
      attempt.fail({ reply, heard, host: target.host });
      return undefined;
    }
  }

  async #greet(target: Target): Promise<Connection> {
    const { hosts, log } = this.#parts;
    if (hosts.canTls(target)) {
      try {
        return await this.#dial(target, true);
      } catch (error) {
        const tls = error instanceof ChannelError && error.kind === "tls";
        if (!tls || this.#aborted.signal.aborted) throw error;
        hosts.markPlain(target);
        const { host, address } = target;
        log.warn("sending in plain text", { host, address, error: error.message });
      }
    }
    return await this.#dial(target, false);
  }

  /** Rejects with ChannelError. */
  async #dial(target: Target, wantsTls: boolean): Promise<Connection> {
    const { dialer, clock, host, timeouts } = this.#parts;
    const late = new AbortController();
    const cancel = clock.after(CONNECT, () => late.abort());
    let wire;
    try {
      wire = await dialer.connect(
        target.address,
        target.port,
        AbortSignal.any([this.#aborted.signal, late.signal]),
      );
    } catch (error) {
      throw new ChannelError("lost", verdict.noConnection(target.host, reason(error)));
    } finally {
      cancel();
    }
    // Until there is a connection to close, an abort must end the wait for the greeting.
    const close = () => wire.close();
    this.#aborted.signal.addEventListener("abort", close);
    try {
      return await Connection.open(wire, {
        host,
        serverName: target.host,
        wantsTls,
        clock,
        ...timeouts ? { timeouts } : {},
      });
    } finally {
      this.#aborted.signal.removeEventListener("abort", close);
    }
  }

  async #transact(
    attempt: Attempt,
    { target, connection }: { target: Target; connection: Connection },
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
      outcome = withoutTls(outcome);
      // The next connection tries it again.
      this.#parts.hosts.markTls(target);
      await this.rest();
    }
    await attempt.hear(outcome, target.host);
  }
}

function insistsOnTls({ reply }: { readonly reply: Reply }): boolean {
  return reply.code === 530;
}

/**
 * A server that insists on TLS refuses because the handshake failed a while ago, not because of the
 * mail (RFC 3207 4): that passes.
 */
function withoutTls(outcome: Outcome): Outcome {
  const results = outcome.results.map((result) => {
    return insistsOnTls(result) ? { ...result, reply: verdict.needsTls, heard: false } : result;
  });
  return { ...outcome, results };
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "no server listens there";
  if (error instanceof DOMException && error.name === "AbortError") return "no answer";
  return error instanceof Error ? error.message : String(error);
}
