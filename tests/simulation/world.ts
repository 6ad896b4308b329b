/**
 * A small world around one relay: this host with its mailboxes, its queue and its relay, a name
 * service, and the servers of other domains. Time is the world's own and passes only when it is told
 * to; chance comes from a seed.
 */

import { FakeClock } from "../support/fake_clock.ts";
import { MemoryDisk } from "../support/memory_disk.ts";
import { noPolicies } from "../support/no_policies.ts";
import { addressBook, type Configuration } from "../../src/config/configuration.ts";
import { makeMaildir, sweepMaildir } from "../../src/mailbox/maildir.ts";
import { MaildirNames } from "../../src/mailbox/name.ts";
import { Presence } from "../../src/mailbox/presence.ts";
import { MessageIds } from "../../src/queue/id.ts";
import { Spool } from "../../src/queue/spool.ts";
import type { Backend } from "../../src/receiver/backend.ts";
import { Intake } from "../../src/receiver/intake.ts";
import { deliverQueued } from "../../src/receiver/queued_mail.ts";
import { Relay } from "../../src/relay/relay.ts";
import { parseMailbox } from "../../src/smtp/address.ts";
import { isPositive } from "../../src/smtp/reply.ts";
import { configuration, USERS } from "./configuration.ts";
import { Journal } from "./journal.ts";
import { Lease } from "./lease.ts";
import { type Known, NameService } from "./name_service.ts";
import { Network } from "./network.ts";
import { Random } from "../support/random.ts";
import { type ReadReport, readReport } from "./report.ts";
import { type ServerOptions, SimulatedServer } from "./server.ts";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const OWN_ADDRESS = "192.0.2.99";

/** A message as its sender hands it in. */
export interface Letter {
  /** "" is the null reverse-path. */
  readonly from: string;
  readonly to: readonly string[];
  /** One character for each octet, lines end in CR LF. */
  readonly text?: string;
}

const TEXT = "From: fred@me.example\r\nSubject: a letter\r\n\r\nHello\r\n";

export class World {
  readonly clock = new FakeClock();
  readonly began = this.clock.now();
  readonly random: Random;
  readonly disk = new MemoryDisk();
  readonly log = new Journal(() => this.clock.now() - this.began);
  readonly names = new NameService();
  readonly network = new Network(this.clock);
  readonly servers = new Map<string, SimulatedServer>();
  readonly #configuration: Configuration;
  readonly #maildirNames: MaildirNames;
  readonly #ids: MessageIds;
  #relay: Relay | undefined;
  #lease: Lease | undefined;

  private constructor(seed: number, configuration: Configuration) {
    this.random = new Random(seed);
    this.#configuration = configuration;
    const source = { now: () => this.clock.now(), random: this.random.next };
    this.#ids = new MessageIds(source);
    this.#maildirNames = new MaildirNames({ host: "machine", process: 1, ...source });
  }

  /** `settings` are lines of mail.conf. The relay is at work. */
  static async make(seed = 1, settings = ""): Promise<World> {
    const world = new World(seed, await configuration(settings));
    for (const user of USERS) await makeMaildir(world.disk, `/mail/${user}`);
    await new Spool(world.disk, "/spool", "make").make();
    await world.start();
    return world;
  }

  /** A domain with servers as its MX hosts, the first one the best. */
  domain(name: string, ...servers: readonly ServerOptions[]): SimulatedServer[] {
    const made = servers.map((options, i) => this.server(`mx${i + 1}.${name}`, options));
    this.know(name, { mx: made.map((server, i) => `${i + 1}0 ${server.name}`) });
    return made;
  }

  /** A server with a name and an address of its own. */
  server(name: string, options: ServerOptions = {}, ...more: readonly string[]): SimulatedServer {
    const server = new SimulatedServer(name, this.clock, options);
    const count = this.servers.size;
    const address = `198.18.${count >> 8}.${count & 255}`;
    this.servers.set(name, server);
    for (const one of [address, ...more]) this.network.place(one, server);
    this.know(name, { at: [address, ...more] });
    return server;
  }

  know(name: string, known: Known): void {
    this.names.names.set(name, known);
  }

