/** Every transcript on the pure core, fed in one byte, one line and all at once. */

import { AddressBook } from "../../src/config/address_book.ts";
import { makeMaildir } from "../../src/mailbox/maildir.ts";
import { contains } from "../../src/config/network.ts";
import { MaildirNames } from "../../src/mailbox/name.ts";
import { Presence } from "../../src/mailbox/presence.ts";
import { MessageIds } from "../../src/queue/id.ts";
import { Spool } from "../../src/queue/spool.ts";
import { Intake } from "../../src/receiver/intake.ts";
import { Session, type SessionOptions } from "../../src/smtp/session.ts";
import { readConfiguration } from "../../src/config/configuration.ts";
import { Logins } from "../../src/receiver/logins.ts";
import type { Clock } from "../../src/clock.ts";
import { MemoryDisk } from "../support/memory_disk.ts";
import { silentLog } from "../support/silent_log.ts";
import {
  mailConf,
  play,
  type QueuedText,
  readQueue,
  type Server,
  userConf,
  USERS,
} from "./play.ts";
import { readTranscripts, type Transcript } from "./transcript.ts";

/** How the client's bytes are cut before the session sees them. */
const CUTS: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array[]>> = {
  "one byte": (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte)),
  "one line": (bytes) => {
    const pieces: Uint8Array[] = [];
    let start = 0;
    bytes.forEach((byte, i) => {
      if (byte !== 10) return;
      pieces.push(bytes.subarray(start, i + 1));
      start = i + 1;
    });
    return [...pieces, bytes.subarray(start)].filter((piece) => piece.length > 0);
  },
  "all at once": (bytes) => [bytes],
};

const FOLDER = "/mail";

