/** The daemon's threads: what each is told and what it may do. */

import type { FromReceiver, ToReceiverWorker } from "../receiver/worker.ts";
import type { FromRelayWorker, ToRelayWorker } from "../relay/worker.ts";
import { type Part, WorkerPart } from "./part.ts";
import { receiverPermissions, relayPermissions } from "./permissions.ts";
import type { Outline } from "./plan.ts";

export type ReceiverPart = Part<ToReceiverWorker, FromReceiver>;
export type RelayPart = Part<ToRelayWorker, FromRelayWorker>;

/** Makes threads that wait to be told. Handed in, so that a test holds both ends of them. */
export interface Threads {
  receiver(outline: Outline): ReceiverPart;
  relay(outline: Outline): RelayPart;
}

/** Entries of threads are what this module is: TypeScript, or what a bundle was made of it. */
const KIND = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/** Workers, each with the permissions that its configuration asks for. */
export const workers: Threads = {
  receiver(outline) {
    const entry = new URL(`../receiver/worker${KIND}`, import.meta.url);
    return new WorkerPart("receiver", entry, receiverPermissions(outline));
  },
  relay({ configuration, reach }) {
    const entry = new URL(`../relay/worker${KIND}`, import.meta.url);
    return new WorkerPart("relay", entry, relayPermissions(configuration, reach));
  },
};
