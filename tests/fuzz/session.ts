/** The receiving core in every state that a client can find it in. */

import assert from "node:assert/strict";
import type { SessionOptions } from "../../src/smtp/session.ts";
import type { Random } from "../support/random.ts";
import { readTranscripts } from "../transcripts/transcript.ts";
import { commandLine } from "./command.ts";
import { type Course, Host, repliesIn } from "./conversation.ts";
import { judgeText } from "./data.ts";
import * as grammar from "./grammar.ts";
import { characters, cut, joined, octets } from "./octets.ts";
import type { Target } from "./target.ts";

type Kind = Pick<SessionOptions, "tls" | "submission" | "greeted">;

const WORDS = [
  "\r\n",
  "EHLO x.y\r\n",
  "MAIL FROM:<a@b>\r\n",
  "RCPT TO:<a@b>\r\n",
  "DATA\r\n",
  ".\r\n",
]
  .concat([
    "QUIT\r\n",
    "RSET\r\n",
    "NOOP\r\n",
    "STARTTLS\r\n",
    "AUTH PLAIN AGEAYg==\r\n",
    "*\r\n",
    "=\r\n",
  ])
  .concat([
    "\r\n.\r\n",
    "\r\n..\r\n",
    "AUTH LOGIN\r\n",
    "am9uZXM=\r\n",
    " SIZE=1",
    " BODY=8BITMIME",
  ]);

/** Octets up to which a conversation is played octet by octet. */
const MOST_SINGLE = 8 * 1024;

function conversation(random: Random, submission: boolean): string {
  const end = () => random.chance(0.97) ? "\r\n" : grammar.oddLineEnd(random);
  const odd = () => random.chance(0.07) ? commandLine(random) + end() : "";
  let text = random.chance(0.95) ? `EHLO ${random.pick(["x.y", "[192.0.2.1]"])}${end()}` : "";
  if (random.chance(submission ? 0.93 : 0.05)) text += login(random, end);
  for (let left = random.between(1, 3); left > 0; left--) {
    text += `${odd()}MAIL FROM:${grammar.easyPath(random)}${end()}${odd()}`;
    text += grammar.several(
      random,
      () => `RCPT TO:${grammar.easyPath(random)}${end()}${odd()}`,
      1,
      4,
    );
    const oddEnd = random.chance(0.3);
    const lines = grammar.bodyLines(random, () => oddEnd ? grammar.oddLineEnd(random) : "\r\n");
    text += `DATA${end()}${lines}${random.chance(0.9) ? ".\r\n" : ""}`;
  }
  return text + random.pick(["", "QUIT\r\n", "STARTTLS\r\nEHLO x\r\n", "QUIT"]);
}

function login(random: Random, end: () => string): string {
  const word = () => random.pick(["jones", "secret", "x\0y", "", "J\xc3\xb6rg", "p".repeat(255)]);
  const response = () => random.chance(0.9) ? btoa(word()) : random.pick(["=", "*", "x", "YQ", ""]);
  if (random.chance(0.5)) {
    const all = btoa(
      `${random.pick(["", "", "jones", "x"])}\0${random.pick(["jones", word()])}\0${word()}`,
    );
    return `AUTH PLAIN${random.chance(0.5) ? ` ${all}` : `${end()}${all}`}${end()}`;
  }
  return `AUTH LOGIN${
    random.chance(0.3) ? ` ${response()}` : `${end()}${response()}`
  }${end()}${response()}${end()}`;
}

