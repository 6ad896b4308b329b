/** Lines to a stream that may stall or break: whoever writes them never waits and never fails. */

import assert from "node:assert/strict";
import { LineWriter } from "../src/line_writer.ts";

/** A stream that the test lets go on when it likes. */
class SlowStream {
  text = "";
  readonly writes: (() => void)[] = [];

  write(bytes: Uint8Array): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.writes.push(() => {
      this.text += new TextDecoder().decode(bytes);
      resolve(bytes.length);
    });
    return promise;
  }
}

/** A writer to a stream that takes all at once, and what each write was. */
function collecting(): { texts: string[]; writer: LineWriter } {
  const texts: string[] = [];
  const writer = new LineWriter({
    write(bytes) {
      texts.push(new TextDecoder().decode(bytes));
      return Promise.resolve(bytes.length);
    },
  });
  return { texts, writer };
}

Deno.test("lines come out in order, those of one turn in one write", async () => {
  const sizes: number[] = [];
  let text = "";
  const writer = new LineWriter({
    write(bytes) {
      sizes.push(bytes.length);
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  });
  for (const line of ["a\n", "b\n", "c\n"]) writer.write(line);
  await writer.flush(1000);
  assert.equal(text, "a\nb\nc\n");
  assert.deepEqual(sizes, [6]);
  writer.write("d\n");
  await writer.flush(1000);
  assert.equal(text, "a\nb\nc\nd\n");
});

Deno.test("the first line after a quiet while is written at once, the next ones together", async () => {
  const { texts, writer } = collecting();
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
  writer.write("a\n");
  await turn();
  assert.deepEqual(texts, ["a\n"]);
  writer.write("b\n");
  await turn();
  writer.write("c\n");
  await writer.flush(1000);
  assert.deepEqual(texts, ["a\n", "b\nc\n"]);
});

Deno.test("a write takes whole lines, up to what a pipe takes whole", async () => {
  const { texts, writer } = collecting();
  for (let i = 0; i < 100; i++) writer.write(`${"x".repeat(99)}\n`);
  await writer.flush(1000);
  assert.ok(texts.every((text) => text.endsWith("\n") && text.length <= 4096));
  assert.equal(texts.join("").length, 10_000);
});

Deno.test("a write takes whole lines also where characters are several octets", async () => {
  const writes: Uint8Array[] = [];
  const writer = new LineWriter({
    write(bytes) {
      writes.push(bytes.slice());
      return Promise.resolve(bytes.length);
    },
  });
  for (let i = 0; i < 100; i++) writer.write(`${"\u20ac".repeat(99)}\n`);
  await writer.flush(1000);
  const texts = writes.map((bytes) => new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  assert.ok(texts.every((text) => text.endsWith("\n")));
  assert.ok(writes.every(({ length }) => length <= 4096));
  assert.equal(texts.join("").length, 10_000);
});

Deno.test("a line longer than a write is written whole, and the others apart from it", async () => {
  const { texts, writer } = collecting();
  const long = `${"x".repeat(5000)}\n`;
  for (const line of ["a\n", long, "b\n"]) writer.write(line);
  await writer.flush(1000);
  assert.deepEqual(texts, ["a\n", long, "b\n"]);
});

Deno.test("a stream that takes a part is given the rest", async () => {
  let text = "";
  const writer = new LineWriter({
    write(bytes) {
      text += new TextDecoder().decode(bytes.subarray(0, 1));
      return Promise.resolve(1);
    },
  });
  writer.write("abc\n");
  await writer.flush(1000);
  assert.equal(text, "abc\n");
});

Deno.test("while nobody reads, lines wait up to a bound, then they are dropped and counted", async () => {
  const stream = new SlowStream();
  const writer = new LineWriter(stream);
  const line = `${"x".repeat(1023)}\n`;
  for (let i = 0; i < 5000; i++) writer.write(line);
  await writer.flush(1);
  assert.equal(stream.writes.length, 1);
  assert.equal(writer.dropped, 5000 - 4096);
});

Deno.test("a stream that breaks loses its lines and nothing else", async () => {
  const writer = new LineWriter({ write: () => Promise.reject(new Deno.errors.BrokenPipe()) });
  writer.write("a\n");
  await writer.flush(1000);
  assert.equal(writer.dropped, 1);
});

Deno.test("a stream that is full and says so is tried again, and nothing is lost", async () => {
  let text = "";
  let full = 3;
  const writer = new LineWriter({
    write(bytes) {
      if (full-- > 0) return Promise.reject(new Deno.errors.WouldBlock());
      text += new TextDecoder().decode(bytes.subarray(0, 2));
      full = 1;
      return Promise.resolve(2);
    },
  });
  writer.write("abc\n");
  await writer.flush(5000);
  assert.equal(text, "abc\n");
  assert.equal(writer.dropped, 0);
});

Deno.test("lost lines are told, once there is room to say so", async () => {
  const stream = new SlowStream();
  const writer = new LineWriter(stream);
  const told: number[] = [];
  writer.lost = (lines) => told.push(lines);
  const line = `${"x".repeat(1023)}\n`;
  for (let i = 0; i < 4100; i++) writer.write(line);
  await writer.flush(1);
  assert.deepEqual(told, []);
  while (stream.writes.length > 0) {
    stream.writes.shift()!();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.deepEqual(told, [4]);
  const flushed = writer.flush(1000);
  while (stream.writes.length > 0) {
    stream.writes.shift()!();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await flushed;
});
