/**
 * Entry of the receiver's worker: a thread that may listen where the configuration says, write the
 * mailboxes and put messages into the queue, and nothing else.
 */

/// <reference lib="deno.worker" />

import { systemClock } from "../clock.ts";
import { addressBook, type Configuration } from "../config/configuration.ts";
import type { MailConf, VariableName } from "../config/mail_conf.ts";
import { isKept } from "../config/min_free.ts";
import { loginVariable } from "../config/service.ts";
import { SettingError } from "../config/setting_error.ts";
import { SystemDisk } from "../disk.ts";
import { LineWriter } from "../line_writer.ts";
import { type Log, logTo } from "../log.ts";
import { DamagedError } from "../queue/envelope.ts";
import { MessageIds } from "../queue/id.ts";
import { Spool } from "../queue/spool.ts";
import type { ToReceiver, ToRelay } from "../relay/exchange.ts";
import { systemSpace } from "../space.ts";
import { hasServerTls } from "../tls/support.ts";
import type { CertificateFiles } from "./certificate_files.ts";
import type { ListenPlace } from "./listener.ts";
import type { Logins } from "./logins.ts";
import { deliverQueued } from "./queued_mail.ts";
import { Receiver } from "./receiver.ts";
import { Reserve } from "./reserve.ts";

/** What the worker is told. */
export type ToReceiverWorker =
  | {
    readonly kind: "start";
    readonly configuration: Configuration;
    /** Where to listen, perhaps beside other threads. */
    readonly places: readonly ListenPlace[];
    /** Own process's number. */
    readonly process: number;
    /** The machine's own name. */
    readonly machine: string;
    /** Of all the daemon's threads, for ids and files of its own. */
    readonly number: number;
  }
  /** There is a relay, perhaps another than before. */
  | { readonly kind: "relay"; readonly port: MessagePort }
  /** Leave new clients to others. */
  | { readonly kind: "leave" }
  /** And stop within `grace` milliseconds when those that are here have left, or `patience` ends. */
  | { readonly kind: "retire"; readonly patience: number; readonly grace: number }
  /** Stop within `grace` milliseconds. */
  | { readonly kind: "stop"; readonly grace: number };

/** What it tells. */
export type FromReceiver =
  | { readonly kind: "listening" }
  /** It could not, and why in words for people. */
  | { readonly kind: "failed"; readonly message: string; readonly setting: VariableName }
  /** From now on it turns to the new relay. */
  | { readonly kind: "linked" }
  | { readonly kind: "left" }
  | { readonly kind: "retired" }
  | { readonly kind: "stopped" };

declare const self: DedicatedWorkerGlobalScope;

let receiver: Receiver | undefined;
let relay: MessagePort | undefined;
/** What the relay asked for and has no answer to yet. */
const deliveries = new Set<Promise<void>>();
const output = new LineWriter(Deno.stdout);

self.onmessage = async ({ data }: MessageEvent<ToReceiverWorker>) => {
  switch (data.kind) {
    case "start":
      return tell(await start(data));
    case "relay":
      link(data.port);
      return tell({ kind: "linked" });
    case "leave":
      await receiver?.leave();
      return tell({ kind: "left" });
    case "retire":
      await receiver?.retire(data.patience, data.grace);
      await end();
      return tell({ kind: "retired" });
    case "stop":
      await receiver?.stop(data.grace);
      await end();
      return tell({ kind: "stopped" });
  }
};

async function end(): Promise<void> {
  await Promise.all(deliveries);
  await output.flush();
}

async function start(
  { configuration, places, process, machine, number }: ToReceiverWorker & { kind: "start" },
): Promise<FromReceiver> {
  const { LOG_LEVEL, LOG_FORMAT, SPOOL_DIR, MIN_FREE } = configuration.mail;
  const disk = new SystemDisk(() => receiver?.hasOneClient ?? false);
  const spool = new Spool(disk, SPOOL_DIR, `receiver-${number}`);
  const log = logTo(output, LOG_LEVEL, LOG_FORMAT);
  const reserve = isKept(MIN_FREE)
    ? new Reserve(MIN_FREE, { spaceOf: systemSpace, clock: systemClock, log })
    : undefined;
  try {
    const certificate = await openCertificate(configuration.mail, log);
    const logins = await makeLogins(configuration, log);
    receiver = new Receiver(configuration, places, {
      disk,
      spool,
      ids: new MessageIds({ now: Date.now, random: Math.random, thread: number }),
      log,
      now: Date.now,
      random: Math.random,
      process,
      machine,
      queued: (id) => relay?.postMessage({ kind: "queued", id } satisfies ToRelay),
      ...certificate ? { certificate } : {},
      ...logins ? { logins } : {},
      ...reserve ? { reserve } : {},
    });
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    return { kind: "failed", message: error.message, setting: error.setting };
  }
  // Whoever starts it on a full disk is to hear that before its clients do.
  void reserve?.isShort([spool.queueDirectory]);
  return { kind: "listening" };
}

/** Undefined where none is configured; what it takes is not loaded then. Rejects with SettingError. */
async function openCertificate(
  { TLS_CERT, TLS_KEY }: MailConf,
  log: Log,
): Promise<CertificateFiles | undefined> {
  if (TLS_CERT === undefined || TLS_KEY === undefined || !hasServerTls) return undefined;
  const [{ CertificateFiles }] = await Promise.all([
    import("./certificate_files.ts"),
    // Needed by the first client that wants TLS, who is not to wait for it.
    import("./secured_socket.ts"),
  ]);
  return await CertificateFiles.open({ certificate: TLS_CERT, key: TLS_KEY }, {
    clock: systemClock,
    log,
  });
}

/** Undefined where nobody may log in. */
async function makeLogins(configuration: Configuration, log: Log): Promise<Logins | undefined> {
  if (loginVariable(configuration.mail) === undefined) return undefined;
  const { Logins } = await import("./logins.ts");
  const book = addressBook(configuration);
  return new Logins(configuration.users, (domain) => book.isLocal(domain), {
    clock: systemClock,
    log,
  });
}

/** Answers a relay, and tells it of new messages from now on. */
function link(port: MessagePort): void {
  relay = port;
  port.onmessage = ({ data }: MessageEvent<ToReceiver>) => {
    const delivery = deliver(data, (answer) => port.postMessage(answer))
      .finally(() => deliveries.delete(delivery));
    deliveries.add(delivery);
  };
}

async function deliver(
  { ticket, message, recipients }: ToReceiver,
  answer: (answer: ToRelay) => void,
): Promise<void> {
  if (!receiver) return;
  try {
    const replies = await deliverQueued(receiver.backend, message, recipients);
    answer({ kind: "delivered", ticket, replies });
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    answer({ kind: "damaged", ticket, reason: error.message });
  }
}

function tell(message: FromReceiver): void {
  self.postMessage(message);
}
