/** The relaying part of the daemon: works off the queue, and stops in good order. */

import { addressBook, type Configuration } from "../config/configuration.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { MessageIds } from "../queue/id.ts";
import type { RetryPolicy } from "../queue/progress.ts";
import { Queue } from "../queue/queue.ts";
import type { Request } from "../queue/requests.ts";
import type { Spool } from "../queue/spool.ts";
import type { Mailbox } from "../smtp/address.ts";
import { parseIp } from "../smtp/ip.ts";
import type { Timeouts } from "./connection.ts";
import { Courier } from "./courier.ts";
import type { Carrier } from "./line.ts";
import { HostMemory } from "./hosts.ts";
import { LocalCarrier, type LocalDelivery } from "./local_carrier.ts";
import { RemoteCarrier } from "./remote_carrier.ts";
import type { Resolver } from "./resolver.ts";
import { CachedResolver } from "./resolver_cache.ts";
import type { RouteFacts } from "./route.ts";
import type { StsPolicies } from "./sts.ts";
import type { Dialer } from "./wire.ts";

/** What a relay takes from outside; a test hands in its own. */
export interface RelayParts {
  readonly spool: Spool;
  readonly ids: MessageIds;
  readonly clock: Clock;
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number;
  readonly resolver: Resolver;
  readonly dialer: Dialer;
  /** What the domains themselves demand. */
  readonly policies: StsPolicies;
  readonly log: Log;
  /** Whether IPv6 addresses beyond this machine can be reached. */
  readonly ipv6: boolean;
  /** Where this daemon can be reached: a connection to there would come back to it. */
  readonly ownPlaces: readonly Place[];
  readonly deliver: LocalDelivery;
  readonly timeouts?: Timeouts;
}

/** An address and a port. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/** Milliseconds until a sender hears that it takes long. */
const NOTICE = 4 * 3_600_000;
/** The longest that a host that is down is left alone, in milliseconds. */
const DOWN_FOR = 5 * 60_000;
/** The destination that is this host; no domain is called like that. */
const HERE = "";

export class Relay {
  readonly #queue: Queue;
  readonly #courier: Courier;
  readonly #hosts: HostMemory;
  readonly #resolver: CachedResolver;
  readonly #policies: StsPolicies;
  readonly #log: Log;
  #stopped: Promise<void> | undefined;

  constructor({ mail, ...configuration }: Configuration, parts: RelayParts) {
    const { spool, ids, clock, log, random, resolver, ipv6, ownPlaces, dialer, policies } = parts;
    const host = mail.HOSTNAME;
    this.#resolver = new CachedResolver(resolver, clock);
    const policy: RetryPolicy = {
      delays: mail.RETRY_DELAYS.map((seconds) => seconds * 1000),
      lifetime: mail.QUEUE_LIFETIME * 1000,
      notice: NOTICE,
    };
    this.#policies = policies;
    this.#log = log;
    this.#queue = new Queue({ spool, clock, ids, log, host, policy });
    this.#queue.setBack = () => this.#forget();
    // Forgotten before the next attempt of whoever found it down.
    this.#hosts = new HostMemory(clock, Math.min(DOWN_FOR, policy.delays[0]!) / 2);
    const book = addressBook({ mail, ...configuration });
    const isOwnAddress = (address: string, port: number) => {
      return ownPlaces.some((own) => own.address === address && own.port === port);
    };
    const route: RouteFacts = {
      resolver: this.#resolver,
      random,
      port: mail.RELAY_PORT,
      // The bare postmaster's empty domain is local, but no host is called like that.
      isOwnName: (name) => name !== "" && book.isLocal(name),
      isOwnAddress,
      ipv6,
      loopback: onlyOnLoopback(mail),
      relayHost: mail.RELAY_HOST,
    };
    const remote = {
      route,
      protection: { mail, login: configuration.relayLogin, policies },
      dialer,
      hosts: this.#hosts,
      clock,
      log,
      host,
      ...parts.timeouts ? { timeouts: parts.timeouts } : {},
    };
    this.#courier = new Courier({
      queue: this.#queue,
      clock,
      log,
      destinationOf: ({ domain }: Mailbox) => {
        if (book.isLocal(domain)) return HERE;
        return mail.RELAY_HOST ? mail.RELAY_HOST.host : domain.toLowerCase();
      },
      // Reports and mail that waited for a mailbox need nobody's answer.
      isFirst: (destination) => destination === HERE,
      carrierFor: (destination, isServed): Carrier => {
        if (destination === HERE) return new LocalCarrier(parts.deliver);
        return new RemoteCarrier(destination, remote, isServed);
      },
    });
  }

  /** Reads the queue and goes to work. Returns how many messages wait. Rejects with disk errors. */
  async start(): Promise<number> {
    const count = await this.#queue.load();
    this.#courier.start();
    return count;
  }

  /** A message is new in the queue. */
  queued(id: string): void {
    this.#queue.add(id);
  }

  /** Does what somebody at the command line asks for. */
  async obey({ kind, id }: Request): Promise<void> {
    if (kind === "remove") return void await this.#queue.remove(id);
    // Whoever asks for another try knows more than we remember.
    this.#forget();
    if (id === "all") await this.#queue.hastenAll();
    else await this.#queue.hasten(id);
    this.#log.info("retry requested", { id });
  }

  #forget(): void {
    this.#hosts.forget();
    this.#resolver.forget();
    this.#policies.forget();
  }

  /**
   * Ends transactions within `grace` milliseconds, or records how far they came. A second call
   * changes nothing.
   */
  stop(grace: number): Promise<void> {
    return this.#stopped ??= this.#courier.stop(grace);
  }
}

/** Whether it listens on nothing but loopback, so that hosts there are as good as any. */
export function onlyOnLoopback({ LISTEN_ADDR }: Configuration["mail"]): boolean {
  return LISTEN_ADDR.every(isLoopback);
}

function isLoopback(address: string): boolean {
  const bytes = parseIp(address);
  if (!bytes) return false;
  return bytes.length === 4 ? bytes[0] === 127 : address === "::1";
}
