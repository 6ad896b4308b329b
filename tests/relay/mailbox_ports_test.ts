/** How the relay reaches the receivers, which come and go. */

import assert from "node:assert/strict";
import { DamagedError, newRecipient, type QueuedMessage } from "../../src/queue/envelope.ts";
import type { ToReceiver, ToRelay } from "../../src/relay/exchange.ts";
import { MailboxPorts } from "../../src/relay/mailbox_ports.ts";
import type { Mailbox } from "../../src/smtp/address.ts";
import type { Reply } from "../../src/smtp/reply.ts";
import { until } from "../support/until.ts";

const JONES: Mailbox = { localPart: "jones", domain: "me.example" };
const SMITH: Mailbox = { localPart: "smith", domain: "me.example" };
const STORED: Reply = { code: 250, status: "2.0.0", lines: ["Stored"] };
const UNKNOWN: Reply = { code: 550, status: "5.1.1", lines: ["No such user here"] };

function message(id: string, ...recipients: readonly Mailbox[]): QueuedMessage {
  return {
    id,
    arrived: 0,
    reversePath: null,
    size: 100,
    eightBit: false,
    delayReported: false,
    recipients: recipients.map((recipient) => newRecipient(recipient, 0)),
  };
}

/** A receiver's end of its port to the relay. */
class Receiver {
  readonly asked: ToReceiver[] = [];
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<ToReceiver>) => this.asked.push(data);
  }

  tell(message: ToRelay): void {
    this.#port.postMessage(message);
  }

  /** The ids of the messages that it was asked for, as soon as there are so many. */
  async ids(count: number): Promise<string[]> {
    await until(`${count} deliveries`, () => this.asked.length >= count);
    return this.asked.map(({ message }) => message.id);
  }

  /** Answers the first delivery of this message. */
  deliver(id: string, ...replies: readonly Reply[]): void {
    const { ticket } = this.asked.find(({ message }) => message.id === id) ?? assert.fail();
    this.tell({ kind: "delivered", ticket, replies });
  }

  close(): void {
    this.#port.close();
  }
}

/** The relay's end, with what it hears, and receivers that are added to it. */
class World {
  readonly queued: string[] = [];
  readonly ports = new MailboxPorts((id) => this.queued.push(id));
  readonly #receivers = new Map<number, Receiver>();

  add(number: number): Receiver {
    const { port1, port2 } = new MessageChannel();
    const receiver = new Receiver(port1);
    this.#receivers.set(number, receiver);
    this.ports.add(number, port2);
    return receiver;
  }

  async heard(...ids: readonly string[]): Promise<void> {
    await until(`ids ${ids}`, () => this.queued.length >= ids.length);
    assert.deepEqual([...this.queued].sort(), ids);
  }

  [Symbol.dispose](): void {
    for (const [number, receiver] of this.#receivers) {
      this.ports.remove(number);
      receiver.close();
    }
  }
}

Deno.test("a delivery is asked for with the message and its recipients, and answered in order", async () => {
  using world = new World();
  const receiver = world.add(0);
  const sent = message("a", JONES, SMITH);
  const replies = world.ports.deliver(sent, [JONES, SMITH]);
  await receiver.ids(1);
  const [{ kind, message: got, recipients } = assert.fail()] = receiver.asked;
  assert.deepEqual([kind, got, recipients], ["deliver", sent, [JONES, SMITH]]);
  receiver.deliver("a", STORED, UNKNOWN);
  assert.deepEqual(await replies, [STORED, UNKNOWN]);
});

Deno.test("each answer comes to its own delivery, in whatever order", async () => {
  using world = new World();
  const receiver = world.add(0);
  const first = world.ports.deliver(message("a", JONES), [JONES]);
  const second = world.ports.deliver(message("b", JONES), [JONES]);
  assert.deepEqual(await receiver.ids(2), ["a", "b"]);
  receiver.deliver("b", UNKNOWN);
  assert.deepEqual(await second, [UNKNOWN]);
  receiver.deliver("a", STORED);
  assert.deepEqual(await first, [STORED]);
});

Deno.test("the newest receiver is asked, and the others are not", async () => {
  using world = new World();
  const [older, old] = [world.add(3), world.add(5)];
  const newest = world.add(11);
  const replies = world.ports.deliver(message("a", JONES), [JONES]);
  assert.deepEqual(await newest.ids(1), ["a"]);
  newest.deliver("a", STORED);
  await replies;
  assert.deepEqual([old.asked, older.asked], [[], []]);
});

