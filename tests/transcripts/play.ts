/** Plays one side of a conversation and holds the other to what it should say. */

import assert from "node:assert/strict";
import { CERTIFICATE, KEY } from "../support/certificate.ts";
import {
  type Conversation,
  matches,
  type Message,
  type Step,
  type Transcript,
  type Waiting,
} from "./transcript.ts";
import type { QueuedMessage } from "../../src/queue/envelope.ts";
import type { Spool } from "../../src/queue/spool.ts";
import { printPath } from "../../src/smtp/address.ts";

/** A server to converse with, over whatever lies between. */
export interface Server {
  send(bytes: Uint8Array): Promise<void>;
  /** One line without CR LF, null when the server has closed. */
  line(): Promise<string | null>;
  /** Whether the server has nothing more to say. */
  silent(): Promise<boolean>;
  /** The handshake. Rejects where the server does not expect it. */
  secure(): Promise<void>;
  close(): Promise<void>;
  /** Waits until the server is done and returns what its mailboxes hold, oldest first. */
  mailbox(user: string): Promise<Uint8Array[]>;
  /** What waits in its queue, oldest first; to be asked after the mailboxes. */
  queue(): Promise<QueuedText[]>;
}

/** A message of the queue with its text. */
export interface QueuedText {
  readonly envelope: QueuedMessage;
  readonly text: Uint8Array;
}

/** Who has a mailbox in every conversation. */
export const USERS: readonly string[] = ["jones", "smith", "Joe,Smith", "a b"];

/** Who may log in, by `secret` and `hunter2`: hashes that cost next to nothing. */
const HASHES: Readonly<Record<string, string>> = {
  jones: "$scrypt$ln=10,r=1,p=1$c2FsdG9mam9uZXM$zRozh15SHleaZVZ8U5P0bQ",
  smith: "$scrypt$ln=10,r=1,p=1$c2FsdG9mc21pdGg$QLUmgRRkXXfMCbyL371kYA",
};

/** user.conf for every conversation of a file, with mailbox directories below `folder`. */
export function userConf({ users }: Transcript, folder: string): string {
  const lines = USERS.map((user, i) => {
    const hash = HASHES[user];
    return `${user}:${folder}/${i}${hash ? `:${hash}` : ""}`;
  });
  lines.push("staff:jones@me.example, smith@me.example", "away:fred@far.example", users);
  return lines.join("\n");
}

/**
 * mail.conf for every conversation of a file. The client is a stranger unless the settings say
 * otherwise, no name is looked up anywhere, and what is to be sent on waits: nobody listens there.
 */
export function mailConf({ settings, service }: Transcript): string {
  const presets = {
    HOSTNAME: "me.example",
    RELAY_FROM: "none",
    NAME_SERVER: "127.0.0.1:1",
    RELAY_HOST: "127.0.0.1:1",
    ...service === "smtp" ? {} : { TLS_CERT: CERTIFICATE, TLS_KEY: KEY },
    ...service === "submission" ? { SUBMISSION_PORT: "0" } : {},
    ...service === "submissions" ? { SUBMISSIONS_PORT: "0" } : {},
  };
  const lines = Object.entries(presets).filter(([name]) => !settings.includes(`${name} =`))
    .map(([name, value]) => `${name} = ${value}`);
  const own = settings.replaceAll("me.example.crt", CERTIFICATE).replaceAll("me.example.key", KEY);
  return [...lines, own, ""].join("\n");
}

/** Every code there is (RFC 5321 4.2.3, RFC 788 4.2.2, RFC 4954 6): no server invents others. */
const CODES = new Set([211, 214, 220, 221, 250, 251, 252, 354, 421, 450, 451, 452, 455, 500]
  .concat([501, 502, 503, 504, 550, 551, 552, 553, 554, 555, 235, 334, 530, 535]));

/** Rejects with an assertion that names the line of the transcript's conversation. */
export async function play(conversation: Conversation, server: Server): Promise<void> {
  const { steps, place, name } = conversation;
  const so = `${place} (${name})`;
  const lines = new Lines(server, so);
  for (const [i, step] of steps.entries()) {
    const here = `${so}, step ${i + 1}`;
    switch (step.kind) {
      case "client":
        await server.send(packet(steps, i));
        break;
      case "server": {
        const line = await lines.next();
        assert.ok(
          line !== null && matches(step.pattern, line),
          `${here}: ${JSON.stringify(line)} is not ${JSON.stringify(step.pattern)}`,
        );
        break;
      }
      case "server lines":
        while ((await lines.peek())?.startsWith(step.start)) await lines.next();
        break;
      case "silence":
        assert.ok(lines.empty && await server.silent(), `${here}: the server says something`);
        break;
      case "handshake":
        assert.ok(lines.empty, `${here}: the server says something before the handshake`);
        await server.secure();
        break;
      case "server closes":
        assert.equal(await lines.next(), null, `${here}: the server has not closed`);
        break;
      case "client closes":
        await server.close();
        break;
    }
  }
  const last = steps.at(-1)?.kind;
  if (last !== "server closes" && last !== "client closes") {
    assert.ok(lines.empty && await server.silent(), `${so}: the server says more`);
    await server.close();
  }
  for (const { user } of conversation.messages) assert.ok(USERS.includes(user), `${so}: ${user}?`);
  for (const user of USERS) {
    const stored = await server.mailbox(user);
    const expected = conversation.messages.filter((message) => message.user === user);
    assert.equal(stored.length, expected.length, `${so}: messages for ${user}`);
    stored.forEach((bytes, i) =>
      compare(bytes, expected[i]!, `${so}: message ${i + 1} for ${user}`)
    );
  }
  const queued = await server.queue();
  assert.equal(queued.length, conversation.waiting.length, `${so}: messages in the queue`);
  queued.forEach((entry, i) =>
    compareQueued(entry, conversation.waiting[i]!, `${so}: message ${i + 1} in the queue`)
  );
}

