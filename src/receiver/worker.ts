/**
 * Entry of the receiver's worker: a thread that may listen where the configuration says and write
 * the mailboxes, and nothing else.
 */

/// <reference lib="deno.worker" />

import type { Configuration } from "../config/configuration.ts";
import { SystemDisk } from "../disk.ts";
import { startLog } from "../log.ts";
import { ListenError } from "./listener.ts";
import { Receiver } from "./receiver.ts";

/** What the worker is told. */
export type ToReceiver =
  | { readonly kind: "start"; readonly configuration: Configuration; readonly process: number }
  /** Stop within `grace` milliseconds. */
  | { readonly kind: "stop"; readonly grace: number };

/** What it tells. */
export type FromReceiver =
  | { readonly kind: "listening"; readonly addresses: readonly string[] }
  /** It could not listen, and why in words for people. */
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "stopped" };

declare const self: DedicatedWorkerGlobalScope;

let receiver: Receiver | undefined;

self.onmessage = async ({ data }: MessageEvent<ToReceiver>) => {
  switch (data.kind) {
    case "start":
      return tell(start(data.configuration, data.process));
    case "stop":
      await receiver?.stop(data.grace);
      return tell({ kind: "stopped" });
  }
};

function start(configuration: Configuration, process: number): FromReceiver {
  const { LOG_LEVEL, LOG_FORMAT } = configuration.mail;
  try {
    receiver = new Receiver(configuration, {
      disk: new SystemDisk(),
      log: startLog(LOG_LEVEL, LOG_FORMAT),
      now: Date.now,
      random: Math.random,
      process,
    });
    return { kind: "listening", addresses: receiver.addresses };
  } catch (error) {
    if (error instanceof ListenError) return { kind: "failed", message: error.message };
    throw error;
  }
}

function tell(message: FromReceiver): void {
  self.postMessage(message);
}
