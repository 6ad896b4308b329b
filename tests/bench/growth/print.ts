/** What curves come to, as tables and plots. Pure. */

import { digits, printSpread, type Spread, spreadOf } from "../figures.ts";
import type { Panel } from "../plot.ts";
import type { Column, Curve, Figures } from "./curve.ts";
import { type Cost, type Growth, isWorse, largestGrowth } from "./judgement.ts";

/** A curve with the rounds of each of its loads. */
export interface Measured {
  readonly curve: Curve;
  readonly loads: readonly number[];
  readonly rounds: readonly (readonly Figures[])[];
}

/** A table in Markdown, and below it what is judged. */
export function printCurve(measured: Measured): string {
  const { curve: { load, write, columns }, loads } = measured;
  const rows = loads.map((one, i) => {
    return [write(one), ...columns.map((column) => printSpread(spreadAt(measured, column.key, i)))];
  });
  const lines = [
    [load, ...columns.map(({ heading }) => heading)],
    ["--:", ...columns.map(() => "--:")],
    ...rows,
  ].map((cells) => `| ${cells.join(" | ")} |`);
  const judgements = columns.flatMap((column) => judgementOf(measured, column));
  return [...lines, "", ...judgements, ""].join("\n");
}

/** By the middle rounds; but what holds of them and not of the best ones is the machine's doing. */
function judgementOf(measured: Measured, column: Column): string[] {
  const middle = growthOf(measured, column, ({ median }) => median);
  const best = growthOf(measured, column, ({ least }) => least);
  if (!column.judged || !middle || !best) return [];
  const { what, law } = column.judged;
  const { write } = measured.curve;
  const chance = isWorse(middle) && !isWorse(best);
  const word = isWorse(middle) && !chance ? "WORSE THAN LINEAR" : "no worse than linear";
  const than = law === "line" ? "times what a line says" : "times";
  const where = `from ${write(middle.from)} to ${write(middle.to)}`;
  const but = chance ? `; in the best rounds ${digits(best.factor)} times` : "";
  return [`- ${what}: ${word} (at most ${digits(middle.factor)} ${than}, ${where}${but})`];
}

function growthOf(
  { rounds, loads }: Measured,
  { key, judged }: Column,
  costOf: (costs: Spread) => number,
): Growth | undefined {
  if (!judged) return undefined;
  const costs = rounds.map((all, i): Cost => {
    const figures = all.map((figures) => figures[key]!);
    const spread = spreadOf(judged.as === "rate" ? figures.map((rate) => 1 / rate) : figures);
    return { load: loads[i]!, cost: costOf(spread) };
  });
  return largestGrowth(costs, judged.law);
}

/** What is seen of it. */
export function panelOf(measured: Measured): Panel {
  const { curve: { title, load, plotted, write }, loads } = measured;
  const lines = Object.entries(plotted.lines).map(([key, name]) => {
    const points = loads.map((load, i) => {
      const { median, least, most } = spreadAt(measured, key, i);
      return { load, figure: median, least, most };
    });
    return { name, points };
  });
  return { title, loads: load, figures: plotted.heading, lines, write: (one) => short(write(one)) };
}

/** `1M` of `1,000,000` and of `1 MB`: labels are near each other. */
function short(load: string): string {
  return load.replace(/,000,000$/, "M").replace(/,000$/, "k").replace(",500", ".5k")
    .replace(/ ([KM])B$/, "$1");
}

function spreadAt({ rounds }: Measured, key: string, load: number): Spread {
  return spreadOf(rounds[load]!.map((figures) => figures[key]!));
}
