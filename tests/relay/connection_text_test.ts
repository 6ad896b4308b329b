/** The text on its way to a server that reads it, or does not. */

import assert from "node:assert/strict";
import { TIMEOUTS } from "../../src/relay/connection.ts";
import { answer, greeted, JONES, OK, pieces, send, words } from "./conversation.ts";

const TEXTS: readonly (readonly [pieces: readonly string[], wire: string])[] = [
  [[".\r\n..a"], "..\r\n...a\r\n.\r\n"],
  [["a\r\n"], "a\r\n.\r\n"],
  [["a\r\n", ".b\r\n"], "a\r\n..b\r\n.\r\n"],
  [["a\r", "\n.", "b"], "a\r\n..b\r\n.\r\n"],
  [[], ".\r\n"],
];

for (const [text, wire] of TEXTS) {
  Deno.test(`the text ${JSON.stringify(text)} leaves in one write (CL-24, CL-25, BUG-5)`, async () => {
    const { server, connection } = await greeted();
    const sending = connection.send(
      { reversePath: null, forwardPaths: [JONES], size: 1, eightBit: false },
      pieces(...text),
    );
    await answer(server, OK, OK, "354 go\r\n", OK);
    assert.deepEqual(words(await sending), ["jones 250 OK"]);
    assert.equal(server.written.at(-1), wire);
    connection.close();
  });
}

for (const more of [-5, -4, -3, -2, -1, 0, 1, 2]) {
  Deno.test(`a text of about two blocks (${more}) leaves whole (CL-24, CL-25)`, async () => {
    const { server, connection } = await greeted();
    const text = "x".repeat(2 * 65536 + more);
    const sending = send(connection, [JONES], text);
    await answer(server, OK, OK, "354 go\r\n");
    while (!server.written.at(-1)!.endsWith("\r\n.\r\n")) await server.hear();
    server.say(OK);
    assert.deepEqual(words(await sending), ["jones 250 OK"]);
    const blocks = server.written.slice(4);
    assert.equal(blocks.join(""), `${text}\r\n.\r\n`);
    assert.ok(blocks.length <= 3);
    connection.close();
  });
}

Deno.test("a text that cannot be read is its reader's error, and the server never sees an end", async () => {
  for (const before of ["", "Subject: Hi\r\n", "x".repeat(100_000)]) {
    const { server, connection } = await greeted();
    const trouble = new Deno.errors.NotFound("the text");
    const torn = async function* () {
      yield* pieces(before);
      throw trouble;
    };
    const sending = connection.send(
      { reversePath: null, forwardPaths: [JONES], size: 1, eightBit: false },
      torn(),
    );
    const [rejected] = await Promise.all([
      sending.catch((error) => error),
      answer(server, OK, OK, "354 go\r\n"),
    ]);
    assert.equal(rejected, trouble);
    assert.ok(server.closed);
    assert.doesNotMatch(server.written.join(""), /\r\n\.\r\n/);
  }
});

const LARGE = "x".repeat(1_000_000);

/** As far as the first block of a large text. */
async function inText() {
  const { server, clock, connection } = await greeted();
  const sending = send(connection, [JONES], LARGE);
  await answer(server, OK, OK);
  await server.hear();
  server.stalled = true;
  server.say("354 go\r\n");
  assert.match(await server.hear(), /^x+$/);
  return { server, clock, connection, sending };
}

Deno.test("a server that does not read the text has its time for each block (CL-14)", async () => {
  const { server, clock, sending } = await inText();
  clock.advance(TIMEOUTS.text - 1);
  assert.ok(!server.closed);
  clock.advance(1);
  const outcome = await sending;
  assert.deepEqual(words(outcome), ["jones? 451 4.4.2 the server does not answer"]);
  assert.equal(outcome.broken?.textSent, false);
  assert.equal(clock.pending, 0);
});

for (const then of ["stays", "closes", "resets"] as const) {
  Deno.test(`552 in the middle of the text is heard, though the server ${then} (CL-19)`, async () => {
    const { server, sending, connection } = await inText();
    server.say("552 5.3.4 too big\r\n");
    if (then === "closes") server.end();
    if (then === "resets") server.reset();
    const outcome = await sending;
    assert.deepEqual(words(outcome), ["jones 552 5.3.4 too big"]);
    assert.equal(outcome.broken, undefined);
    assert.ok(server.closed);
    assert.ok(!connection.usable);
    assert.doesNotMatch(server.written.join(""), /\r\n\.\r\n|QUIT/);
  });
}

for (const how of ["end", "reset"] as const) {
  Deno.test(`a server that leaves in the middle of the text (${how}) has not taken it (CL-20)`, async () => {
    const { server, sending } = await inText();
    server[how]();
    const outcome = await sending;
    assert.match(words(outcome)[0]!, /^jones\? 451 4\.4\.2 /);
    assert.equal(outcome.broken?.textSent, false);
    assert.ok(server.closed);
  });
}

Deno.test("250 in the middle of the text is not believed", async () => {
  const { server, sending } = await inText();
  server.say(OK);
  assert.match(words(await sending)[0]!, /^jones\? 451 4\.5\.0 /);
});

Deno.test("an answer to the text that comes before the text", async () => {
  for (
    const [early, expected] of [["250 OK", /^jones\? 451 4\.5\.0 /], ["554 no", /^jones 554 no$/]]
  ) {
    const { server, connection } = await greeted();
    const sending = send(connection);
    await answer(server, OK, OK, `354 go\r\n${early}\r\n`);
    assert.match(words(await sending)[0]!, expected as RegExp);
    assert.equal(server.written.at(-1), "DATA\r\n");
    assert.ok(server.closed);
  }
});
