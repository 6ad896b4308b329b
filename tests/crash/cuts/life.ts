/** One life of the daemon, from its start to its stop, as far as it has to do with the disk. */

import assert from "node:assert/strict";
import { addressBook, type Configuration } from "../../../src/config/configuration.ts";
import { tryMaking } from "../../../src/daemon/directories.ts";
import { prepareMailboxes, sweepMailboxes } from "../../../src/daemon/mailboxes.ts";
import type { Disk } from "../../../src/disk.ts";
import type { Log } from "../../../src/log.ts";
import { MaildirNames } from "../../../src/mailbox/name.ts";
import { Presence } from "../../../src/mailbox/presence.ts";
import { MessageIds } from "../../../src/queue/id.ts";
import { type Request, Requests } from "../../../src/queue/requests.ts";
import { Spool } from "../../../src/queue/spool.ts";
import type { Backend } from "../../../src/receiver/backend.ts";
import { Intake } from "../../../src/receiver/intake.ts";
import { deliverQueued } from "../../../src/receiver/queued_mail.ts";
import { Relay } from "../../../src/relay/relay.ts";
import type { Answer } from "../../../src/relay/resolver.ts";
import { CachedStsPolicies } from "../../../src/relay/sts.ts";
import { SpooledStsMemory } from "../../../src/relay/sts_memory.ts";
import { parseMailbox } from "../../../src/smtp/address.ts";
import { isPositive } from "../../../src/smtp/reply.ts";
import type { Lease } from "../../simulation/lease.ts";
import type { NameService } from "../../simulation/name_service.ts";
import type { Network } from "../../simulation/network.ts";
import type { Random } from "../../support/random.ts";
import type { Letter } from "./plan.ts";

/** Not right below the root, so that more than one directory is made. */
export const SPOOL = "/srv/mail/spool";

export interface LifeParts {
  readonly configuration: Configuration;
  readonly disk: Disk;
  readonly lease: Lease;
  readonly network: Network;
  readonly names: NameService;
  readonly log: Log;
  readonly random: Random;
  /** Called where the daemon has swept, and has not gone to work. */
  readonly swept: () => void;
}

/** Domains whose policy is kept; it asks for nothing. */
const WITH_POLICY = new Set(["a.test", "busy.test"]);
const POLICY = "version: STSv1\nmode: testing\nmx: *.a.test\nmx: *.busy.test\nmax_age: 604800\n";

const PATIENCE = 10_000;
const PAUSE = 500;

export class Life {
  readonly #parts: LifeParts;
  readonly #backend: Backend;
  readonly #memory: SpooledStsMemory;
  readonly #policies: CachedStsPolicies;
  readonly #requests: Requests;
  readonly #relay: Relay;

  constructor(parts: LifeParts) {
    const { configuration, disk, lease, network, names, log, random } = parts;
    this.#parts = parts;
    const source = { now: () => lease.now(), random: random.next };
    const ids = new MessageIds(source);
    const spool = new Spool(disk, SPOOL, "relay-1-");
    this.#memory = new SpooledStsMemory(spool, log);
    this.#policies = new CachedStsPolicies({
      txt: (name) => Promise.resolve(recordOf(name)),
      fetch: () => Promise.resolve(POLICY),
      memory: this.#memory,
      clock: lease,
      log,
    });
    this.#requests = new Requests(disk, SPOOL);
    this.#backend = {
      book: addressBook(configuration),
      disk,
      // The sweep at the start goes by the machine's name.
      names: new MaildirNames({ host: Deno.hostname(), process: 1, ...source }),
      presence: new Presence(disk, lease),
      spool: new Spool(disk, SPOOL, "receiver-0"),
      ids,
      log,
      now: source.now,
      host: configuration.mail.HOSTNAME,
      queued: (id) => this.#relay.queued(id),
    };
    this.#relay = new Relay(configuration, {
      spool,
      ids,
      clock: lease,
      random: random.next,
      resolver: names,
      dialer: network,
      policies: this.#policies,
      log,
      ipv6: true,
      ownPlaces: [],
      deliver: (message, recipients) => deliverQueued(this.#backend, message, recipients),
    });
  }

  /** The steps of the daemon's start, in its order. */
  async start(): Promise<void> {
    const { configuration, disk } = this.#parts;
    const { problems } = await prepareMailboxes(configuration, disk);
    assert.deepEqual(problems, [], "the mailboxes cannot be made");
    const spool = new Spool(disk, SPOOL, "start");
    await spool.make();
    await tryMaking(disk, `${SPOOL}/tmp`);
    await tryMaking(disk, `${SPOOL}/queue`);
    await sweepMailboxes(configuration, disk);
    await spool.sweep();
    this.#parts.swept();
    await this.#policies.recall();
    await this.#serve();
    await this.#relay.start();
  }

  /** Hands a letter in. Returns its id; rejects where it was refused. */
  async submit({ from, to, text }: Letter): Promise<string> {
    const transaction = {
      client: "client.example",
      protocol: "ESMTP" as const,
      reversePath: from === "" ? null : parseMailbox(from),
      forwardPaths: to.map(parseMailbox),
      body: "8BITMIME" as const,
    };
    const intake = new Intake(this.#backend, {
      address: "127.0.0.1",
      peer: "127.0.0.1:1024",
      ownLiteral: "[127.0.0.1]",
      mayRelay: true,
    });
    await intake.begin(transaction);
    for (const path of transaction.forwardPaths) {
      assert.ok(isPositive(await intake.recipient(path)), "a recipient is refused");
    }
    assert.ok(isPositive(await intake.data(transaction)), "the text is refused");
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    // In pieces, as a connection hears it.
    for (let at = 0; at < bytes.length; at += 16_384) {
      await intake.text(bytes.subarray(at, at + 16_384));
    }
    const { code, lines: [line = ""] } = await intake.end(transaction, bytes.length);
    assert.equal(code, 250, line);
    return line.split(" ").at(-1)!;
  }

  /**
   * What `queue` does beside a running daemon: asks, and waits for a while. Returns whether it is done;
   * otherwise the request stays, as whoever asked is told.
   */
  async ask(request: Request): Promise<boolean> {
    const { disk, lease } = this.#parts;
    const requests = new Requests(disk, SPOOL);
    await requests.make(request);
    this.#serve();
    for (let waited = 0; await requests.pending(request); waited += PAUSE) {
      if (waited >= PATIENCE) return false;
      await new Promise<void>((resolve) => lease.after(PAUSE, resolve));
    }
    return true;
  }

  /** Stops in good order. */
  async stop(): Promise<void> {
    await this.#relay.stop(10_000);
    await this.#memory.settled();
  }

  #serve(): Promise<void> {
    return this.#requests.serve((request) => this.#relay.obey(request));
  }
}

function recordOf(name: string): Answer<string> {
  const known = WITH_POLICY.has(name.replace("_mta-sts.", ""));
  return known ? { kind: "records", records: ["v=STSv1; id=1;"] } : { kind: "no data" };
}
