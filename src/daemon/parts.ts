/** The daemon's parts: the receiver and the relay, each in its thread, and the port between them. */

import type { Configuration } from "../config/configuration.ts";
import { ListenError } from "../receiver/listener.ts";
import type { FromReceiver, ToReceiverWorker } from "../receiver/worker.ts";
import type { FromRelayWorker, ToRelayWorker } from "../relay/worker.ts";
import type { Reach } from "./reach.ts";
import { Part } from "./part.ts";
import { receiverPermissions, relayPermissions } from "./permissions.ts";
import { system } from "./system.ts";

export class Parts {
  readonly #receiver: Part<ToReceiverWorker, FromReceiver>;
  readonly #relay: Part<ToRelayWorker, FromRelayWorker>;

  /** Makes the threads; they do nothing before `start`. */
  constructor(readonly configuration: Configuration, readonly reach: Reach) {
    this.#receiver = new Part(
      "receiver",
      new URL("../receiver/worker.ts", import.meta.url),
      receiverPermissions(configuration),
    );
    this.#relay = new Part(
      "relay",
      new URL("../relay/worker.ts", import.meta.url),
      relayPermissions(configuration, reach),
    );
  }

  /** Rejects when a part dies of an error. */
  get failed(): Promise<never> {
    return Promise.race([this.#receiver.failed, this.#relay.failed]);
  }

  /**
   * Sets them to work. Returns where the receiver listens and how many messages wait in the queue.
   * Rejects with ListenError where it cannot.
   */
  async start(): Promise<{ addresses: readonly string[]; waiting: number }> {
    const { configuration, reach } = this;
    const { port1, port2 } = new MessageChannel();
    const listening = await this.#receiver.ask({
      kind: "start",
      configuration,
      process: Deno.pid,
      machine: system.hostName(),
      port: port1,
    }, [port1]);
    if (listening.kind === "failed") throw new ListenError(listening.message, listening.setting);
    if (listening.kind === "stopped") throw new Error("the receiver has stopped");
    const { addresses } = listening;
    const started = await this.#relay.ask({
      kind: "start",
      configuration,
      nameServers: reach.nameServers,
      families: reach.families,
      ipv6: reach.ipv6,
      ownPlaces: reach.ownPlaces(addresses),
      port: port2,
    }, [port2]);
    return { addresses, waiting: started.kind === "started" ? started.waiting : 0 };
  }

  /**
   * Ends both in good order, what is under way within `grace` milliseconds. The receiver's thread
   * lasts as long as the relay's: it delivers for it. Rejects when one does not end.
   */
  async stop(grace: number): Promise<void> {
    const stop = { kind: "stop", grace } as const;
    try {
      const stopping = [this.#receiver.stop(stop, grace), this.#relay.stop(stop, grace)];
      for (const outcome of await Promise.allSettled(stopping)) {
        if (outcome.status === "rejected") throw outcome.reason;
      }
      // Once more for what it has done and logged for the relay meanwhile.
      await this.#receiver.stop(stop, 0);
    } finally {
      this.#receiver.end();
      this.#relay.end();
    }
  }
}
