/** Text that a terminal takes for nothing but text. */

import assert from "node:assert/strict";
import { escapeControls, printable, tamed } from "../src/printable.ts";

Deno.test("what a terminal acts on is escaped, other text stays as it is", () => {
  assert.equal(printable("a\x1b[2J\x7f\x9b\nb"), "a\\u001b[2J\\u007f\\u009b\\u000ab");
  assert.equal(
    printable("\u202eevil\u200e\u200f\u061c\ufeff"),
    "\\u202eevil\\u200e\\u200f\\u061c\\ufeff",
  );
  assert.equal(
    printable("a\u200bb\u00ad\u2060\u180e\ufff9\u{e0041}"),
    "a\\u200bb\\u00ad\\u2060\\u180e\\ufff9\\udb40\\udc41",
  );
  assert.equal(printable('m\u00fcller \u2026 \u{1f600} \\ "'), 'm\u00fcller \u2026 \u{1f600} \\ "');
});

Deno.test("what is seen as nothing is escaped or marked, whoever wrote it", () => {
  const unseen = ["\u3164", "\u115f", "\u034f", "\ufe0f", "\u{e0100}", "\u200b", "\u2028"];
  for (const character of unseen) {
    assert.match(printable(`a${character}b`), /^a(\\u[0-9a-f]{4})+b$/);
    assert.equal(tamed(`a${character}b`), "a?b");
  }
  assert.equal(tamed("a\tb\x1b[2J\x7f"), "a\tb?[2J?");
});

Deno.test("JSON means the same after it, and keeps its lines", () => {
  const value = { a: "\x85\u2028\u2066x\ufeff\u202a\u200d\u{e0041}" };
  const json = escapeControls(JSON.stringify(value, null, 2));
  assert.deepEqual(JSON.parse(json), value);
  assert.equal(json, '{\n  "a": "\\u0085\\u2028\\u2066x\\ufeff\\u202a\\u200d\\udb40\\udc41"\n}');
});