/** Fed octet by octet: each line gets one reply, each text one at its end, and nothing else does. */
function playSingly(options: SessionOptions, chance: number, input: Uint8Array): Course {
  const host = new Host(options, chance);
  assert.equal(repliesIn(host.output), options.greeted ? 0 : 1);
  /** Where in the input the present line or text begins, and its last octets so far. */
  let start = 0;
  let tail = "";
  let inText = false;
  for (const [at, octet] of input.entries()) {
    if (host.session.closed) break;
    const [before, told] = [host.output.length, host.told.length];
    host.feed(Uint8Array.of(octet));
    tail = (tail + String.fromCharCode(octet)).slice(-5);
    const ends = tail.endsWith(inText ? "\r\n.\r\n" : "\r\n");
    const said = repliesIn(host.output.slice(before));
    if (said !== (ends ? 1 : 0)) assert.fail(`${said} replies at octet ${at}`);
    if (!ends) {
      assert.equal(host.told.length, told, "nothing happens before a line ends");
      continue;
    }
    const raw = () => characters(input.subarray(start, at + 1));
    if (inText) checkText(raw(), host, told, options.maxMessageSize);
    inText = host.session.inText;
    start = at + 1;
    tail = inText ? "\r\n" : "";
  }
  const { closed } = host.session;
  if (closed) {
    const { output, told } = host;
    host.feed(octets("NOOP\r\n"));
    assert.equal(host.output, output, "who has left says no more");
    assert.equal(host.told, told);
  }
  return host.course;
}

/** The text is told as it came, without its periods, or refused for the right reason. */
function checkText(raw: string, host: Host, from: number, maxSize: number): void {
  const { text, refusal } = judgeText(raw, maxSize);
  const [first = "", ...rest] = host.told.slice(from);
  if (refusal) {
    assert.equal(first, "dropped");
    // Who has been refused too much is turned out by it.
    const wanted = host.session.closed ? "421 4.7.0" : refusal;
    assert.equal(rest[0], `refused text ${wanted}`);
  } else assert.ok(first.startsWith("end ") && first.endsWith(` ${JSON.stringify(text)}`), first);
}

function outcomesOf({ output, told }: Course): string[] {
  const codes = output.match(/^\d\d\d(?= )/gm) ?? [];
  return [...codes, ...told.map((one) => /^\w+/.exec(one)![0])];
}

function session(name: string, kind: Kind, reaches: Target["reaches"]): Target {
  const { submission = false } = kind;
  return {
    name,
    runs: 600,
    words: WORDS,
    reaches,
    generate: (random) => octets(conversation(random, submission)),
    run(random, input) {
      const chance = random.between(1, 999_999);
      const options: SessionOptions = {
        host: random.pick(["me.example", `${"h".repeat(63)}.${"h.".repeat(95)}x`]),
        maxMessageSize: random.pick([50, 1000, 65_536]),
        maxRecipients: random.pick([2, 100]),
        ...kind,
      };
      const play = (pieces: readonly Uint8Array[]): Course => {
        const host = new Host(options, chance);
        for (const piece of pieces) if (!host.session.closed) host.feed(piece);
        return host.course;
      };
      const course = play([input.slice()]);
      assert.deepEqual(play(cut(random, input)), course, "however it is cut");
      if (input.length <= MOST_SINGLE) {
        assert.deepEqual(playSingly(options, chance, input), course, "octet by octet");
      }
      return outcomesOf(course);
    },
    async seeds() {
      const transcripts = (await readTranscripts()).filter(({ service }) => {
        return submission ? service !== "smtp" : service === "smtp";
      });
      return transcripts.flatMap(({ conversations }) =>
        conversations.map(({ steps }) =>
          joined(steps.flatMap((step) => step.kind === "client" ? [step.bytes] : []))
        )
      ).filter(({ length }) => length > 0 && length < MOST_SINGLE);
    },
  };
}

export const SESSIONS: readonly Target[] = [
  session("session", {}, { 354: 0.3, end: 0.2, refused: 0.4, close: 0.2 }),
  session("session-starttls", { tls: "offered" }, { 354: 0.3, end: 0.2, starttls: 0.08 }),
  session("session-secured", { tls: "in use", greeted: true }, { 354: 0.3, end: 0.2 }),
  session(
    "session-submission",
    { tls: "in use", submission: true },
    { login: 0.15, 235: 0.1, 334: 0.2, 354: 0.06, end: 0.05 },
  ),
  session("session-unsecured-submission", { tls: "offered", submission: true }, { 530: 0.4 }),
];
