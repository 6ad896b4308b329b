/** A spool on a disk in memory, and messages in it. */

import assert from "node:assert/strict";
import type { QueuedMessage } from "../../src/queue/envelope.ts";
import { Spool } from "../../src/queue/spool.ts";
import type { NewMessage } from "../../src/queue/spool_delivery.ts";
import { MemoryDisk } from "../support/memory_disk.ts";

/** One octet for each character. */
export const bytesOf = (text: string) =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

/** An empty spool in `/spool`; its disk has forgotten how that was made. */
export async function newSpool(
  disk = new MemoryDisk(),
  owner = "a",
): Promise<{ disk: MemoryDisk; spool: Spool }> {
  const spool = new Spool(disk, "/spool", owner);
  await spool.make();
  disk.operations.length = 0;
  return { disk, spool };
}

/** Takes a message in; where the disk fails, discards it and rejects. */
export async function put(
  spool: Spool,
  message: NewMessage,
  ...pieces: readonly Uint8Array[]
): Promise<void> {
  const delivery = spool.receive(message);
  try {
    for (const piece of pieces) await delivery.write(piece);
    await delivery.stage();
    await delivery.publish();
  } catch (error) {
    await delivery.discard();
    throw error;
  }
}

/** The whole text of a message. */
export async function readText(
  spool: Spool,
  message: Pick<QueuedMessage, "id" | "size">,
): Promise<Uint8Array> {
  const whole = new Uint8Array(message.size);
  let at = 0;
  for await (const piece of spool.text(message)) {
    whole.set(piece, at);
    at += piece.length;
  }
  assert.equal(at, message.size);
  return whole;
}
