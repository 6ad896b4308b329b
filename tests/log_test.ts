/** One event is one line, and nothing in it can be taken for anything else. */

import assert from "node:assert/strict";
import { type Fields, type Format, type Level, type Log, startLog } from "../src/log.ts";

/** What is written for these events, with the time cut off text lines. */
function written(level: Level, format: Format, tell: (log: Log) => void): string[] {
  const lines: string[] = [];
  tell(startLog(level, format, (line) => lines.push(line)));
  return lines;
}

function text(fields?: Fields): string {
  const [line, ...more] = written("info", "text", (log) => log.info("message stored", fields));
  assert.deepEqual(more, []);
  const match = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info message stored(.*)\n$/.exec(line!);
  assert.ok(match, JSON.stringify(line));
  return match[1]!;
}

Deno.test("a line begins with the time at which it was told, to the millisecond", async () => {
  const lines: string[] = [];
  const log = startLog("info", "text", (line) => lines.push(line));
  for (let i = 0; i < 3; i++) {
    const before = Date.now();
    log.info("now");
    const told = Date.parse(lines.at(-1)!.split(" ")[0]!);
    assert(before <= told && told <= Date.now(), lines.at(-1));
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
});

Deno.test("a line has time, level, event and fields", () => {
  assert.equal(text(), "");
  assert.equal(text({}), "");
  assert.equal(text({ id: "abc", size: 42, tls: false }), " id=abc size=42 tls=false");
});

Deno.test("a field without a value is left out", () => {
  assert.equal(text({ a: 1, b: undefined, c: 2 }), " a=1 c=2");
  assert.equal(text({ a: undefined }), "");
});

Deno.test("values that could be taken for something else stand in quotes", () => {
  const rows: [string | readonly string[], string][] = [
    ["<a@b.c>", "<a@b.c>"],
    ["", '""'],
    ["a b", '"a b"'],
    ["a=b", '"a=b"'],
    ['a"b', '"a\\"b"'],
    ["a\\b", "a\\b"],
    ["{braces}", "{braces}"],
    [["a", "b"], "a,b"],
    [[], '""'],
    ["a\nb", '"a\\nb"'],
    ["a\r\nb", '"a\\r\\nb"'],
    ["\x1b[2J", '"\\u001b[2J"'],
    ["é", '"é"'],
  ];
  for (const [value, expected] of rows) assert.equal(text({ a: value }), ` a=${expected}`);
});

/** What a terminal or a log reader may act on (invariant: logs carry no control characters). */
const ACTIVE = [
  ...Array.from({ length: 32 }, (_, code) => code),
  ...Array.from({ length: 33 }, (_, i) => 0x7f + i),
  0x061c,
  0x200e,
  0x200f,
  0x2028,
  0x2029,
  0x202a,
  0x202e,
  0x2066,
  0x2069,
  0xfeff,
];

for (const format of ["text", "json"] as const) {
  Deno.test(`no character that a terminal acts on comes through in ${format}`, () => {
    for (const code of ACTIVE) {
      const value = `a${String.fromCharCode(code)}b`;
      const [line] = written("info", format, (log) => log.info("x", { value }));
      assert.ok(line!.endsWith("\n"));
      const inner = line!.slice(0, -1);
      assert.ok(!inner.includes(String.fromCharCode(code)), `U+${code.toString(16)}`);
      if (format === "json") assert.equal(JSON.parse(inner).value, value);
    }
  });
}

Deno.test("JSON has one object per line, with values as they are", () => {
  const [line] = written("info", "json", (log) => {
    log.warn("message stored", { id: "a b", size: 42, tls: true, to: ["x", "y"], none: undefined });
  });
  const { time, ...rest } = JSON.parse(line!);
  assert.equal(new Date(time).toISOString(), time);
  assert.deepEqual(rest, {
    level: "warn",
    event: "message stored",
    id: "a b",
    size: 42,
    tls: true,
    to: ["x", "y"],
  });
});

Deno.test("events below the level are not written", () => {
  const levels: Level[] = ["debug", "info", "warn", "error"];
  for (const [i, level] of levels.entries()) {
    const lines = written(level, "text", (log) => {
      log.debug("x");
      log.info("x");
      log.warn("x");
      log.error("x");
    });
    assert.deepEqual(lines.map((line) => line.split(" ")[1]), levels.slice(i));
  }
});

Deno.test("a log started again replaces the earlier one", () => {
  const first: string[] = [];
  const log = startLog("info", "text", (line) => first.push(line));
  const second = written("info", "text", () => log.info("x"));
  assert.equal(first.length, 0);
  assert.equal(second.length, 1);
});

Deno.test("no value makes a line longer than journals take, and it says what is missing", () => {
  assert.equal(text({ a: "x".repeat(500) }), ` a=${"x".repeat(500)}`);
  assert.equal(text({ a: "x".repeat(600) }), ` a="${"x".repeat(500)}... and 100 more"`);
  const items = Array.from({ length: 1000 }, (_, i) => `<a${i}@b.test>`);
  assert.match(text({ a: items }), /^ a="<a0@b\.test>,<a1@b\.test>,.*,and 9\d\d more"$/);
  assert.equal(
    text({ a: ["y".repeat(501), "z"] }),
    ` a="${"y".repeat(500)}... and 1 more,and 1 more"`,
  );
  const worst = { a: items, b: items, c: "\u202e".repeat(100_000), d: ["\x07".repeat(100_000)] };
  for (const format of ["text", "json"] as const) {
    const [line = ""] = written("info", format, (log) => log.info("message stored", worst));
    assert.ok(line.length < 8192, `${line.length} characters`);
    if (format === "json") assert.equal(JSON.parse(line).a.length < 100, true);
  }
});
