/** What several rounds come to. */

/** The middle of several figures, and the least and the most of them. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Of one figure at least. */
export function spreadOf(figures: readonly number[]): Spread {
  const inOrder = figures.toSorted((a, b) => a - b);
  const middle = (inOrder.length - 1) / 2;
  const [low, high] = [inOrder[Math.floor(middle)], inOrder[Math.ceil(middle)]];
  const [least, most] = [inOrder[0], inOrder.at(-1)];
  if (low === undefined || high === undefined || least === undefined || most === undefined) {
    throw new RangeError("no figures");
  }
  return { median: (low + high) / 2, least, most };
}

/** Each figure of one divided by the one of the other in the same round. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.slice(0, theirs.length).map((figure, i) => figure / theirs[i]!);
}

/** With three digits that count, at least: 1234, 12.3, 0.0123. */
export function digits(figure: number): string {
  if (figure === 0 || !Number.isFinite(figure)) return String(figure);
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(figure))));
  return figure.toFixed(Math.min(places, 4));
}

/** `12.3 (11.9-14.0)`; the median alone where there is but one. */
export function printSpread({ median, least, most }: Spread): string {
  if (least === most) return digits(median);
  return `${digits(median)} (${digits(least)}-${digits(most)})`;
}
