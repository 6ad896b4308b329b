/**
 * Entry of the receiver's worker: a thread that may listen where the configuration says and write
 * the mailboxes, and nothing else.
 */

/// <reference lib="deno.worker" />

import type { Configuration } from "../config/configuration.ts";
import { SystemDisk } from "../disk.ts";
import { LineWriter } from "../line_writer.ts";
import { logTo } from "../log.ts";
import { ListenError } from "./listener.ts";
import { Receiver } from "./receiver.ts";

/** What the worker is told. */
export type ToReceiver =
  | {
    readonly kind: "start";
    readonly configuration: Configuration;
    /** Own process's number. */
    readonly process: number;
    /** The machine's own name. */
    readonly machine: string;
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

self.onmessage = async ({ data }: MessageEvent<ToReceiver>) => {
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
  { configuration, process, machine }: ToReceiver & { kind: "start" },
): FromReceiver {
  const { LOG_LEVEL, LOG_FORMAT } = configuration.mail;
  try {
    receiver = new Receiver(configuration, {
      disk: new SystemDisk(),
      log: logTo(output, LOG_LEVEL, LOG_FORMAT),
      now: Date.now,
      random: Math.random,
      process,
      machine,
    });
    return { kind: "listening", addresses: receiver.addresses };
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    return { kind: "failed", message: error.message, setting: error.setting };
  }
}

function tell(message: FromReceiver): void {
  self.postMessage(message);
}
