/** Where numbers stand along an axis, and which of them are written there. Pure. */

/** A number that is written at an axis. */
export interface Tick {
  /** Its place, from 0 at the axis's begin to 1 at its end. */
  readonly at: number;
  readonly label: string;
}

export interface Scale {
  readonly ticks: readonly Tick[];
  /** The place of a number, from 0 to 1 for those the scale was made for. */
  at(value: number): number;
}

/** Ratio of the largest to the least number from which an axis of figures is logarithmic. */
const WIDE = 20;
/** Labels of figures that fit above each other. */
const MOST_TICKS = 7;
/** Pixels that a letter takes at most, and that are between two labels at least. */
const LETTER = 7;
const GAP = 4;

/**
 * For loads: logarithmic from the least one above 0 to the largest, as they are wide apart. 0, which
 * has no logarithm, is put as far before the least as a decade takes. They are written where they are,
 * those that there is room for on an axis of so many pixels; the last one is.
 */
export function loadScale(
  loads: readonly number[],
  pixels: number,
  write: (load: number) => string = short,
): Scale {
  const above = loads.filter((load) => load > 0);
  const [least, most] = above.length > 0 ? [Math.min(...above), Math.max(...above)] : [1, 1];
  const decades = Math.max(Math.log10(most / least), 0.1);
  const zero = above.length < loads.length ? 1 / (decades + 1) : 0;
  const at = (load: number) => {
    return load === 0 ? 0 : zero + (1 - zero) * Math.log10(load / least) / decades;
  };
  const ticks: Tick[] = [];
  let end = Infinity;
  for (const load of [...new Set(loads)].sort((a, b) => b - a)) {
    const label = write(load);
    const [middle, half] = [at(load) * pixels, label.length * LETTER / 2];
    if (middle + half > end) continue;
    end = middle - half - GAP;
    ticks.push({ at: at(load), label });
  }
  return { at, ticks };
}

/** For figures: logarithmic where they are wide apart, else from 0. */
export function figureScale(figures: readonly number[]): Scale {
  const [least, most] = [Math.min(...figures), Math.max(...figures)];
  return least > 0 && most / least > WIDE ? logarithmic(least, most) : linear(most || 1);
}

function logarithmic(least: number, most: number): Scale {
  const low = roundNumbers(least / 10, least).at(-1)!;
  const high = roundNumbers(most, most * 10)[0]!;
  const at = (figure: number) => Math.log10(figure / low) / Math.log10(high / low);
  return {
    at,
    ticks: logarithmicTicks(low, high).map((one) => ({ at: at(one), label: short(one) })),
  };
}

function linear(most: number): Scale {
  const step = roundNumbers(most / 5, most * 2)[0]!;
  const steps = Math.max(1, Math.ceil(most / step));
  const ticks = Array.from({ length: steps + 1 }, (_, i) => {
    return { at: i / steps, label: short(i * step) };
  });
  return { at: (figure) => figure / (steps * step), ticks };
}

/** Powers of ten, or also twice and five times those where there are few. */
function logarithmicTicks(least: number, most: number): number[] {
  const all = roundNumbers(least, most);
  return all.length <= MOST_TICKS
    ? all
    : all.filter((one) => Number.isInteger(exact(Math.log10(one))));
}

/** All of 1, 2 and 5 times a power of ten from `least` to `most`, in order. */
function roundNumbers(least: number, most: number): number[] {
  const numbers: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.log10(most); power++) {
    numbers.push(...[1, 2, 5].map((one) => exact(one * 10 ** power)));
  }
  return numbers.filter((one) => one >= exact(least) && one <= exact(most));
}

/** Without what the computer's fractions add. */
function exact(number: number): number {
  return Number(number.toPrecision(12));
}

/** `20k` for 20,000. */
function short(number: number): string {
  if (number >= 1e6) return `${exact(number / 1e6)}M`;
  if (number >= 1e3) return `${exact(number / 1e3)}k`;
  return String(exact(number));
}