const NOW = Date.UTC(2026, 10, 22, 15, 4, 5);
/** Nobody waits for long after a login that failed. */
const CLOCK: Clock = {
  now: () => NOW,
  after(_, act) {
    const timer = setTimeout(act);
    return () => clearTimeout(timer);
  },
};
const PROTECTION = { protocol: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" };

for (const transcript of await readTranscripts()) {
  const { file, conversations } = transcript;
  for (const conversation of conversations) {
    for (const [cut, pieces] of Object.entries(CUTS)) {
      Deno.test(`${file}: ${conversation.name} (${cut})`, async () => {
        await play(conversation, await PureServer.make(transcript, pieces));
      });
    }
  }
}

class PureServer implements Server {
  session: Session;
  #output = "";
  #open = true;
  /** Whether the next thing to come is a handshake. */
  #handshakeDue = false;

  private constructor(
    readonly options: Omit<SessionOptions, "tls">,
    tls: SessionOptions["tls"],
    readonly intake: Intake,
    readonly disk: MemoryDisk,
    readonly spool: Spool,
    readonly pieces: (bytes: Uint8Array) => Uint8Array[],
  ) {
    this.session = new Session({ ...options, ...tls ? { tls } : {} });
    if (tls === "in use") this.#handshakeDue = true;
    else this.#output = this.session.takeOutput();
  }

  static async make(
    transcript: Transcript,
    pieces: (bytes: Uint8Array) => Uint8Array[],
  ): Promise<PureServer> {
    const { mail, users } = await configuration(transcript);
    const { service } = transcript;
    const disk = new MemoryDisk();
    for (const i of USERS.keys()) await makeMaildir(disk, `${FOLDER}/${i}`);
    const spool = new Spool(disk, "/spool", "test");
    await spool.make();
    const host = mail.HOSTNAME;
    const now = () => NOW;
    const book = new AddressBook([host, ...mail.LOCAL_DOMAINS], users);
    const isLocal = (domain: string) => book.isLocal(domain);
    const intake = new Intake({
      book,
      disk,
      names: new MaildirNames({ host, process: 1, random: () => 0, now }),
      presence: new Presence(disk, { now }),
      spool,
      ids: new MessageIds({ now, random: () => 0 }),
      log: silentLog,
      now,
      host,
      queued: () => {},
      logins: new Logins(users, isLocal, { clock: CLOCK, log: silentLog }),
    }, {
      address: "127.0.0.1",
      peer: "127.0.0.1:1024",
      ownLiteral: "[127.0.0.1]",
      mayRelay: service === "smtp" &&
        mail.RELAY_FROM.some((network) => contains(network, "127.0.0.1")),
    });
    const options = {
      host,
      maxMessageSize: mail.MAX_MESSAGE_SIZE,
      maxRecipients: mail.MAX_RECIPIENTS,
      submission: service !== "smtp",
    };
    const tls = service === "submissions" ? "in use" : mail.TLS_CERT ? "offered" : undefined;
    return new PureServer(options, tls, intake, disk, spool, pieces);
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (const piece of this.pieces(bytes)) {
      if (this.session.closed) return;
      this.session.feed(piece);
      await this.#work();
      this.#output += this.session.takeOutput();
    }
  }

  line(): Promise<string | null> {
    const end = this.#output.indexOf("\r\n");
    if (end < 0) {
      const over = this.session.closed && !this.#handshakeDue;
      if (over || !this.#open) return Promise.resolve(null);
      return Promise.reject(new Error("the server says nothing"));
    }
    const line = this.#output.slice(0, end);
    this.#output = this.#output.slice(end + 2);
    return Promise.resolve(line);
  }

  silent(): Promise<boolean> {
    return Promise.resolve(this.#output === "");
  }

  secure(): Promise<void> {
    if (!this.#handshakeDue) return Promise.reject(new Error("the server expects no handshake"));
    this.#handshakeDue = false;
    if (this.session.closed) {
      this.session = new Session({ ...this.options, tls: "in use", greeted: true });
    }
    this.intake.secured(PROTECTION);
    this.#output += this.session.takeOutput();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#open = false;
    await this.intake.drop();
  }

  mailbox(user: string): Promise<Uint8Array[]> {
    const folder = `${FOLDER}/${USERS.indexOf(user)}`;
    const files = [...this.disk.files].filter(([path]) => path.startsWith(`${folder}/`));
    const halves = files.filter(([path]) => !path.startsWith(`${folder}/new/`));
    if (halves.length > 0) return Promise.reject(new Error(`left over: ${halves[0]![0]}`));
    return Promise.resolve(files.map(([, { bytes }]) => bytes));
  }

  queue(): Promise<QueuedText[]> {
    const halves = [...this.disk.files.keys()].filter((path) => path.startsWith("/spool/tmp/"));
    if (halves.length > 0) return Promise.reject(new Error(`left over: ${halves[0]}`));
    return readQueue(this.spool);
  }

  async #work(): Promise<void> {
    const { session, intake } = this;
    for (let event = session.next(); event; event = session.next()) {
      if (event.kind === "login") session.answer(await intake.login(event.credentials));
      else if (event.kind === "mail") session.answer(await intake.begin(event.transaction));
      else if (event.kind === "recipient") {
        session.answer(await intake.recipient(event.forwardPath));
      } else if (event.kind === "data") session.answer(await intake.data(event.transaction));
      else if (event.kind === "text") await intake.text(event.bytes);
      else if (event.kind === "end") {
        session.answer(await intake.end(event.transaction, event.size));
      } else if (event.kind === "dropped") await intake.drop();
      else if (event.kind === "starttls") this.#handshakeDue = true;
      else if (event.kind === "output") this.#output += session.takeOutput();
    }
  }
}

/** The configuration by way of real files: the same reader as the daemon's. */
async function configuration(transcript: Transcript): ReturnType<typeof readConfiguration> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    await Deno.writeTextFile(`${folder}/mail.conf`, mailConf(transcript));
    await Deno.writeTextFile(`${folder}/user.conf`, userConf(transcript, FOLDER));
    return await readConfiguration(`${folder}/mail.conf`, `${folder}/user.conf`, {
      hostName: () => "unused.example",
      addresses: () => [],
      stateDirectory: () => undefined,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