/** Client lines that follow each other go in one packet, with the first of them. */
function packet(steps: readonly Step[], at: number): Uint8Array {
  if (steps[at - 1]?.kind === "client") return new Uint8Array(0);
  const run: Uint8Array[] = [];
  for (let i = at; steps[i]?.kind === "client"; i++) {
    run.push((steps[i] as Step & { kind: "client" }).bytes);
  }
  return Uint8Array.from(run.flatMap((bytes) => [...bytes]));
}

/** The server's lines. Whatever a transcript expects, each must be well-formed (RFC 5321 4.2). */
class Lines {
  #ahead: (string | null)[] = [];
  /** The code of a reply that has more lines to come. */
  #open: string | undefined;

  constructor(readonly server: Server, readonly place: string) {}

  get empty(): boolean {
    return this.#ahead.length === 0;
  }

  async peek(): Promise<string | null> {
    if (this.#ahead.length === 0) {
      const line = await this.server.line();
      this.#check(line);
      this.#ahead.push(line);
    }
    return this.#ahead[0]!;
  }

  async next(): Promise<string | null> {
    await this.peek();
    return this.#ahead.shift()!;
  }

  #check(line: string | null): void {
    const what = `${this.place}: the reply line ${JSON.stringify(line)}`;
    const [, code, separator] = /^(\d{3})([ -])[\t -~]*$/.exec(line ?? "") ?? [];
    if (line !== null) {
      assert.ok(code && CODES.has(Number(code)), `${what} is none`);
      assert.ok(line.length <= 510, `${what} is too long`);
    }
    assert.ok(this.#open === undefined || code === this.#open, `${what} breaks up a reply`);
    this.#open = separator === "-" ? code : undefined;
  }
}

const latin1 = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

/** Our two fields stand on top; below them the text is the client's, with LF line ends. */
function compare(stored: Uint8Array, expected: Message, what: string): void {
  const text = latin1(stored);
  const top = /^Return-Path: .*\nReceived: .*\n(?:[ \t].*\n)*/.exec(text)?.[0];
  assert.ok(top, `${what}: no trace on top of ${JSON.stringify(text.slice(0, 200))}`);
  compareTop(top, expected.top, what);
  const rest = withoutAdded(text.slice(top.length), expected.added, what);
  assert.equal(rest, latin1(expected.text).replaceAll("\r\n", "\n"), what);
}

/** One field stands on top; below it the text is the client's, octet by octet. */
function compareQueued({ envelope, text }: QueuedText, expected: Waiting, what: string): void {
  const { reversePath, recipients, size } = envelope;
  assert.equal(printPath(reversePath), expected.reversePath, what);
  assert.deepEqual(
    recipients.map(({ forwardPath }) => printPath(forwardPath)),
    expected.forwardPaths,
    what,
  );
  const whole = latin1(text);
  assert.equal(size, whole.length, what);
  const top = /^Received: .*\r\n(?:[ \t].*\r\n)*/.exec(whole)?.[0];
  assert.ok(top, `${what}: no trace on top of ${JSON.stringify(whole.slice(0, 200))}`);
  compareTop(top, expected.top, what);
  const rest = withoutAdded(whole.slice(top.length), expected.added, what);
  assert.equal(rest, latin1(expected.text), what);
}

/** A text without the lines at its start that these patterns want there. */
function withoutAdded(text: string, patterns: readonly string[], what: string): string {
  let rest = text;
  for (const pattern of patterns) {
    const [whole, line] = /^([^\r\n]*)\r?\n/.exec(rest) ?? assert.fail(`${what}: no ${pattern}`);
    assert.ok(matches(pattern, line!), `${what}: ${JSON.stringify(line)} is not ${pattern}`);
    rest = rest.slice(whole.length);
  }
  return rest;
}

function compareTop(top: string, patterns: readonly string[], what: string): void {
  const fields = top.replaceAll("\r\n", "\n").replace(/\n[ \t]+/g, " ").trimEnd().split("\n");
  for (const pattern of patterns) {
    const wanted = !pattern.startsWith("!");
    assert.equal(
      fields.some((field) => matches(wanted ? pattern : pattern.slice(1), field)),
      wanted,
      `${what}: ${JSON.stringify(fields)} ${wanted ? "lacks" : "is"} ${JSON.stringify(pattern)}`,
    );
  }
}

/** All that waits in a spool. */
export async function readQueue(spool: Spool): Promise<QueuedText[]> {
  const all: QueuedText[] = [];
  for (const id of await spool.list()) {
    const envelope = await spool.read(id);
    const text: number[] = [];
    for await (const piece of spool.text(envelope)) text.push(...piece);
    all.push({ envelope, text: Uint8Array.from(text) });
  }
  return all;
}
