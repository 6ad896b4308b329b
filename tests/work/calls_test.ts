/**
 * The work for one message has bounds that do not depend on the machine: what the system is asked for.
 * Who makes it less makes the bounds tighter; who makes it more says here why.
 */

import assert from "node:assert/strict";
import type { Daemon } from "../support/daemon.ts";
import { skippable } from "../support/programs.ts";
import { noStrace } from "../support/strace.ts";
import { greetedClient, submit, transaction } from "../support/submit.ts";
import { callsOf, type Counts, printed, total } from "./calls.ts";

const MESSAGES = 20;
/** The marks themselves, and what the daemon does besides: a log line, a look at the disk. */
const BESIDES = 60;

const SYNCS = ["fsync", "fdatasync"];
const FILES = ["openat", "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"];
const SENDS = ["sendto", "sendmsg"];
const RECEIVES = ["recvfrom", "recvmsg"];

const text = (octets: number) =>
  "Subject: work\r\n\r\n" + `${"x".repeat(78)}\r\n`.repeat(octets / 80);

async function oneByOne(daemon: Daemon, to: readonly string[], octets = 4000): Promise<void> {
  for (let i = 0; i < MESSAGES; i++) await submit(daemon.port, { to, text: text(octets) });
}

/**
 * Per message and no more, of each kind; the last one is for all calls together. There is room in it for
 * a disk that is slow, whose operations other threads do.
 */
interface Bounds {
  readonly syncs: number;
  readonly files: number;
  readonly sends: number;
  readonly receives: number;
  readonly all: number;
}

function assertWithin(counts: Counts, bounds: Bounds, messages = MESSAGES): void {
  const found = {
    syncs: total(counts, ...SYNCS) / messages,
    files: total(counts, ...FILES) / messages,
    sends: total(counts, ...SENDS) / messages,
    receives: total(counts, ...RECEIVES) / messages,
    all: total(counts) / messages,
  };
  for (const [kind, bound] of Object.entries(bounds)) {
    const value = found[kind as keyof Bounds];
    const most = bound + BESIDES / messages / (kind === "syncs" ? Infinity : 1);
    assert(value <= most, `${value} ${kind} per message, at most ${most}: ${printed(counts)}`);
  }
}

function work(name: string, fn: () => Promise<void>): void {
  Deno.test({ ...skippable(name, noStrace), fn });
}

const JONES = ["jones@me.example"];

work(
  "a message for one mailbox: two syncs, a file made, moved, and a directory opened",
  async () => {
    const send = (daemon: Daemon) => oneByOne(daemon, JONES);
    const counts = await callsOf({}, send, send);
    assert.equal(total(counts, ...SYNCS), 2 * MESSAGES, "no more, and no less");
    assertWithin(counts, { syncs: 2, files: 3, sends: 7, receives: 8, all: 50 });
  },
);

work("the next one over the same connection: the conversation's part is less", async () => {
  const send = async (daemon: Daemon) => {
    const client = await greetedClient(daemon.port);
    try {
      for (let i = 0; i < MESSAGES; i++) {
        assert.match(await transaction(client, { to: JONES, text: text(4000) }), /^250 /);
      }
    } finally {
      client.close();
    }
  };
  const counts = await callsOf({}, send, send);
  assert.equal(total(counts, ...SYNCS), 2 * MESSAGES, "no more, and no less");
  assertWithin(counts, { syncs: 2, files: 3, sends: 4, receives: 5, all: 45 });
});

work(
  "a message for ten mailboxes: written and synced once, then a link or a rename and a directory each",
  async () => {
    const names = Array.from({ length: 10 }, (_, i) => `user${i}`);
    const send = (daemon: Daemon) => oneByOne(daemon, names.map((name) => `${name}@me.example`));
    const users = names.map((name) => `${name}:mail/${name}\n`).join("");
    const counts = await callsOf({ users }, send, send);
    assert.equal(
      total(counts, ...SYNCS),
      11 * MESSAGES,
      "one for the text, one for each directory",
    );
    assertWithin(counts, { syncs: 11, files: 21, sends: 16, receives: 17, all: 171 });
  },
);

work("messages of twenty clients at once share the syncs of their directory", async () => {
  const send = async (daemon: Daemon) => {
    await Promise.all(Array.from({ length: 20 }, () => submit(daemon.port, { to: JONES })));
  };
  const counts = await callsOf({}, send, send);
  const syncs = total(counts, ...SYNCS);
  // The text of each, and directories for some of them together.
  assert(syncs > 20 && syncs < 36, `${syncs} syncs for 20 messages: ${printed(counts)}`);
});

work("a megabyte is read and written in large pieces", async () => {
  const send = async (daemon: Daemon) => {
    for (let i = 0; i < 3; i++) {
      await submit(daemon.port, { to: JONES, text: text(2 ** 20) });
    }
  };
  const counts = await callsOf({}, send, send);
  // Reads are as large as what has come by then.
  assertWithin(counts, { syncs: 2, files: 3, sends: 7, receives: 80, all: 200 }, 3);
});
