/**
 * Where a scenario is played: a daemon's folder that outlives its processes, the host that the mail
 * goes to, and what was sent with what was answered.
 */

import assert from "node:assert/strict";
import { SystemDisk } from "../../../src/disk.ts";
import { Requests } from "../../../src/queue/requests.ts";
import { Spool } from "../../../src/queue/spool.ts";
import { makeDaemonFolder } from "../../support/daemon.ts";
import { namesIn } from "../../support/names_in.ts";
import { type RecordingServer, startRecordingServer } from "../../support/recording_server.ts";
import { envelope, greetedClient, transaction } from "../../support/submit.ts";
import { until } from "../../support/until.ts";
import { numberedText } from "../numbered_text.ts";
import { KilledError, Target, type TargetOptions } from "./target.ts";

/** Users with a mailbox each, at me.example. */
export const USERS = ["jones", "smith", "mary"] as const;
/** Octets of a text that goes through a file piece by piece. */
export const LARGE = 200 * 1024;

/** A message for somebody. */
export interface Sent {
  readonly name: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  /** Whether the client has heard 250 behind the text. */
  acknowledged: boolean;
  /** How many texts are to be put aside, for the scenario has harmed it. */
  harmed: number;
  /** Somebody wants it removed, and has heard that it is, or has not. */
  removal: "none" | "wanted" | "told";
}

/** What the host says to whoever brings it something. */
export type Mood = "takes" | "later" | "never";

export interface StageOptions {
  /** Lines of mail.conf; if not given, all mail for others goes to the host. */
  readonly mail?: string;
  /** Where the host is. */
  readonly host?: { readonly hostname: string; readonly port: number };
  /** What goes with it. */
  readonly beside?: AsyncDisposable;
}

export class Stage {
  readonly folder: string;
  readonly host: RecordingServer;
  readonly sent: Sent[] = [];
  readonly #moods: { now: Mood };
  readonly #beside: AsyncDisposable | undefined;
  #target: Target | undefined;

  private constructor(
    folder: string,
    host: RecordingServer,
    moods: { now: Mood },
    beside: AsyncDisposable | undefined,
  ) {
    this.folder = folder;
    this.host = host;
    this.#moods = moods;
    this.#beside = beside;
  }

  static async set({ mail, host: address, beside }: StageOptions = {}): Promise<Stage> {
    const moods: { now: Mood } = { now: "takes" };
    const host = startRecordingServer({
      ...address,
      reply(command) {
        if (!command.startsWith("RCPT") || moods.now === "takes") return undefined;
        return moods.now === "later" ? "451 4.3.0 Later" : "550 5.1.1 Nobody of that name";
      },
    });
    const folder = await makeDaemonFolder({
      mail: `LISTEN_PORT = ${ownPort()}\n${mail ?? host.setting}`,
      users: usersText(USERS),
    });
    return new Stage(folder, host, moods, beside);
  }

  get mood(): Mood {
    return this.#moods.now;
  }

  set mood(mood: Mood) {
    this.#moods.now = mood;
  }

  get target(): Target {
    return this.#target!;
  }

  get spool(): string {
    return `${this.folder}/spool`;
  }

  /** Whether the process that is to be stopped was. */
  get killed(): boolean {
    return this.#target?.killed ?? false;
  }

  /** Begins a process in the folder. */
  begin(options: Omit<TargetOptions, "folder">): Target {
    return this.#target = new Target({ ...options, folder: this.folder });
  }

  /** A daemon that works. */
  async serve(options: Omit<TargetOptions, "folder"> = {}): Promise<void> {
    await this.begin(options).shows(" info started ");
  }

  /** SIGTERM, and its end. */
  async stop(): Promise<void> {
    this.target.send("SIGTERM");
    const { code } = await this.target.end();
    if (this.killed) throw new KilledError();
    assert.equal(code, 0, this.target.log);
  }

  /** Sends a message from jones; the first word of the reply to its text. */
  async send(to: readonly string[], size = 500): Promise<string> {
    const message = this.#message(to, size);
    const client = await greetedClient(this.target.port);
    try {
      const reply = await transaction(client, message);
      message.acknowledged = reply.startsWith("250 ");
      return reply.slice(0, 3);
    } finally {
      client.close();
    }
  }

