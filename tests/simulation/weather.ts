/** Troubles that come and go by chance: at servers, in name service, on the disk. */

import { type Fault, type Faults, type Moment, say, type Step } from "./fault.ts";
import type { NameFault } from "./name_service.ts";
import type { Random } from "../support/random.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** When everything is well again, in milliseconds after the beginning. */
export const CLEARS = 6 * DAY;

interface Spell<T> {
  readonly from: number;
  readonly to: number;
  /** How likely it strikes each time. */
  readonly chance: number;
  readonly what: T;
}

/** Up to `most` spells, each some minutes long, or up to `longest` milliseconds. */
function spells<T>(random: Random, most: number, longest: number, what: () => T): Spell<T>[] {
  return Array.from({ length: random.between(0, most) }, () => {
    const from = random.chance(0.4) ? 0 : Math.floor(random.next() * 2 * DAY);
    const lengths = [10 * MINUTE, 3 * HOUR, DAY, 7 * DAY];
    const length = Math.floor(random.next() * Math.min(random.pick(lengths), longest));
    const chance = random.pick([0.1, 0.5, 1]);
    return { from, to: Math.min(from + length, CLEARS), chance, what: what() };
  });
}

function strikes<T>(spells: readonly Spell<T>[], now: number, random: Random): T | undefined {
  return spells.find(({ from, to, chance }) => {
    return now >= from && now < to && random.chance(chance);
  })?.what;
}

type Mishap = readonly [Step, Fault];

const CLOSE: Fault = { kind: "close" };
const SILENT: Fault = { kind: "silent" };
const RESET: Fault = { kind: "reset" };
const GARBAGE = say("what is this?");
const BUSY = say("421 4.3.2 busy, closing");
const LATER = say("451 4.3.0 try later");

/** After these mail waits, and nothing was taken. */
const PASSING: readonly Mishap[] = [
  ...(["connect", "greeting", "EHLO", "MAIL", "RCPT", "DATA"] as const)
    .flatMap((step) => [[step, CLOSE], [step, SILENT]] as const),
  ...(["greeting", "EHLO", "MAIL", "RCPT", "DATA", "end"] as const)
    .flatMap((step) => [[step, BUSY], [step, LATER]] as const),
  ...(["greeting", "EHLO", "MAIL", "RCPT", "DATA"] as const)
    .flatMap((step) => [[step, GARBAGE], [step, RESET]] as const),
  ["EHLO", say("502 5.5.1 what is EHLO?")],
  ["RSET", BUSY],
  ["RSET", CLOSE],
  ["QUIT", SILENT],
  ["QUIT", CLOSE],
  ["text", CLOSE],
  ["text", RESET],
  ["RCPT", say("450 4.2.1 greylisted")],
  ["RCPT", say("452 4.5.3 too many")],
];

/** After these it goes back. */
const FOR_GOOD: readonly Mishap[] = [
  ["greeting", say("554 5.3.2 no mail here")],
  ["MAIL", say("550 5.7.1 not from you")],
  ["RCPT", say("550 5.1.1 nobody")],
  ["DATA", say("554 5.6.0 no")],
  ["end", say("554 5.6.0 no")],
];

/** After these nobody but the server knows whether it took the message. */
const AMBIGUOUS: readonly Mishap[] = [CLOSE, RESET, SILENT, GARBAGE].flatMap((fault) => {
  return [["end", { ...fault, stored: true }], ["end", { ...fault, stored: false }]] as const;
});

/** What goes wrong at one server; `began` is when the world did. */
export function serverWeather(random: Random, began: number, ambiguous: boolean): Faults {
  const kinds = [PASSING, PASSING, PASSING, FOR_GOOD, ambiguous ? AMBIGUOUS : PASSING];
  const coming = spells(random, 5, CLEARS, () => random.pick(random.pick(kinds)));
  return (moment: Moment) => {
    const here = coming.filter(({ what: [step] }) => step === moment.step);
    return strikes(here, moment.time - began, random)?.[1];
  };
}

/** What goes wrong when one domain's names are asked for. */
export function nameWeather(random: Random): (now: number) => NameFault | undefined {
  const coming = spells(random, 2, CLEARS, (): NameFault => {
    return random.chance(0.1) ? "no such domain" : "trouble";
  });
  return (now) => strikes(coming, now, random);
}

/** Throws at operations of the disk. */
export function diskWeather(random: Random): (operation: string, now: number) => void {
  const coming = spells(
    random,
    4,
    6 * HOUR,
    () => random.pick(["", "write", "remove", "rename", "sync"]),
  );
  return (operation, now) => {
    const here = coming.filter(({ what }) => operation.startsWith(what));
    if (strikes(here, now, random) === undefined) return;
    const reads = /^(read|open|list|exists)/.test(operation);
    throw new Error(
      reads ? "Input/output error (os error 5)" : "No space left on device (os error 28)",
    );
  };
}
