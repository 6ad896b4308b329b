/** The receiving part of the daemon: listens, lets clients in, serves them, stops in good order. */

import { addressBook, type Configuration } from "../config/configuration.ts";
import type { Disk } from "../disk.ts";
import type { Log } from "../log.ts";
import type { Service } from "../config/service.ts";
import { MaildirNames } from "../mailbox/name.ts";
import { Presence } from "../mailbox/presence.ts";
import type { MessageIds } from "../queue/id.ts";
import type { Spool } from "../queue/spool.ts";
import { SharedTimer } from "../shared_timer.ts";
import type { Reply } from "../smtp/reply.ts";
import type { SessionOptions } from "../smtp/session.ts";
import { Acceptor } from "./acceptor.ts";
import { Connection, type ServerSecurity } from "./connection.ts";
import type { Backend, Ends } from "./backend.ts";
import type { CertificateFiles } from "./certificate_files.ts";
import { EndsFinder } from "./ends.ts";
import { ClientLimits } from "./limits.ts";
import { type ListenPlace, openListeners, printHostPort } from "./listener.ts";
import type { Logins } from "./logins.ts";
import { Refusals } from "./refusals.ts";
import type { Reserve } from "./reserve.ts";
import { turnAway } from "./turn_away.ts";

/** What a receiver takes from outside; a test hands in its own. */
export interface ReceiverParts {
  readonly disk: Disk;
  readonly spool: Spool;
  readonly ids: MessageIds;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number;
  /** Own process's number. */
  readonly process: number;
  /** The machine's own name. */
  readonly machine: string;
  /** Told of each message that is new in the queue. */
  readonly queued: (id: string) => void;
  /** What connections are secured with; without it TLS is not offered. */
  readonly certificate?: CertificateFiles;
  /** Who may log in where messages are submitted. */
  readonly logins?: Logins;
  /** What is kept free of new mail, where anything is. */
  readonly reserve?: Reserve;
}

/** Clients told at once why they are not let in; beyond that they are turned away without a word. */
const MOST_TURNED_AWAY = 64;

export class Receiver {
  readonly #configuration: Configuration;
  readonly #backend: Backend;
  readonly #options: SessionOptions;
  readonly #certificate: CertificateFiles | undefined;
  readonly #ends: Readonly<Record<Service, EndsFinder>>;
  readonly #limits: ClientLimits;
  readonly #refusals: Refusals;
  readonly #waits = new SharedTimer();
  readonly #listeners: readonly Deno.TcpListener[];
  readonly #acceptors: readonly Acceptor[];
  readonly #connections = new Map<Connection, Promise<void>>();
  readonly #turnedAway = new Set<Promise<void>>();
  #stopped: Promise<void> | undefined;

