/** Whether what something costs grows faster than its load. Pure. */

/**
 * What the load explains of a cost. `nothing`: it should be the same at every load, as the time of one
 * message is, whoever else sends some. `line`: something fixed, and so much for each unit of the load.
 */
export type Law = "nothing" | "line";

/** What something costs at a load; the loads of several are in order, each there once. */
export interface Cost {
  readonly load: number;
  readonly cost: number;
}

/** The two loads between which a cost grows most beyond its law, and how many times that is. */
export interface Growth {
  readonly from: number;
  readonly to: number;
  readonly factor: number;
}

/** Growth beyond the law that is still put down to chance, and to caches that get too small. */
export const TOLERANCE = 1.5;

/**
 * The largest growth beyond a law, undefined where there are too few loads to tell: two by the law
 * `nothing`, three by `line`.
 *
 * By a line: the straight one from the first load to a later one should meet the loads between. A cost
 * that lies below it grows faster further on; how far below is the factor. So the fixed part is counted
 * too, and chance in small differences on top of a large one is no growth.
 */
export function largestGrowth(costs: readonly Cost[], law: Law): Growth | undefined {
  const first = costs[0];
  const growths = costs.flatMap((later, i) =>
    costs.slice(law === "line" ? 1 : 0, i).map((sooner) => ({
      from: sooner.load,
      to: later.load,
      factor: (law === "line" ? onLine(first!, later, sooner) : later.cost) / sooner.cost,
    }))
  );
  return growths.toSorted((a, b) => b.factor - a.factor)[0];
}

/** Whether that is more than chance. */
export function isWorse(growth: Growth): boolean {
  return growth.factor > TOLERANCE;
}

/** What the straight line from the first load to the last one says of one between. */
function onLine(first: Cost, last: Cost, between: Cost): number {
  // A first one above it was dear by chance: what is fixed is no more than that.
  const fixed = Math.min(first.cost, between.cost);
  const part = (between.load - first.load) / (last.load - first.load);
  return fixed + (last.cost - fixed) * part;
}
