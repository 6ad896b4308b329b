/**
 * Entry of the relay's worker: a thread that may connect to other hosts and keep the spool, and may
 * not touch a mailbox.
 */

/// <reference lib="deno.worker" />

import type { Clock } from "../clock.ts";
import type { Configuration } from "../config/configuration.ts";
import { SystemDisk } from "../disk.ts";
import { LineWriter } from "../line_writer.ts";
import { logTo } from "../log.ts";
import { MessageIds } from "../queue/id.ts";
import { Requests } from "../queue/requests.ts";
import { Spool } from "../queue/spool.ts";
import { SharedTimer } from "../shared_timer.ts";
import { MailboxPorts } from "./mailbox_ports.ts";
import { onlyOnLoopback, type Place, Relay } from "./relay.ts";
import { RequestWatch } from "./request_watch.ts";
import { DnsResolver, type NameServer } from "./resolver.ts";
import { CachedStsPolicies } from "./sts.ts";
import { SpooledStsMemory } from "./sts_memory.ts";
import { TcpDialer } from "./wire.ts";

/** What the worker is told. */
export type ToRelayWorker =
  | {
    readonly kind: "start";
    readonly configuration: Configuration;
    readonly nameServers: readonly NameServer[];
    readonly families: readonly ("A" | "AAAA")[];
    readonly ipv6: boolean;
    /** Where the receivers listen. */
    readonly ownPlaces: readonly Place[];
    /** Of all the daemon's threads, for ids of its own. */
    readonly number: number;
  }
  /** There is a receiver more, with its number among the daemon's threads and the way to it. */
  | { readonly kind: "receiver"; readonly number: number; readonly port: MessagePort }
  /** A receiver has ended. */
  | { readonly kind: "gone"; readonly number: number }
  /** Stop within `grace` milliseconds. */
  | { readonly kind: "stop"; readonly grace: number };

/** What it tells. */
export type FromRelayWorker =
  /** It works, and so many messages wait. */
  | { readonly kind: "started"; readonly waiting: number }
  | { readonly kind: "stopped" };

declare const self: DedicatedWorkerGlobalScope;

let relay: Relay | undefined;
let stsMemory: SpooledStsMemory | undefined;
let requestWatch: RequestWatch | undefined;
const timer = new SharedTimer();
const clock: Clock = {
  now: Date.now,
  after: (milliseconds, act) => timer.after(milliseconds, act),
};
const output = new LineWriter(Deno.stdout);
const mailboxes = new MailboxPorts((id) => relay?.queued(id));

self.onmessage = async ({ data }: MessageEvent<ToRelayWorker>) => {
  switch (data.kind) {
    case "start":
      return tell({ kind: "started", waiting: await start(data) });
    case "receiver":
      return mailboxes.add(data.number, data.port);
    case "gone":
      return mailboxes.remove(data.number);
    case "stop":
      // Asked for twice where the daemon is stopped while it reloads.
      await requestWatch?.stop();
      await relay?.stop(data.grace);
      await stsMemory?.settled();
      await output.flush();
      return tell({ kind: "stopped" });
  }
};

async function start(told: ToRelayWorker & { kind: "start" }): Promise<number> {
  const { LOG_LEVEL, LOG_FORMAT, SPOOL_DIR } = told.configuration.mail;
  const { nameServers, families, ipv6, ownPlaces } = told;
  const disk = new SystemDisk();
  const log = logTo(output, LOG_LEVEL, LOG_FORMAT);
  const resolver = new DnsResolver({ nameServers, families });
  const dialer = new TcpDialer();
  const loopback = onlyOnLoopback(told.configuration.mail);
  const facts = { resolver, loopback, ipv6, dialer, clock };
  // The relay before this one may have left files that it had not finished.
  const spool = new Spool(disk, SPOOL_DIR, `relay-${told.number}-`);
  stsMemory = new SpooledStsMemory(spool, log);
  const policies = new CachedStsPolicies({
    txt: (name) => resolver.txt(name),
    async fetch(domain) {
      // Few domains have one, and what speaks HTTP takes its time to load.
      const { fetchStsPolicy } = await import("./sts_fetch.ts");
      return await fetchStsPolicy(domain, facts);
    },
    memory: stsMemory,
    clock,
    log,
  });
  relay = new Relay(told.configuration, {
    spool,
    ids: new MessageIds({ now: Date.now, random: Math.random, thread: told.number }),
    clock,
    random: Math.random,
    resolver,
    dialer,
    policies,
    log,
    ipv6,
    ownPlaces,
    deliver: (message, recipients) => mailboxes.deliver(message, recipients),
  });
  await policies.recall();
  const requests = new Requests(disk, SPOOL_DIR);
  const act = relay.obey.bind(relay);
  requestWatch = new RequestWatch({ requests, clock, log, act });
  // First of all what was asked for while nobody listened: a message to be removed must not be sent.
  await requestWatch.look();
  const waiting = await relay.start();
  requestWatch.start();
  return waiting;
}

function tell(message: FromRelayWorker): void {
  self.postMessage(message);
}
