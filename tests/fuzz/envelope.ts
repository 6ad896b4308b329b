/** Envelopes as they lie in the queue, whole and damaged, and what their senders are told by them. */

import assert from "node:assert/strict";
import {
  DamagedError,
  decodeEnvelope,
  encodeEnvelope,
  type LastReply,
  type QueuedMessage,
  type QueuedRecipient,
} from "../../src/queue/envelope.ts";
import { type Mailbox, parseMailbox, printMailbox } from "../../src/smtp/address.ts";
import type { Random } from "../support/random.ts";
import { checkMailbox } from "./address.ts";
import { checkReport } from "./report.ts";
import { octets } from "./octets.ts";
import type { Target } from "./target.ts";

const ID = "1m828dtfh00fgn1";
const NOW = Date.UTC(2026, 10, 22, 12);

const ADDRESSES = ["jones@x.y", "a.b@me.example", '"a b"@x.y', "smith@[192.0.2.1]", "s@[IPv6:::1]"];

function mailbox(random: Random): Mailbox {
  if (random.chance(0.95)) return parseMailbox(random.pick(ADDRESSES));
  const localPart = random.pick([
    "a\r\nb",
    "a\0",
    "é",
    "",
    "x".repeat(65),
    "Postmaster",
    'a"',
    "a>b",
  ]);
  return { localPart, domain: random.pick(["x.y", "", "x y", "x>", "[", "é"]) };
}

function number(random: Random, good: number): number {
  return random.chance(0.98)
    ? good
    : random.pick([0, -1, 0.5, 1e-9, 8.64e15, 8.65e15, -0, 2 ** 53]);
}

function words(random: Random): string {
  return random.pick([
    "OK",
    "no such user",
    "",
    "\x1b[2J",
    "a\r\nb",
    "é",
    "x".repeat(1100),
    '"',
    "\\",
  ]);
}

function last(random: Random): LastReply {
  const code = number(random, random.pick([250, 450, 451, 550, 554, 599]));
  const status = random.pick(["", "5.1.1", "4.0.0", "5.1.010", "2.1.5", "x", "9.9.9"]);
  const lines = Array.from({ length: random.between(0, 3) }, () => words(random));
  const security = { protocol: random.pick(["TLSv1.3", "none", "\n"]) };
  return {
    reply: { code, status, lines },
    heard: random.chance(0.7),
    ...random.chance(0.7)
      ? { host: random.pick(["mx.x.y", "[192.0.2.1]", "\r\n", words(random)]) }
      : {},
    ...random.chance(0.3) ? { security } : {},
    ...random.chance(0.3) ? { security: { ...security, verified: random.chance(0.5) } } : {},
    time: number(random, NOW),
  };
}

function recipient(random: Random): QueuedRecipient {
  return {
    forwardPath: mailbox(random),
    ...random.chance(0.2) ? { original: mailbox(random) } : {},
    state: random.pick(["waiting", "delivered", "failed", "returned"]),
    attempts: number(random, random.between(0, 9)),
    nextAttempt: number(random, NOW),
    ...random.chance(0.7) ? { last: last(random) } : {},
  };
}

function message(random: Random): QueuedMessage {
  return {
    id: ID,
    arrived: number(random, NOW),
    reversePath: random.chance(0.2) ? null : mailbox(random),
    size: number(random, 1000),
    eightBit: random.chance(0.3),
    delayReported: random.chance(0.3),
    recipients: Array.from({ length: random.pick([1, 1, 2, 3]) }, () => recipient(random)),
  };
}

/** The message, or what is wrong with it. */
function decoded(bytes: Uint8Array): QueuedMessage | string {
  try {
    return decodeEnvelope(bytes, ID);
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    assert.match(error.message, /^[ -~]{1,150}$/);
    return error.message;
  }
}

export const envelope: Target = {
  name: "envelope",
  runs: 4000,
  words: [
    '"',
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "1e400",
    "-0",
    '"form":1',
    '"\\u000a"',
    '"state":',
    "\\u0000",
  ]
    .concat([
      '"recipients":[',
      '"reversePath":""',
      '"original":',
      '"last":{',
      '"lines":[]',
      "\\ud800",
    ]),
  reaches: { accepted: 0.2, damaged: 0.2, last: 0.15, reported: 0.15 },
  generate: (random) => encodeEnvelope(message(random)),
  run(random, input) {
    const read = decoded(input);
    // What somebody else hands in is written whole or not read back at all.
    const made = message(random);
    const kept = decoded(encodeEnvelope(made));
    if (typeof kept !== "string") {
      const localParts = ({ recipients }: QueuedMessage) =>
        recipients.map(({ forwardPath }) => forwardPath.localPart);
      assert.deepEqual(localParts(kept), localParts(made));
    }
    if (typeof read === "string") return ["damaged", read];
    const { recipients } = JSON.parse(new TextDecoder().decode(input));
    for (const { forwardPath } of recipients) {
      if (!/["\\]/.test(forwardPath)) {
        assert.doesNotMatch(forwardPath, /^@|[<>]/, "it is all address");
      }
    }
    return checkMessage(random, read);
  },
};

function checkMessage(random: Random, read: QueuedMessage): string[] {
  const outcomes = ["accepted"];
  // Only JSON knows of -0.
  const plain: unknown = JSON.parse(JSON.stringify(read));
  assert.deepEqual(decoded(encodeEnvelope(read)), plain, "what is read and written is the same");
  if (read.reversePath) checkMailbox(read.reversePath);
  assert.ok(read.recipients.length > 0);
  for (const { forwardPath, original, last } of read.recipients) {
    checkMailbox(forwardPath);
    if (original) checkMailbox(original);
    if (!last) continue;
    outcomes.push("last");
    const { reply, host = "", security } = last;
    for (const text of [reply.status, host, security?.protocol ?? "", ...reply.lines]) {
      assert.match(text, /^[ -~]*$/, "nothing steers a terminal");
    }
    for (const time of [last.time, read.arrived]) assert.ok(!isNaN(new Date(time).getTime()));
  }
  if (read.reversePath && printMailbox(read.reversePath).includes("@")) {
    checkReport({
      kind: random.pick(["failed", "delayed"]),
      host: "me.example",
      id: read.id,
      reportId: "1m828dtfh00fgn2",
      arrived: read.arrived,
      now: NOW,
      to: read.reversePath,
      recipients: read.recipients.map(({ last, ...one }) => {
        const none = { reply: { code: 451, status: "4.3.0", lines: ["x"] }, heard: false, time: 0 };
        return { ...one, ...last ?? none };
      }),
      retryUntil: NOW,
      header: octets("Subject: x\r\n"),
    });
    outcomes.push("reported");
  }
  return outcomes;
}
