/**
 * Entry of the receiver's worker: a thread that may listen where the configuration says, write the
 * mailboxes and put messages into the queue, and nothing else.
 */

/// <reference lib="deno.worker" />

import type { Configuration } from "../config/configuration.ts";
import { SystemDisk } from "../disk.ts";
import { LineWriter } from "../line_writer.ts";
import { logTo } from "../log.ts";
import { DamagedError } from "../queue/envelope.ts";
import { MessageIds } from "../queue/id.ts";
import { Spool } from "../queue/spool.ts";
import type { ToReceiver, ToRelay } from "../relay/exchange.ts";
import { ListenError } from "./listener.ts";
import { deliverQueued } from "./queued_mail.ts";
import { Receiver } from "./receiver.ts";

/** What the worker is told. */
export type ToReceiverWorker =
  | {
    readonly kind: "start";
    readonly configuration: Configuration;
    /** Own process's number. */
    readonly process: number;
    /** The machine's own name. */
    readonly machine: string;
    /** To the relay. */
    readonly port: MessagePort;
  }
  /** Stop within `grace` milliseconds. */
  | { readonly kind: "stop"; readonly grace: number };

/** What it tells. */
export type FromReceiver =
  | { readonly kind: "listening"; readonly addresses: readonly string[] }
  /** It could not listen, and why in words for people. */
  | { readonly kind: "failed"; readonly message: string; readonly setting: ListenError["setting"] }
  | { readonly kind: "stopped" };

declare const self: DedicatedWorkerGlobalScope;

let receiver: Receiver | undefined;
const output = new LineWriter(Deno.stdout);

self.onmessage = async ({ data }: MessageEvent<ToReceiverWorker>) => {
  switch (data.kind) {
    case "start":
      return tell(start(data));
    case "stop":
      await receiver?.stop(data.grace);
      await output.flush();
      return tell({ kind: "stopped" });
  }
};

function start(
  { configuration, process, machine, port }: ToReceiverWorker & { kind: "start" },
): FromReceiver {
  const { LOG_LEVEL, LOG_FORMAT, SPOOL_DIR } = configuration.mail;
  const disk = new SystemDisk();
  const toRelay = (message: ToRelay) => port.postMessage(message);
  try {
    const { backend, addresses } = receiver = new Receiver(configuration, {
      disk,
      spool: new Spool(disk, SPOOL_DIR, "receiver"),
      // The other half is the relay's: two threads never make the same id.
      ids: new MessageIds({ now: Date.now, random: () => Math.random() / 2 }),
      log: logTo(output, LOG_LEVEL, LOG_FORMAT),
      now: Date.now,
      random: Math.random,
      process,
      machine,
      queued: (id) => toRelay({ kind: "queued", id }),
    });
    port.onmessage = async ({ data }: MessageEvent<ToReceiver>) => {
      const { ticket, message, recipients } = data;
      try {
        const replies = await deliverQueued(backend, message, recipients);
        toRelay({ kind: "delivered", ticket, replies });
      } catch (error) {
        if (!(error instanceof DamagedError)) throw error;
        toRelay({ kind: "damaged", ticket, reason: error.message });
      }
    };
    return { kind: "listening", addresses };
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    return { kind: "failed", message: error.message, setting: error.setting };
  }
}

function tell(message: FromReceiver): void {
  self.postMessage(message);
}
