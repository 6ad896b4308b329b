/** Clients that hand in one message after another, and do not mind a server that comes and goes. */

import { Random } from "../../support/random.ts";
import { RawClient } from "../../support/raw_client.ts";
import type { Ledger } from "./ledger.ts";
import { numberedText } from "../numbered_text.ts";

export interface LoadParts {
  readonly port: number;
  readonly ledger: Ledger;
  /** Decides what each session says; the moments are the machine's. */
  readonly seed: number;
  readonly sessions: number;
  /** Addresses; a message goes to one of them or to some. */
  readonly recipients: readonly string[];
  /** While so many copies are on their way, no message is handed in. */
  readonly mostAwaited?: number;
}

/** Of the messages: most are letters, a few are longer than what stays in memory. */
const SIZES = [
  { share: 0.9, least: 1024, most: 4096 },
  { share: 0.08, least: 4096, most: 20_000 },
  { share: 0.02, least: 66_000, most: 200_000 },
];

/** Messages over one connection at most. */
const MOST = 60;
/** Milliseconds between two messages of a session, up to: the disk has to hold all that comes. */
const BREATH = 80;
/** Milliseconds until a server has failed to answer; a disk that others use too may make it wait. */
const PATIENCE = 30_000;
/** Milliseconds until a server that is away is looked for again. */
const PAUSE = 20;

const SENDER = "jones@me.example";

/** A server that goes in the middle of anything. */
const GONE = [
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionAborted,
  Deno.errors.ConnectionRefused,
  Deno.errors.ConnectionReset,
];

export class Load {
  readonly #parts: LoadParts;
  readonly #sessions: Promise<void>;
  #over = false;
  #refusals = 0;

  /** The sessions begin at once. */
  constructor(parts: LoadParts) {
    this.#parts = parts;
    const numbers = Array.from({ length: parts.sessions }, (_, number) => number);
    this.#sessions = Promise.all(numbers.map((number) => this.#run(number))).then(() => {});
    // Told to whoever ends it.
    this.#sessions.catch(() => {});
  }

  /** Replies other than what a server in good order gives. */
  get refusals(): number {
    return this.#refusals;
  }

  /** Every session comes to the end of its message. Rejects where a server did not answer in time. */
  async end(): Promise<void> {
    this.#over = true;
    await this.#sessions;
  }

  async #run(number: number): Promise<void> {
    const session = new Session(number, new Random(this.#parts.seed * 1000 + number));
    while (!this.#over) {
      try {
        const client = await RawClient.connect(this.#parts.port);
        try {
          await this.#converse(client, session);
        } finally {
          client.close();
        }
      } catch (error) {
        if (!GONE.some((kind) => error instanceof kind)) {
          this.#over = true;
          throw new Error(`session ${number}, ${session.step}`, { cause: error });
        }
        await pause(PAUSE);
      }
    }
  }

  /** One connection. */
  async #converse(client: RawClient, session: Session): Promise<void> {
    session.step = "greeting";
    if (!await this.#isGood("220", client.reply(PATIENCE))) return;
    session.step = "EHLO";
    if (!await this.#isGood("250", command(client, "EHLO client.example"))) return;
    for (let left = session.random.between(1, MOST); left > 0 && !this.#over; left--) {
      while (!this.#over && this.#isHeldBack()) await pause(PAUSE);
      if (!await this.#handIn(client, session)) return;
      await pause(session.random.between(0, BREATH));
    }
    session.step = "QUIT";
    await command(client, "QUIT");
  }

  #isHeldBack(): boolean {
    const { ledger, mostAwaited = Infinity } = this.#parts;
    return ledger.awaited > mostAwaited;
  }

  /** Whether the connection is good for another one. */
  async #handIn(client: RawClient, session: Session): Promise<boolean> {
    const { recipients, ledger } = this.#parts;
    const { random } = session;
    const to = random.some(recipients, random.chance(0.7) ? 1 : random.between(2, 3));
    const commands = [
      `MAIL FROM:<${SENDER}>`,
      ...to.map((one) => `RCPT TO:<${one}>`),
      "DATA",
    ];
    const pipelined = random.chance(0.5);
    if (pipelined) await client.send(commands.map((line) => `${line}\r\n`).join(""));
    for (const line of commands) {
      session.step = pipelined ? `${line}, pipelined` : line;
      const reply = pipelined ? client.reply(PATIENCE) : command(client, line);
      if (!await this.#isGood(line === "DATA" ? "354" : "250", reply)) return false;
    }
    const name = session.nextName();
    const text = numberedText(name, sizeOf(random)).replaceAll("\r\n.", "\r\n..");
    ledger.sent(name, to);
    session.step = `text of ${text.length} octets`;
    await client.send(`${text}.\r\n`);
    if (!await this.#isGood("250", client.reply(PATIENCE))) return false;
    ledger.acknowledged(name);
    return true;
  }

  /** False also where the server has gone. */
  async #isGood(code: string, reply: Promise<string | null>): Promise<boolean> {
    const given = await reply;
    if (given === null) return false;
    const good = given.startsWith(code);
    if (!good) this.#refusals++;
    return good;
  }
}

/** What outlasts its connections. */
class Session {
  /** What it waits for, for people. */
  step = "";
  #count = 0;

  constructor(readonly number: number, readonly random: Random) {}

  /** A name for one message, whatever comes of it. */
  nextName(): string {
    return `s${this.number}-${++this.#count}`;
  }
}

function sizeOf(random: Random): number {
  let chance = random.next();
  const { least, most } = SIZES.find(({ share }) => (chance -= share) < 0) ?? SIZES[0]!;
  return random.between(least, most);
}

async function command(client: RawClient, line: string): Promise<string | null> {
  await client.send(`${line}\r\n`);
  return await client.reply(PATIENCE);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
