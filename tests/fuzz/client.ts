/** The sending core at servers that say anything, with envelopes that hold anything. */

import assert from "node:assert/strict";
import type { Mailbox } from "../../src/smtp/address.ts";
import type { ClientOptions } from "../../src/smtp/client.ts";
import { type ClientLogin, fitsCommand } from "../../src/smtp/client_login.ts";
import type { Envelope } from "../../src/smtp/envelope.ts";
import type { Random } from "../support/random.ts";
import { characters, cut, octets } from "./octets.ts";
import { CODES, replyOf } from "./reply.ts";
import { Sender } from "./sender.ts";
import type { Target } from "./target.ts";

const LOCAL_PARTS = [
  "jones",
  "smith",
  "a b",
  "",
  'a"b',
  "a\\b",
  "a>b",
  "a\r\nDATA",
  "a\0",
  "jörg",
  "x".repeat(65),
]
  .concat(["a@b", "<", "postmaster", "a\n", " ", "l".repeat(64)]);
const DOMAINS = [
  "x.y",
  "x.y",
  "me.example",
  "[192.0.2.1]",
  "",
  "x y",
  "x>",
  "x\r\nRSET",
  "x\0",
  "bücher",
]
  .concat(["x:y", "[x", "d.".repeat(127) + "d", "d.".repeat(94) + "d"]);

function mailbox(random: Random): Mailbox {
  if (random.chance(0.8)) {
    return { localPart: random.pick(["jones", "smith", "a b"]), domain: "x.y" };
  }
  return { localPart: random.pick(LOCAL_PARTS), domain: random.pick(DOMAINS) };
}

function envelope(random: Random): Envelope {
  return {
    reversePath: random.chance(0.2) ? null : mailbox(random),
    forwardPaths: Array.from({ length: random.pick([1, 1, 2, 3, 100]) }, () => mailbox(random)),
    size: random.pick([0, 100, 1001, 2 ** 40]),
    eightBit: random.chance(0.2),
  };
}

function options(random: Random): ClientOptions {
  const word = () => random.pick(["jones", "s3cret word", "jörg", "p".repeat(100), "\r\n", "x"]);
  const login: ClientLogin = { user: word(), password: word() };
  return {
    host: random.pick(["me.example", "[192.0.2.1]"]),
    wantsTls: random.chance(0.5),
    needsTls: random.chance(0.1),
    implicitTls: random.chance(0.3),
    ...random.chance(0.3) ? { login } : {},
  };
}

const OFFERS =
  "250-x.y\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n";

/** What a server that means well says. */
function goodReply(random: Random, line: string): string {
  if (line === "") return "220 x.y ESMTP\r\n";
  if (line.startsWith("EHLO")) {
    const offers = OFFERS.split(/(?<=\r\n)/).filter((_, i) => i === 0 || random.chance(0.7));
    return offers.join("").replace(/^250.(.*\r\n)$/m, "250-$1") + "250 HELP\r\n";
  }
  if (line === "DATA") return "354 go\r\n";
  if (line.startsWith("AUTH")) return "235 2.7.0 welcome\r\n";
  return line === "QUIT" ? "221 bye\r\n" : "250 2.1.0 fine\r\n";
}

/** What is said to a command; there are servers that repeat it. */
function answer(random: Random, line: string): string {
  if (random.chance(0.95)) return goodReply(random, line);
  return `${random.pick([250, 450, 535, 550])} ${line.slice(random.pick([0, 5, 11, 15]))}\r\n`;
}

export const client: Target = {
  name: "client",
  runs: 3000,
  words: [
    "250 ",
    "250-",
    "354 go\r\n",
    "421 ",
    "\r\n",
    "550 5.1.1 ",
    "452 ",
    "552 ",
    "STARTTLS",
    "AUTH PLAIN",
  ],
  reaches: {
    ready: 0.3,
    MAIL: 0.2,
    DATA: 0.15,
    text: 0.12,
    delivered: 0.1,
    starttls: 0.1,
    AUTH: 0.05,
  },
  generate(random) {
    const code = () => random.pick(CODES);
    return octets(
      Array.from({ length: random.between(0, 6) }, () => replyOf(random, code())).join(""),
    );
  },
  run(random, input) {
    const chosen = options(random);
    const { login } = chosen;
    if (login && !fitsCommand(login)) return [];
    const envelopes = Array.from({ length: random.between(1, 3) }, () => envelope(random));
    const client = new Sender(chosen, envelopes);
    const hostile = characters(input).split(/(?<=\n)/);
    // Some servers mean well to the end, most do for a while.
    const patience = random.pick([0, 2, 5, 8, Infinity]);
    const said: string[] = [];
    let listens = true;
    for (let turn = 0; listens && turn < 300; turn++) {
      const line = client.session.unread ? "" : client.unanswered.shift();
      if (line === undefined) break;
      const odd = turn >= patience && random.chance(0.5) ? hostile.shift() : undefined;
      const reply = odd ?? answer(random, line);
      said.push(reply);
      listens = client.feed(octets(reply));
    }
    if (listens) client.abandon();
    checkRepeatable(random, chosen, envelopes, said, client);
    harass(random, chosen, envelopes, input);
    return client.reached;
  },
};

/** The same replies in smaller pieces get the same commands and come to the same end. */
function checkRepeatable(
  random: Random,
  chosen: ClientOptions,
  envelopes: readonly Envelope[],
  said: readonly string[],
  first: Sender,
): void {
  const again = new Sender(chosen, envelopes);
  let listens = true;
  for (const reply of said) {
    for (const piece of cut(random, octets(reply))) if (listens) listens = again.feed(piece);
  }
  if (listens) again.abandon();
  assert.deepEqual(again.told, first.told, "however it is cut");
}

/** Everything at once, or in pieces of any kind: nothing but its own error comes of it. */
function harass(
  random: Random,
  chosen: ClientOptions,
  envelopes: readonly Envelope[],
  input: Uint8Array,
): void {
  const client = new Sender(chosen, envelopes);
  for (const piece of cut(random, input)) if (!client.feed(piece)) return;
}
