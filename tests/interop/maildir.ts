/** A mailbox as Python's mailbox.Maildir reads it: a reader that shares no code with the daemon. */

import assert from "node:assert/strict";
import { succeed } from "../support/programs.ts";

export interface Message {
  readonly key: string;
  readonly folder: "new" | "cur";
  /** Maildir's flags, such as `S` for seen. */
  readonly flags: string;
  readonly bytes: Uint8Array;
}

const SCRIPT = new URL("maildir.py", import.meta.url).pathname;

/** All messages of a mailbox directory. */
export async function readWithPython(directory: string): Promise<Message[]> {
  const output = await succeed("python3", ["-I", SCRIPT, directory]);
  const messages = JSON.parse(
    new TextDecoder().decode(output),
  ) as (Omit<Message, "bytes"> & { bytes: string })[];
  return messages.map((message) => ({ ...message, bytes: Uint8Array.fromBase64(message.bytes) }));
}

export interface Parted {
  /** The address in Return-Path, with its angle brackets. */
  readonly returnPath: string;
  /** The Received field, unfolded. */
  readonly received: string;
  /** What was sent. */
  readonly text: Uint8Array;
}

/** The daemon's own fields on top, and the rest of a message. Fails where they are not there. */
export function part(bytes: Uint8Array): Parted {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 2048));
  const trace = /^Return-Path: (<.*>)\nReceived: (.*(?:\n\t.*)+)\n/.exec(head);
  assert(trace, `no trace fields on top of:\n${head}`);
  const [all, returnPath = "", received = ""] = trace;
  return {
    returnPath,
    received: received.replaceAll("\n\t", " "),
    text: bytes.subarray(all.length),
  };
}

/** Fails where two runs of octets differ, and shows the place. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  const shorter = Math.min(actual.length, expected.length);
  let at = 0;
  while (at < shorter && actual[at] === expected[at]) at++;
  if (at === actual.length && at === expected.length) return;
  const around = (bytes: Uint8Array) => {
    return JSON.stringify(String.fromCharCode(...bytes.subarray(Math.max(0, at - 20), at + 40)));
  };
  assert.fail(
    `octet ${at} differs: ${around(actual)} of ${actual.length} octets` +
      ` instead of ${around(expected)} of ${expected.length}`,
  );
}
