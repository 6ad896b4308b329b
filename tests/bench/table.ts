/** The figures of a load as a table. Pure. */

import type { Result } from "./contestant.ts";
import { printSpread, ratios, spreadOf } from "./figures.ts";
import { memoryOf, processorOf, ratesOf } from "./judgement.ts";
import type { LoadResult } from "./pairs.ts";

const MEGA = 1e6;
/** From this size on, what counts is octets. */
const LARGE = 100_000;
const NONE = "-";

/** Lines: a heading, a row for each server, and what became of the messages. */
export function tableOf(result: LoadResult): string[] {
  const { load, ours, theirs, others, failures } = result;
  const place = load.kind === "mailbox" ? "in mailbox" : "at next hop";
  const large = load.octets >= LARGE;
  const heads = [
    "",
    "accepted/s",
    ...large ? ["MB/s"] : [],
    `${place}/s`,
    "CPU s/1000",
    "memory MB",
    "ratio accepted",
    `ratio ${place}`,
  ];
  const rows = [ours, theirs, ...others].map((one) => [
    one.name,
    spread(ratesOf(one, "accepted")),
    ...large ? [spread(ratesOf(one, "accepted").map((rate) => rate * load.octets / MEGA))] : [],
    spread(ratesOf(one, "arrived")),
    `${one.unwaited ? "> " : ""}${spread(processorOf(one))}`,
    (memoryOf(one) / MEGA).toFixed(0),
    ...(["accepted", "arrived"] as const).map((until) => {
      return one === theirs ? NONE : spread(toPostfix(one, until));
    }),
  ]);

  /** Ours pair by pair; others were not in turn with it, and are compared with its median. */
  function toPostfix(one: Result, until: "accepted" | "arrived"): number[] {
    const rates = ratesOf(theirs, until);
    if (rates.length === 0) return [];
    const { median } = spreadOf(rates);
    return ratios(ratesOf(one, until), one === ours ? rates : rates.map(() => median));
  }

  return [
    `(${load.letter}) ${load.title}: ${load.messages} messages, ${ours.rounds.length} pairs`,
    ...columns([heads, ...rows]),
    ...[ours, theirs, ...others].map((one) => arrivalLine(load.recipients, one)),
    ...failures.map((failure) => `failed: ${failure}`),
  ];
}

function arrivalLine(recipients: number, { name, rounds, peak }: Result): string {
  const sent = rounds.reduce((sum, { messages }) => sum + messages * recipients, 0);
  const missing = rounds.reduce((sum, round) => sum + round.missing, 0);
  const own = `first process at most ${(peak / MEGA).toFixed(0)} MB`;
  const kept = rounds.every(({ arrived }) => arrived === undefined)
    ? "keeps nothing"
    : `${sent - missing} of ${sent} copies arrived`;
  return `${name}: ${kept}; ${own}`;
}

function spread(figures: readonly number[]): string {
  return figures.length === 0 ? NONE : printSpread(spreadOf(figures));
}

/** Each column as wide as it must be; the first one to the left, the others to the right. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) => {
    const cells = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)
    );
    return cells.join("  ").trimEnd();
  });
}
