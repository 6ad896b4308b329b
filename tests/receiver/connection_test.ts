/** One connection over a socket that the test holds: whatever the peer does not do, it ends. */

import assert from "node:assert/strict";
import { AddressBook } from "../../src/config/address_book.ts";
import { MaildirNames } from "../../src/mailbox/name.ts";
import { Presence } from "../../src/mailbox/presence.ts";
import { MessageIds } from "../../src/queue/id.ts";
import { Spool } from "../../src/queue/spool.ts";
import type { TcpSocket } from "../../src/receiver/client_socket.ts";
import { Connection } from "../../src/receiver/connection.ts";
import { MemoryDisk } from "../support/memory_disk.ts";
import { silentLog } from "../support/silent_log.ts";

/** A peer that says these, and reads nothing any more once it is sent a reply that holds `deaf`. */
class DeafPeer implements TcpSocket {
  closed = false;
  readonly #says: string[];
  readonly #deaf: string;
  readonly #closing = Promise.withResolvers<never>();

  constructor(says: string[], deaf: string) {
    this.#says = says;
    this.#deaf = deaf;
    this.#closing.promise.catch(() => {});
  }

  read(buffer: Uint8Array): Promise<number | null> {
    const line = this.#says.shift();
    if (line === undefined) return this.#closing.promise;
    return Promise.resolve(new TextEncoder().encodeInto(line, buffer).written);
  }

  write(bytes: Uint8Array): Promise<number> {
    const deaf = new TextDecoder().decode(bytes).includes(this.#deaf);
    return deaf ? this.#closing.promise : Promise.resolve(bytes.length);
  }

  close(): void {
    if (this.closed) throw new Deno.errors.BadResource();
    this.closed = true;
    this.#closing.reject(new Deno.errors.Interrupted());
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  setNoDelay(): void {}
}

/** `timeout` in seconds. */
function connect(socket: TcpSocket, timeout: number): Connection {
  const host = "me.example";
  const now = () => 0;
  const disk = new MemoryDisk();
  return new Connection(
    socket,
    { address: "192.0.2.1", peer: "192.0.2.1:1024", ownLiteral: "[192.0.2.2]", mayRelay: false },
    { host, maxMessageSize: 65536, maxRecipients: 100 },
    timeout,
    {
      book: new AddressBook([host], []),
      disk,
      presence: new Presence(disk, { now }),
      spool: new Spool(disk, "/spool", "test"),
      queued: () => {},
      names: new MaildirNames({ host, process: 1, random: () => 0, now }),
      ids: new MessageIds({ now, random: () => 0 }),
      log: silentLog,
      now,
      host,
    },
  );
}

for (
  const [what, says, deaf] of [
    ["the greeting", [], "220 "],
    ["a reply", ["NOOP\r\n"], "250 "],
    ["the reply to QUIT", ["QUIT\r\n"], "221 "],
    ["the reply that turns it out", ["GET / HTTP/1.1\r\n"], "421 "],
  ] as const
) {
  Deno.test(`a peer that does not read ${what} is cut off in time`, async () => {
    const peer = new DeafPeer([...says], deaf);
    await connect(peer, 0.05).run();
    assert.ok(peer.closed);
  });

  Deno.test(`a peer that does not read ${what} does not keep the receiver from stopping`, async () => {
    const peer = new DeafPeer([...says], deaf);
    const connection = connect(peer, 300);
    const run = connection.run();
    await new Promise((resolve) => setTimeout(resolve, 10));
    connection.stop();
    connection.abort();
    await run;
    assert.ok(peer.closed);
  });
}

Deno.test("a peer to whom the end cannot be told is gone a second later", async () => {
  const peer = new DeafPeer(["QUIT\r\n"], "nothing");
  peer.closeWrite = () => peer.write(new TextEncoder().encode("nothing")).then(() => {});
  await connect(peer, 300).run();
  assert.ok(peer.closed);
});

Deno.test("a peer that says nothing and does not read the farewell is gone a second later", async () => {
  const peer = new DeafPeer([], "421 ");
  await connect(peer, 0.05).run();
  assert.ok(peer.closed);
});