  /** Hands a letter in, as the receiver does after DATA. Returns its id, undefined where it was refused. */
  async submit({ from, to, text = TEXT }: Letter): Promise<string | undefined> {
    const transaction = {
      client: "client.example",
      protocol: "ESMTP" as const,
      reversePath: from === "" ? null : parseMailbox(from),
      forwardPaths: to.map(parseMailbox),
      body: "8BITMIME" as const,
    };
    const intake = new Intake(this.#backend(), {
      address: "127.0.0.1",
      peer: "127.0.0.1:1024",
      ownLiteral: "[127.0.0.1]",
      mayRelay: true,
    });
    if (!isPositive(await intake.begin(transaction))) return undefined;
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    for (const path of transaction.forwardPaths) {
      if (!isPositive(await intake.recipient(path))) {
        throw new Error(`nobody here: ${to.join(", ")}`);
      }
    }
    if (!isPositive(await intake.data(transaction))) return undefined;
    await intake.text(bytes);
    const { code, lines: [line = ""] } = await intake.end(transaction, bytes.length);
    return code === 250 ? line.split(" ").at(-1) : undefined;
  }

  /** Starts a relay, and another try a minute later where the disk does not permit it. */
  async start(): Promise<void> {
    for (;;) {
      const lease = this.#lease = new Lease(this.clock);
      try {
        const spool = new Spool(this.disk, "/spool", "relay");
        await spool.sweep();
        for (const user of USERS) {
          await sweepMaildir(this.disk, this.#maildirNames, `/mail/${user}`);
        }
        const relay = new Relay(this.#configuration, {
          spool,
          ids: this.#ids,
          clock: lease,
          random: this.random.next,
          resolver: this.names,
          dialer: this.network,
          policies: noPolicies,
          log: this.log,
          ipv6: true,
          ownPlaces: [{ address: OWN_ADDRESS, port: 25 }],
          deliver: (message, recipients) => deliverQueued(this.#backend(), message, recipients),
        });
        await relay.start();
        this.#relay = relay;
        return;
      } catch (error) {
        this.log.error("no start", { error: String(error) });
        lease.end();
        await this.clock.pass(MINUTE);
      }
    }
  }

  /** Stops the relay in good order, as the daemon does. Returns how long that took. */
  async stop(grace = 10 * SECOND): Promise<number> {
    const began = this.clock.now();
    const relay = this.#relay;
    this.#relay = undefined;
    let stopped = false;
    relay?.stop(grace).finally(() => stopped = true);
    while (relay && !stopped) {
      if (this.clock.now() - began > grace + SECOND) throw new Error("the relay does not stop");
      await this.clock.pass(100);
    }
    this.#lease?.end();
    return this.clock.now() - began;
  }

  async restart(grace?: number): Promise<void> {
    await this.stop(grace);
    await this.start();
  }

  /** Somebody at the command line asks for another try of everything. */
  async retry(): Promise<void> {
    await this.#relay?.obey({ kind: "retry", id: "all" });
  }

  /** Lets time pass. */
  run(milliseconds: number): Promise<void> {
    return this.clock.pass(milliseconds);
  }

  /** Lets time pass until the queue is empty, at most so many milliseconds. Whether it is. */
  async runUntilEmpty(most = 6 * DAY): Promise<boolean> {
    const end = this.clock.now() + most;
    while (this.queued.length > 0 && this.clock.now() < end) await this.run(5 * MINUTE);
    // Connections that linger are closed.
    await this.run(MINUTE);
    return this.queued.length === 0;
  }

  /** Ids of the messages that wait. */
  get queued(): string[] {
    return this.paths("/spool/queue/").filter((path) => path.endsWith(".eml"))
      .map((path) => path.slice("/spool/queue/".length, -".eml".length));
  }

  /** Every file below a directory. */
  paths(directory: string): string[] {
    return [...this.disk.files.keys()].filter((path) => path.startsWith(directory));
  }

  /** The messages in a mailbox, one character for each octet; lines end in LF. */
  mailbox(user: string): string[] {
    return this.paths(`/mail/${user}/new/`).map((path) => {
      const { bytes } = this.disk.files.get(path)!;
      return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    });
  }

  /** The reports in a mailbox. */
  reports(user = "jones"): ReadReport[] {
    return this.mailbox(user).flatMap((text) => readReport(text) ?? []);
  }

  #backend(): Backend {
    const { disk, log, clock } = this;
    return {
      book: addressBook(this.#configuration),
      disk,
      names: this.#maildirNames,
      presence: new Presence(disk, clock),
      spool: new Spool(disk, "/spool", `receiver${this.#ids.next()}-`),
      ids: this.#ids,
      log,
      now: () => clock.now(),
      host: this.#configuration.mail.HOSTNAME,
      queued: (id) => this.#relay?.queued(id),
    };
  }
}