  /** Listens at these places at once, perhaps beside other threads. Throws ListenError where it cannot. */
  constructor(configuration: Configuration, places: readonly ListenPlace[], parts: ReceiverParts) {
    const { mail } = configuration;
    const { disk, spool, ids, log, now, queued, certificate, logins, reserve } = parts;
    this.#configuration = configuration;
    this.#backend = {
      book: addressBook(configuration),
      disk,
      names: new MaildirNames({ ...parts, host: parts.machine }),
      presence: new Presence(disk, { now }),
      spool,
      ids,
      log,
      now,
      host: mail.HOSTNAME,
      waits: this.#waits,
      queued,
      ...logins ? { logins } : {},
      ...reserve ? { reserve } : {},
    };
    this.#certificate = certificate;
    // Who may send to anyone shows by a login alone where messages are submitted.
    const loggedIn = new EndsFinder([]);
    this.#ends = {
      smtp: new EndsFinder(mail.RELAY_FROM),
      submission: loggedIn,
      submissions: loggedIn,
    };
    this.#options = {
      host: mail.HOSTNAME,
      maxMessageSize: mail.MAX_MESSAGE_SIZE,
      maxRecipients: mail.MAX_RECIPIENTS,
    };
    // Each thread lets in its share; the system deals clients out to them by chance.
    const share = (most: number) => Math.ceil(most / mail.WORKERS);
    const [most, perAddress] = [share(mail.MAX_CLIENTS), share(mail.MAX_CLIENTS_PER_ADDRESS)];
    this.#limits = new ClientLimits(mail.HOSTNAME, most, perAddress);
    this.#refusals = new Refusals(log);
    this.#listeners = openListeners(places, { shared: true });
    this.#acceptors = this.#listeners.map((listener, i) => {
      const { service } = places[i]!;
      return new Acceptor(listener, (conn) => this.#accepted(conn, service), log);
    });
  }

  /** What mail that comes out of the queue into mailboxes here needs. */
  get backend(): Backend {
    return this.#backend;
  }

  /** Whether there is one client and nobody else to serve. */
  get hasOneClient(): boolean {
    return this.#connections.size === 1;
  }

  /** Where it listens, `address:port` each; a configured port 0 has become a real one. */
  get addresses(): string[] {
    return this.#listeners.map(({ addr }) => printHostPort(addr.hostname, addr.port));
  }

  /** Leaves new clients to others that listen there too. Returns when nobody comes here any more. */
  async leave(): Promise<void> {
    this.#acceptors.forEach((acceptor) => acceptor.leave());
    await Promise.all(this.#acceptors.map(({ done }) => done));
  }

  /**
   * Leaves new clients to others, and those that are here to themselves; who is still here after
   * `patience` milliseconds is stopped with `grace`. Returns when all is over.
   */
  async retire(patience: number, grace: number): Promise<void> {
    await this.leave();
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, patience);
    await Promise.race([this.#clientsGone(), over]);
    clearTimeout(timer);
    await this.stop(grace);
  }

  /**
   * Takes no new connection, gives 421 to everyone who is not sending a text, and to the rest after
   * their texts or `grace` milliseconds. Returns when all is over; a second call changes nothing.
   */
  stop(grace: number): Promise<void> {
    return this.#stopped ??= this.#stop(grace);
  }

  async #stop(grace: number): Promise<void> {
    this.#certificate?.close();
    this.#backend.logins?.close();
    this.#acceptors.forEach((acceptor) => acceptor.close());
    await Promise.all(this.#acceptors.map(({ done }) => done));
    this.#refusals.close();
    const running = [...this.#connections.keys()];
    running.forEach((connection) => connection.stop());
    const timer = setTimeout(() => running.forEach((connection) => connection.abort()), grace);
    await this.#clientsGone();
    clearTimeout(timer);
    this.#waits.close();
  }

  async #clientsGone(): Promise<void> {
    await Promise.all([...this.#connections.values(), ...this.#turnedAway]);
  }

  #accepted(conn: Deno.TcpConn, service: Service): void {
    const ends = this.#ends[service].of(conn);
    const refusal = this.#limits.enter(ends.address);
    if (refusal) {
      this.#refusals.tell(ends.peer, refusal.lines.join(" "));
      return this.#turnAway(conn, service, ends, refusal);
    }
    const connection = new Connection(
      conn,
      ends,
      { ...this.#options, submission: service !== "smtp" },
      this.#configuration.mail.CLIENT_TIMEOUT,
      this.#backend,
      this.#security(service),
    );
    const run = connection.run().finally(() => {
      this.#connections.delete(connection);
      this.#limits.leave(ends.address);
    });
    this.#connections.set(connection, run);
  }

  #security(service: Service): ServerSecurity | undefined {
    const certificate = this.#certificate;
    return certificate && {
      context: () => certificate.current.context,
      implicit: service === "submissions",
    };
  }

  #turnAway(conn: Deno.TcpConn, service: Service, { peer }: Ends, refusal: Reply): void {
    // Before its handshake a client can be told nothing.
    if (service === "submissions" || this.#turnedAway.size >= MOST_TURNED_AWAY) return conn.close();
    const run = turnAway(conn, refusal)
      .catch((error) => {
        this.#backend.log.error("connection failed", { peer, error: String(error) });
      })
      .finally(() => this.#turnedAway.delete(run));
    this.#turnedAway.add(run);
  }
}
