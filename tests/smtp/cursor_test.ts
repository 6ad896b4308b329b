/** The cursor reads forward, and never past the end. */

import assert from "node:assert/strict";
import { Cursor } from "../../src/smtp/cursor.ts";

Deno.test("peek stays, next moves", () => {
  const cursor = new Cursor("ab");
  assert.equal(cursor.peek(), "a");
  assert.equal(cursor.peek(), "a");
  assert.equal(cursor.next(), "a");
  assert.equal(cursor.at, 1);
  assert.equal(cursor.rest, "b");
  assert.equal(cursor.done, false);
  assert.equal(cursor.next(), "b");
  assert.equal(cursor.done, true);
});

Deno.test("at the end there is nothing", () => {
  for (const cursor of [new Cursor(""), new Cursor("a")]) {
    cursor.run(/a+/y);
    assert.equal(cursor.peek(), "");
    assert.equal(cursor.next(), "");
    assert.equal(cursor.next(), "");
    assert.equal(cursor.rest, "");
    assert.equal(cursor.run(/.+/y), "");
    assert.equal(cursor.accept("a"), false);
    assert.equal(cursor.done, true);
  }
});

Deno.test("accept takes what it is given, all of it or nothing", () => {
  const cursor = new Cursor("<a>b");
  assert.equal(cursor.accept("<A>"), false);
  assert.equal(cursor.accept("a>"), false);
  assert.equal(cursor.accept("<a>bc"), false);
  assert.equal(cursor.at, 0);
  assert.equal(cursor.accept("<a>"), true);
  assert.equal(cursor.rest, "b");
});

Deno.test("acceptWord takes a word in whatever case, all of it or nothing (788-X1)", () => {
  const cursor = new Cursor("fRoM:<a>");
  assert.equal(cursor.acceptWord("FROM: "), false);
  assert.equal(cursor.acceptWord("TO:"), false);
  assert.equal(cursor.at, 0);
  assert.equal(cursor.acceptWord("FROM:"), true);
  assert.equal(cursor.rest, "<a>");
  assert.equal(cursor.acceptWord("<a>b"), false);
  assert.equal(cursor.rest, "<a>");
});

Deno.test("accept of nothing always succeeds and moves nowhere", () => {
  const cursor = new Cursor("a");
  assert.equal(cursor.accept(""), true);
  assert.equal(cursor.at, 0);
});

Deno.test("run takes the longest run", () => {
  const cursor = new Cursor("aab c");
  assert.equal(cursor.run(/[xyz]+/y), "");
  assert.equal(cursor.at, 0);
  assert.equal(cursor.run(/[ab]+/y), "aab");
  assert.equal(cursor.run(/[ab]+/y), "");
  assert.equal(cursor.run(/ +/y), " ");
  assert.equal(cursor.run(/.+/y), "c");
  assert.equal(cursor.done, true);
});
