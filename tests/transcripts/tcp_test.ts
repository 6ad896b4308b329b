/** Every transcript over TCP against the real daemon, which must be none the worse for it. */

import assert from "node:assert/strict";
import { SystemDisk } from "../../src/disk.ts";
import { Requests } from "../../src/queue/requests.ts";
import { Spool } from "../../src/queue/spool.ts";
import { TRUST } from "../support/certificate.ts";
import { type Daemon, readMailbox, startDaemon } from "../support/daemon.ts";
import { namesIn } from "../support/names_in.ts";
import { RawClient } from "../support/raw_client.ts";
import { emptied } from "../support/waiting.ts";
import {
  mailConf,
  play,
  type QueuedText,
  readQueue,
  type Server,
  userConf,
  USERS,
} from "./play.ts";
import { type Conversation, readTranscripts, type Transcript } from "./transcript.ts";

for (const transcript of await readTranscripts()) {
  Deno.test(`${transcript.file} over TCP`, async (t) => {
    await using daemon = await startDaemon({
      mail: mailConf(transcript),
      users: userConf(transcript, "mail"),
    });
    for (const conversation of transcript.conversations) {
      await t.step(conversation.name, () => converse(transcript, conversation, daemon));
    }
    const status = await daemon.stop();
    assert.equal(status.code, 0, `the daemon ended with ${status.code}:\n${daemon.log()}`);
    assert.doesNotMatch(daemon.log(), /connection failed|Uncaught|error: /);
  });
}

async function converse(
  { settings, service }: Transcript,
  conversation: Conversation,
  daemon: Daemon,
): Promise<void> {
  const server = await TcpServer.connect(daemon, daemon.portFor(service));
  try {
    await play(conversation, server);
  } finally {
    await server.close();
    await server.clear();
  }
  // Still serving.
  const next = await RawClient.connect(daemon.port);
  try {
    assert.match(await next.reply() ?? "", /^220 /, `after ${conversation.place} ${settings}`);
    assert.match(await next.command("QUIT") ?? "", /^221 /);
  } finally {
    next.close();
  }
}

class TcpServer implements Server {
  readonly client: RawClient;
  readonly spool: Spool;
  /** How the daemon's log calls this end. */
  readonly #peer: string;

  private constructor(readonly daemon: Daemon, conn: Deno.TcpConn) {
    this.client = new RawClient(conn);
    this.spool = new Spool(new SystemDisk(), `${daemon.folder}/spool`, "look");
    this.#peer = `${conn.localAddr.hostname}:${conn.localAddr.port}`;
  }

  static async connect(daemon: Daemon, port: number): Promise<TcpServer> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    return new TcpServer(daemon, conn);
  }

  async send(bytes: Uint8Array): Promise<void> {
    if (bytes.length > 0) await this.client.send(bytes);
  }

  line(): Promise<string | null> {
    return this.client.line();
  }

  silent(): Promise<boolean> {
    return this.client.silent(30);
  }

  secure(): Promise<void> {
    return this.client.secure(TRUST);
  }

  close(): Promise<void> {
    this.client.close();
    return Promise.resolve();
  }

  async mailbox(user: string): Promise<Uint8Array[]> {
    // A client that is gone takes its half message with it, once the daemon has noticed.
    this.client.close();
    await this.daemon.logged(`connection closed peer=${this.#peer}`);
    const folder = this.#folder(user);
    assert.deepEqual(await namesIn(`${folder}/tmp`), [], `left over in ${folder}/tmp`);
    return (await readMailbox(folder)).map(({ bytes }) => bytes);
  }

  async queue(): Promise<QueuedText[]> {
    const halves = await namesIn(`${this.spool.directory}/tmp`);
    // What the relay records of its attempts comes and goes.
    assert.deepEqual(halves.filter((name) => !name.startsWith("relay")), []);
    return await readQueue(this.spool);
  }

  async clear(): Promise<void> {
    const { disk, directory } = this.spool;
    // By way of the daemon, which may be working on them.
    const requests = new Requests(disk, directory);
    for (const id of await this.spool.list()) await requests.make({ kind: "remove", id });
    await emptied(this.daemon);
    for (const user of USERS) {
      for (const { path } of await readMailbox(this.#folder(user))) await Deno.remove(path);
    }
  }

  #folder(user: string): string {
    return `${this.daemon.folder}/mail/${USERS.indexOf(user)}`;
  }
}
