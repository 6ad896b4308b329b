/** A small course of events, which its seed decides: who writes to whom, and how the others' servers are. */

import { close, type Faults, say, silent } from "../../simulation/fault.ts";
import type { Pace } from "../../simulation/wire.ts";
import { Random } from "../../support/random.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** A letter that a client hands in, again and again until it hears 250. */
export interface Letter {
  readonly number: number;
  /** "" is the null reverse-path. */
  readonly from: string;
  readonly to: readonly string[];
  /** One character for each octet, lines end in CR LF. */
  readonly text: string;
  /** Milliseconds after the beginning. */
  readonly time: number;
}

/** Somebody at the command line, or whoever starts and stops services. */
export interface Deed {
  readonly kind: "remove" | "retry" | "retry all" | "restart";
  readonly time: number;
  /** Which of those that wait, from 0 up to, not including, 1. */
  readonly which: number;
}

export interface CoursePlan {
  readonly seed: number;
  readonly letters: readonly Letter[];
  readonly deeds: readonly Deed[];
  /** Whether both mailboxes are on one file system. */
  readonly links: boolean;
  /** How long bytes take, by domain. */
  readonly paces: Readonly<Record<string, Partial<Pace>>>;
}

/** From the beginning until the server is there, in milliseconds. */
const SLOW_UNTIL = 20 * MINUTE;
const BUSY_UNTIL = 3 * MINUTE;
const GREY_FOR = 4 * MINUTE;

/** Where letters go, and what goes wrong there; `gone.test`, besides, does not exist. */
export const DOMAINS: Readonly<Record<string, (began: number) => Faults>> = {
  "sender.example": () => () => undefined,
  "forward.example": () => () => undefined,
  "a.test": () => byRecipient(),
  "busy.test": (began) => {
    const otherwise = byRecipient();
    return (moment) => {
      const busy = moment.step === "end" && moment.time < began + BUSY_UNTIL;
      return busy ? say("451 4.3.0 try later") : otherwise(moment);
    };
  },
  "slow.test": (began) => {
    const otherwise = byRecipient();
    return (moment) => {
      const away = moment.step === "connect" && moment.time < began + SLOW_UNTIL;
      return away ? silent : otherwise(moment);
    };
  },
  "dead.test": () => ({ step }) => step === "connect" ? close : undefined,
};

/** Who is called `nobody…` is nobody; who is called `grey…` is refused for a while. */
function byRecipient(): Faults {
  const first = new Map<string, number>();
  return ({ step, recipient = "", time }) => {
    if (step !== "RCPT") return undefined;
    if (recipient.startsWith("nobody")) return say("550 5.1.1 nobody");
    if (!recipient.startsWith("grey")) return undefined;
    const since = first.get(recipient) ?? time;
    first.set(recipient, since);
    return time < since + GREY_FOR ? say("450 4.2.1 greylisted") : undefined;
  };
}

/** Whether a letter to there comes back for good. */
export function isHopeless(recipient: string): boolean {
  return /^nobody|@(gone|dead)\.test$/.test(recipient);
}

export function planOf(seed: number): CoursePlan {
  const random = new Random(seed);
  const letters = Array.from({ length: random.between(3, 8) }, (_, m) => letterOf(random, m));
  return {
    seed,
    letters,
    deeds: deedsOf(random),
    links: random.chance(0.8),
    paces: Object.fromEntries(Object.keys(DOMAINS).map((domain) => [domain, paceOf(random)])),
  };
}

/** A letter for a mailbox and another host, and nothing else. */
export const shortPlan: CoursePlan = {
  seed: -1,
  letters: [{
    number: 0,
    from: "jones@me.example",
    to: ["smith@me.example", "m0r0@a.test"],
    text: "Subject: letter\r\nX-Number: 0\r\n\r\nEnd of 0\r\n",
    time: 0,
  }],
  deeds: [],
  links: true,
  paces: {},
};

function paceOf(random: Random): Partial<Pace> {
  return random.chance(0.5) ? {} : { there: random.between(1, 300), back: random.between(1, 3000) };
}

function letterOf(random: Random, m: number): Letter {
  const remote = (r: number) => {
    const name = random.pick(["", "", "", "grey", "nobody"]);
    const domain = random.pick([
      "a.test",
      "a.test",
      "busy.test",
      "busy.test",
      "slow.test",
      "gone.test",
      random.chance(0.3) ? "dead.test" : "a.test",
    ]);
    return `${name}m${m}r${r}@${domain}`;
  };
  const locals = random.pick([["jones"], ["smith"], ["smith", "jones"], ["smith", "away"]])
    .map((name) => `${name}@me.example`);
  const remotes = Array.from({ length: random.between(1, 4) }, (_, r) => remote(r));
  const to = random.pick([locals, remotes, remotes.slice(0, 1), [...locals, ...remotes]]);
  return {
    number: m,
    from: random.pick(["", "jones@me.example", `m${m}@sender.example`, `m${m}@sender.example`]),
    to,
    text: textOf(random, m),
    time: random.pick([0, 0, SECOND, 30 * SECOND, 5 * MINUTE, random.between(0, 20 * MINUTE)]),
  };
}

/** More than is held in memory in some. */
function textOf(random: Random, m: number): string {
  const count = random.pick([0, 1, 5, 5, random.chance(0.3) ? 1500 : 5]);
  const lines = Array.from({ length: count }, (_, i) => `Line ${i} of letter ${m}, and some more.`);
  return ["Subject: letter", `X-Number: ${m}`, "", ...lines, `End of ${m}`, ""].join("\r\n");
}

function deedsOf(random: Random): Deed[] {
  const kinds = random.pick<Deed["kind"][]>([
    [],
    [],
    ["restart"],
    ["remove"],
    ["remove", "remove"],
    ["retry", "remove"],
    ["retry all", "restart"],
  ]);
  return kinds.map((kind) => ({
    kind,
    time: random.pick([0, 2, 40 * SECOND, random.between(0, 25 * MINUTE)]),
    which: random.next(),
  }));
}
