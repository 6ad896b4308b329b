/** Draws figures: small plots beside and below each other, as one SVG. Pure. */

import { figureScale, loadScale, type Scale } from "./plot_scale.ts";

/** A figure at a load, with the least and the largest of the rounds that it is the median of. */
export interface Point {
  readonly load: number;
  readonly figure: number;
  readonly least: number;
  readonly most: number;
}

export interface Line {
  /** Not written where a plot has one line. */
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Panel {
  readonly title: string;
  /** What the loads are, below the plot, with their unit. */
  readonly loads: string;
  /** How a load is written, if not in digits with `k` and `M`. */
  readonly write?: (load: number) => string;
  /** What the figures are, above it, with their unit. */
  readonly figures: string;
  /** One at least, each with a point; as many as there are colours. */
  readonly lines: readonly Line[];
}

/** Of each panel, and what is kept free around its plot for labels. All in pixels. */
const WIDTH = 260;
const HEIGHT = 212;
const LEFT = 40;
const RIGHT = 14;
const TOP = 40;
const BOTTOM = 48;
/** Between the axes and the first and last point. */
const INSET = 6;
const IN_A_ROW = 3;

/**
 * Of middle brightness, for nobody knows what they are seen on: three times as bright or dark as white
 * or black (WCAG 2.1, 1.4.11), and apart for those who see few colours.
 */
const COLOURS = ["#2f81f7", "#d9730d", "#8b63d9"];
const INK = "#808080";

/** Nothing in it comes from elsewhere: no font, script or style sheet. */
export function plot(panels: readonly Panel[]): string {
  const columns = Math.min(panels.length, IN_A_ROW);
  const width = columns * WIDTH;
  const height = Math.ceil(panels.length / IN_A_ROW) * HEIGHT;
  const drawn = panels.map((panel, i) => {
    const [x, y] = [i % IN_A_ROW * WIDTH, Math.floor(i / IN_A_ROW) * HEIGHT];
    return `<g transform="translate(${x} ${y})">\n${drawPanel(panel)}\n</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"` +
    ` viewBox="0 0 ${width} ${height}" role="img" font-family="sans-serif" font-size="11"` +
    ` fill="${INK}">`,
    `<title>${
      escaped(panels.map(({ title, figures }) => `${title}: ${figures}`).join("; "))
    }</title>`,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

function drawPanel({ title, loads, write, figures, lines }: Panel): string {
  const points = lines.flatMap((line) => line.points);
  const bottom = HEIGHT - BOTTOM;
  const [begin, end] = [LEFT + INSET, WIDTH - RIGHT - INSET];
  const x = onAxis(loadScale(points.map(({ load }) => load), end - begin, write), begin, end);
  const y = onAxis(
    figureScale(points.flatMap(({ figure, least, most }) => [figure, least, most])),
    bottom,
    TOP,
  );
  const names = lines.length === 1 ? [] : lines.map(({ name }, i) => {
    return `<tspan dx="8" fill="${COLOURS[i]}">${escaped(name)}</tspan>`;
  });
  const middle = (LEFT + WIDTH - RIGHT) / 2;
  return [
    text(LEFT, 16, escaped(title), `font-size="12" font-weight="bold"`),
    text(LEFT, 31, escaped(figures) + names.join("")),
    text(middle, HEIGHT - 16, escaped(loads), `text-anchor="middle"`),
    ...y.ticks.map(({ at, label }) => text(LEFT - 5, at + 4, label, `text-anchor="end"`)),
    ...x.ticks.map(({ at, label }) => text(at, bottom + 14, label, `text-anchor="middle"`)),
    path(y.ticks.map(({ at }) => `M${LEFT} ${px(at)}H${WIDTH - RIGHT}`), INK, `opacity=".3"`),
    path([
      `M${LEFT} ${bottom}H${WIDTH - RIGHT}`,
      ...x.ticks.map(({ at }) => `M${px(at)} ${bottom}v4`),
    ], INK),
    ...lines.map((line, i) => drawLine(line, COLOURS[i]!, x, y)),
  ].join("\n");
}

/** The line itself, its points, and how far the rounds were apart. */
function drawLine({ points }: Line, colour: string, x: Axis, y: Axis): string {
  const placed = points.map(({ load, figure, least, most }) => {
    return { x: px(x.at(load)), y: px(y.at(figure)), low: px(y.at(least)), high: px(y.at(most)) };
  });
  return [
    path([`M${placed.map((one) => `${one.x} ${one.y}`).join("L")}`], colour, `stroke-width="1.5"`),
    path(placed.map((one) => `M${one.x} ${one.low}V${one.high}`), colour),
    `<g fill="${colour}">`,
    ...placed.map((one) => `<circle cx="${one.x}" cy="${one.y}" r="2.5"/>`),
    "</g>",
  ].join("\n");
}

/** A scale whose places are pixels. */
type Axis = Scale;

function onAxis(scale: Scale, begin: number, end: number): Axis {
  const pixel = (at: number) => begin + at * (end - begin);
  return {
    ticks: scale.ticks.map(({ at, label }) => ({ at: pixel(at), label })),
    at: (value) => pixel(scale.at(value)),
  };
}

function text(x: number, y: number, content: string, more = ""): string {
  return `<text x="${px(x)}" y="${px(y)}"${more && ` ${more}`}>${content}</text>`;
}

function path(parts: readonly string[], colour: string, more = ""): string {
  return `<path d="${parts.join("")}" fill="none" stroke="${colour}"${more && ` ${more}`}/>`;
}

/** To a tenth, which nobody sees. */
function px(number: number): string {
  return String(Number(number.toFixed(1)));
}

function escaped(words: string): string {
  return words.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
}
