/** A relay's connection to a server that is the test. */

import assert from "node:assert/strict";
import { ChannelError, Connection, type Outcome } from "../../src/relay/connection.ts";
import type { Mailbox } from "../../src/smtp/address.ts";
import { replyText } from "../../src/smtp/reply.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeWire } from "../support/fake_wire.ts";

const encoder = new TextEncoder();

export const JONES = { localPart: "jones", domain: "x.y" };
export const SMITH = { localPart: "smith", domain: "x.y" };
export const GREEN = { localPart: "green", domain: "x.y" };

const TEXT = "Subject: Hi\r\n\r\n.body\r\n";
export const OK = "250 OK\r\n";

/** The replies of a server that takes one message for one recipient, the first unasked. */
export const REPLIES = [
  "220 s\r\n",
  "250 s\r\n",
  OK,
  OK,
  "354 go\r\n",
  "250 2.0.0 taken\r\n",
] as const;
/** What each of them answers. */
export const STEPS = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "end"] as const;

export interface Conversation {
  readonly server: FakeWire;
  readonly clock: FakeClock;
  /** A connection with one message on its way. */
  readonly done: Promise<{ connection: Connection; outcome: Outcome }>;
}

/** Opens a connection to a server that is the test, and sends a message over it. */
export function converse(forwardPaths: readonly Mailbox[] = [JONES], text = TEXT): Conversation {
  const server = new FakeWire();
  const clock = new FakeClock();
  const start = async () => {
    const connection = await open(server, clock);
    return { connection, outcome: await send(connection, forwardPaths, text) };
  };
  return { server, clock, done: start() };
}

function open(server: FakeWire, clock: FakeClock): Promise<Connection> {
  const options = { host: "me.example", serverName: "mx.test", wantsTls: false, clock };
  return Connection.open(server, options);
}

export function send(
  connection: Connection,
  forwardPaths = [JONES] as readonly Mailbox[],
  text = TEXT,
) {
  const envelope = { reversePath: null, forwardPaths, size: text.length, eightBit: false };
  return connection.send(envelope, pieces(text));
}

export async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(encoder.encode(text));
}

/** Says each reply when it has heard what it answers. */
export async function answer(server: FakeWire, ...replies: string[]): Promise<void> {
  for (const reply of replies) {
    await server.hear();
    server.say(reply);
  }
}

/** A connection that is greeted and has not sent anything. */
export async function greeted(offered = "250 s\r\n") {
  const server = new FakeWire();
  const clock = new FakeClock();
  const opening = open(server, clock);
  server.say("220 s\r\n");
  await answer(server, offered);
  return { server, clock, connection: await opening };
}

export function words({ results, remaining, broken }: Outcome): string[] {
  return [
    ...results.map(({ forwardPath, reply }) => `${forwardPath.localPart} ${replyText(reply)}`),
    ...remaining.map(({ localPart }) => `${localPart} remains`),
    ...broken?.undecided.map(({ localPart }) => `${localPart}? ${replyText(broken.reply)}`) ?? [],
  ];
}

/** What opening the connection, or else the outcome, says of a server that fails. */
export async function failure({ done }: Conversation) {
  try {
    const { connection, outcome } = await done;
    assert.ok(!connection.usable);
    assert.ok(outcome.broken);
    return { reply: replyText(outcome.broken.reply), textSent: outcome.broken.textSent };
  } catch (error) {
    assert.ok(error instanceof ChannelError);
    return { reply: replyText(error.reply), kind: error.kind, heard: error.heard };
  }
}

/** Plays a server up to where it has heard everything and not yet given the answer to `step`. */
export async function playTo(conversation: Conversation, step: number): Promise<void> {
  const { server } = conversation;
  for (let at = 0; at < step; at++) {
    if (at > 0) await server.hear();
    server.say(REPLIES[at]!);
  }
  if (step > 0) await server.hear();
  await server.settled();
}