Deno.test("when the newest is gone, the one before it is asked", async () => {
  using world = new World();
  const old = world.add(0);
  world.add(1);
  world.ports.remove(1);
  const replies = world.ports.deliver(message("a", JONES), [JONES]);
  await old.ids(1);
  old.deliver("a", STORED);
  assert.deepEqual(await replies, [STORED]);
});

Deno.test("without a receiver deliveries wait for the next, which is asked for each once", async () => {
  using world = new World();
  world.add(0);
  world.ports.remove(0);
  const replies = ["a", "b"].map((id) => world.ports.deliver(message(id, JONES), [JONES]));
  const next = world.add(1);
  assert.deepEqual(await next.ids(2), ["a", "b"]);
  const another = world.add(2);
  next.deliver("a", STORED);
  next.deliver("b", UNKNOWN);
  assert.deepEqual(await Promise.all(replies), [[STORED], [UNKNOWN]]);
  assert.deepEqual([next.asked.length, another.asked.length], [2, 0]);
});

Deno.test("one that is gone has failed its open deliveries for now, and no other is asked", async () => {
  using world = new World();
  const other = world.add(0);
  const dying = world.add(1);
  const done = world.ports.deliver(message("a", JONES), [JONES]);
  const open = world.ports.deliver(message("b", JONES, SMITH), [JONES, SMITH]);
  await dying.ids(2);
  dying.deliver("a", STORED);
  assert.deepEqual(await done, [STORED]);
  world.ports.remove(1);
  const replies = await open;
  assert.deepEqual(replies.map(({ code, status }) => [code, status]), [
    [451, "4.3.0"],
    [451, "4.3.0"],
  ]);
  const next = world.add(2);
  // What comes after shows that nothing came before.
  const later = world.ports.deliver(message("c", JONES), [JONES]);
  assert.deepEqual(await next.ids(1), ["c"]);
  next.deliver("c", STORED);
  await later;
  assert.deepEqual(other.asked, []);
});

Deno.test("what the others were asked for is not touched by that", async () => {
  using world = new World();
  const old = world.add(0);
  const replies = world.ports.deliver(message("a", JONES), [JONES]);
  await old.ids(1);
  world.add(1);
  world.ports.remove(1);
  old.deliver("a", STORED);
  assert.deepEqual(await replies, [STORED]);
});

Deno.test("a message that cannot be read is told as damaged, with the reason", async () => {
  using world = new World();
  const receiver = world.add(0);
  const replies = world.ports.deliver(message("a", JONES), [JONES]);
  await receiver.ids(1);
  const [{ ticket } = assert.fail()] = receiver.asked;
  receiver.tell({ kind: "damaged", ticket, reason: "the text is missing" });
  await assert.rejects(replies, new DamagedError("the text is missing"));
});

Deno.test("every receiver tells of what is new in the queue, not the newest alone", async () => {
  using world = new World();
  const receivers = [world.add(0), world.add(1), world.add(2)];
  receivers.forEach((receiver, i) => receiver.tell({ kind: "queued", id: `a${i}` }));
  await world.heard("a0", "a1", "a2");
});

Deno.test("what a receiver told before it was gone is heard", async () => {
  using world = new World();
  const receiver = world.add(0);
  const ids = ["a", "b", "c"];
  ids.forEach((id) => receiver.tell({ kind: "queued", id }));
  world.ports.remove(0);
  await world.heard(...ids);
});

Deno.test("an answer that comes too late, or twice, changes nothing", async () => {
  using world = new World();
  const receiver = world.add(0);
  const first = world.ports.deliver(message("a", JONES), [JONES]);
  await receiver.ids(1);
  receiver.deliver("a", STORED);
  receiver.deliver("a", UNKNOWN);
  receiver.tell({ kind: "damaged", ticket: 1000, reason: "nobody's" });
  receiver.tell({ kind: "queued", id: "last" });
  await world.heard("last");
  assert.deepEqual(await first, [STORED]);
});

Deno.test("the removal of a number that nobody has is no error", async () => {
  using world = new World();
  world.ports.remove(9);
  const receiver = world.add(0);
  world.ports.remove(9);
  const replies = world.ports.deliver(message("a", JONES), [JONES]);
  await receiver.ids(1);
  receiver.deliver("a", STORED);
  assert.deepEqual(await replies, [STORED]);
  world.ports.remove(0);
  world.ports.remove(0);
});