  /** The same; it must be taken. */
  async give(to: readonly string[], size?: number): Promise<Sent> {
    assert.equal(await this.send(to, size), "250", this.target.log);
    return this.sent.at(-1)!;
  }

  /** A client that is gone in the middle of its text, when that is on the disk in part. */
  async hangUp(to: readonly string[]): Promise<void> {
    const message = this.#message(to, LARGE);
    const client = await greetedClient(this.target.port);
    try {
      await envelope(client, message);
      await client.send(message.text.slice(0, 0.75 * LARGE));
      await this.until("two files", async () => await this.unfinished() === 2);
    } finally {
      client.close();
    }
  }

  /** Looks until there is something. Rejects with KilledError as soon as that is so. */
  until(what: string, look: () => Promise<boolean>): Promise<unknown> {
    return until(what, () => {
      if (this.killed) throw new KilledError();
      return look();
    });
  }

  /** Until nothing waits. */
  async emptied(): Promise<void> {
    await this.until("an empty queue", async () => (await this.queued()).length === 0);
  }

  /** Until the outcome of every attempt so far is on the disk, and `count` messages wait. */
  async deferred(count = 1): Promise<string[]> {
    const spool = new Spool(new SystemDisk(), this.spool, "looks");
    await this.until(`${count} messages that were tried`, async () => {
      const ids = await spool.list();
      const messages = await Promise.all(ids.map((id) => spool.read(id)));
      return ids.length === count &&
        messages.every(({ recipients }) => recipients.every((one) => one.last !== undefined));
    });
    return await spool.list();
  }

  queued(): Promise<string[]> {
    return namesIn(`${this.spool}/queue`);
  }

  /** How many files have been begun, and are not where they belong. */
  async unfinished(): Promise<number> {
    const places = [this.spool, ...USERS.map((name) => `${this.folder}/mail/${name}`)];
    const names = await Promise.all(places.map((place) => namesIn(`${place}/tmp`)));
    const queue = await namesIn(`${this.spool}/queue`);
    // An envelope without a text is nobody's.
    const envelopes = queue.filter((name) => {
      return name.endsWith(".json") && !queue.includes(name.replace(".json", ".eml"));
    });
    return names.flat().length + envelopes.length;
  }

  /** The command `queue` beside the daemon, and whether it has done what it should. */
  async queue(...words: readonly string[]): Promise<boolean> {
    const [action = "", ...rest] = words;
    const command = new Target({
      folder: this.folder,
      words: ["queue", action, "mail.conf", ...rest],
    });
    const end = () => command.send("SIGKILL");
    this.target.whenKilled.addEventListener("abort", end);
    const { code } = await command.end();
    this.target.whenKilled.removeEventListener("abort", end);
    return code === 0;
  }

  /** What `queue retry --all` does, without a process. */
  async askForAll(): Promise<void> {
    await new Requests(new SystemDisk(), this.spool).make({ kind: "retry", id: "all" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#target?.send("SIGKILL");
    await this.#target?.end();
    await this.host[Symbol.asyncDispose]();
    await this.#beside?.[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }

  #message(to: readonly string[], size: number): Sent {
    const name = `m${this.sent.length}`;
    const message: Sent = {
      name,
      from: "jones@me.example",
      to,
      text: numberedText(name, size),
      acknowledged: false,
      harmed: 0,
      removal: "none",
    };
    this.sent.push(message);
    return message;
  }
}

const [LOWEST, HIGHEST] = [10_000, 30_000] as const;
let latestPort = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));

/**
 * A port that no other stage of this process has: daemons share one that they have both found free,
 * and a client would come to the wrong one. Nor does the system give it to anybody who asks for any.
 */
function ownPort(): number {
  for (;;) {
    latestPort = latestPort === HIGHEST ? LOWEST : latestPort + 1;
    try {
      Deno.listen({ hostname: "127.0.0.1", port: latestPort }).close();
      return latestPort;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** user.conf with a mailbox for each of them. */
export function usersText(names: readonly string[]): string {
  return names.map((name) => `${name}:mail/${name}\n`).join("");
}
