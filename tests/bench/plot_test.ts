/** What a drawing of figures shows, and that it can be read. */

import assert from "node:assert/strict";
import { type Panel, plot } from "./plot.ts";

const PANEL: Panel = {
  title: "Sessions",
  loads: "sessions at once",
  figures: "messages/s",
  lines: [line("taken", [1, 800], [10, 2500], [100, 3000], [500, 2900])],
};

function line(name: string, ...points: (readonly [number, number])[]) {
  return {
    name,
    points: points.map(([load, figure]) => {
      return { load, figure, least: figure * 0.9, most: figure * 1.1 };
    }),
  };
}

function panelOf(...points: (readonly [number, number])[]): Panel {
  return { ...PANEL, lines: [line("", ...points)] };
}

interface Place {
  readonly x: number;
  readonly y: number;
}

function circles(svg: string): Place[] {
  return [...svg.matchAll(/<circle cx="([^"]*)" cy="([^"]*)"/g)].map(([, x, y]) => {
    return { x: Number(x), y: Number(y) };
  });
}

/** The labels of one panel, with the room they take where a letter is 7 pixels wide. */
function labels(svg: string) {
  const texts = svg.matchAll(/<text x="([^"]*)" y="([^"]*)"([^>]*)>(.*?)<\/text>/g);
  return [...texts].map(([, x, y, more, content]) => {
    const words = content!.replace(/<[^>]*>/g, "");
    const width = 7 * words.length;
    const shift = more!.includes("middle") ? width / 2 : more!.includes("end") ? width : 0;
    const left = Number(x) - shift;
    return { words, left, right: left + width, bottom: Number(y), top: Number(y) - 10 };
  });
}

Deno.test("more is drawn further up and to the right", () => {
  const [first, second, third] = circles(plot([panelOf([1, 100], [10, 200], [100, 300])]));
  assert.ok(first!.x < second!.x && second!.x < third!.x);
  assert.ok(first!.y > second!.y && second!.y > third!.y);
});

Deno.test("loads stand at their logarithm", () => {
  const [first, second, third] = circles(plot([panelOf([1, 5], [10, 5], [100, 5])]));
  assert.ok(Math.abs((second!.x - first!.x) - (third!.x - second!.x)) < 0.2);
});

Deno.test("a load of 0 has a place of its own before the others", () => {
  const svg = plot([panelOf([0, 5], [1000, 5], [100_000, 5])]);
  const [none, some] = circles(svg);
  assert.ok(none!.x + 20 < some!.x);
  assert.ok(labels(svg).some(({ words }) => words === "0"));
});

Deno.test("figures that are near each other are drawn from 0, others at their logarithm", () => {
  const near = labels(plot([panelOf([1, 2000], [10, 3000])])).map(({ words }) => words);
  assert.ok(near.includes("0"), near.join(" "));
  const far = labels(plot([panelOf([1, 2], [10, 3000])])).map(({ words }) => words);
  assert.ok(!far.includes("0"), far.join(" "));
  assert.ok(far.includes("100"), far.join(" "));
});

Deno.test("it tells what the axes are, and which line is which where there are several", () => {
  const one = labels(plot([PANEL])).map(({ words }) => words);
  for (const words of ["Sessions", "sessions at once", "messages/s"]) {
    assert.ok(one.includes(words), words);
  }
  const two = plot([{ ...PANEL, lines: [line("local", [1, 1]), line("queued", [1, 2])] }]);
  assert.match(two, />local</);
  assert.match(two, />queued</);
});

for (
  const [name, panel] of Object.entries({
    "sessions": PANEL,
    "few loads": panelOf([1, 1], [2, 2], [5, 5]),
    "one load": panelOf([20, 1234]),
    "nothing but 0 above 0": panelOf([0, 0], [100, 0]),
    "no load": panelOf([0, 60]),
    "small figures": panelOf([1, 0.002], [100, 0.003]),
    "sizes": panelOf([1, 1.4], [4, 5], [1000, 90], [51_200, 180]),
    "a million": panelOf([0, 3000], [1000, 3000], [10_000, 3000], [1e6, 2900]),
    "memory": panelOf([0, 61], [100, 62.5], [1000, 70], [2500, 90], [5000, 124]),
    "many loads": panelOf([0, 1], [1, 1], [2, 1], [4, 1], [1000, 1], [1500, 2], [2000, 3]),
    "half a decade": panelOf([1, 1], [3, 30]),
  })
) {
  Deno.test(`labels overlap neither each other nor the edge: ${name}`, () => {
    const all = labels(plot([panel]));
    for (const [i, one] of all.entries()) {
      assert.ok(one.left >= 0 && one.right <= 260, `${one.words} is cut off`);
      for (const other of all.slice(i + 1)) {
        const apart = one.right <= other.left || other.right <= one.left ||
          one.bottom <= other.top || other.bottom <= one.top;
        assert.ok(apart, `${one.words} overlaps ${other.words}`);
      }
    }
  });

  Deno.test(`everything has a place inside: ${name}`, () => {
    const svg = plot([panel]);
    assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
    for (const { x, y } of circles(svg)) {
      assert.ok(x >= 40 && x <= 260 && y >= 20 && y <= 212, `${x} ${y}`);
    }
  });
}

Deno.test("loads are written as told, and the last one is always written", () => {
  const write = (load: number) => `${load} octets`;
  const words = labels(plot([{ ...PANEL, write }])).map((label) => label.words);
  assert.ok(words.includes("500 octets"), words.join());
});

Deno.test("panels stand beside each other, three in a row", () => {
  const size = (count: number) => {
    const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(plot(Array(count).fill(PANEL)))!;
    return [Number(width), Number(height)];
  };
  assert.deepEqual(size(1), [260, 212]);
  assert.deepEqual(size(3), [780, 212]);
  assert.deepEqual(size(6), [780, 424]);
});

Deno.test("words are no markup", () => {
  const svg = plot([{ ...PANEL, title: 'a < b & "c"' }]);
  assert.ok(svg.includes("a &#60; b &#38; &#34;c&#34;"));
});

Deno.test("every element that is opened is closed", () => {
  const open: string[] = [];
  for (const [, end, name, empty] of plot([PANEL, PANEL]).matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
    if (end) assert.equal(open.pop(), name);
    else if (!empty) open.push(name!);
  }
  assert.deepEqual(open, []);
});

Deno.test("nothing is fetched from elsewhere, and it is small", () => {
  const svg = plot(Array(6).fill(PANEL));
  assert.doesNotMatch(
    svg.replace("http://www.w3.org/2000/svg", ""),
    /https?:|<script|@import|url\(/,
  );
  assert.ok(svg.length < 20_000, `${svg.length} octets`);
});
