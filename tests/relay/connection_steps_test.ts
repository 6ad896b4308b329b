/** A connection at each step, whatever the server does there: every wait ends, and no result is lost. */

import assert from "node:assert/strict";
import { TIMEOUTS } from "../../src/relay/connection.ts";
import {
  answer,
  converse,
  failure,
  GREEN,
  greeted,
  JONES,
  OK,
  playTo,
  REPLIES,
  send,
  SMITH,
  STEPS,
  words,
} from "./conversation.ts";

Deno.test("the timeouts are those of RFC 5321 4.5.3.2 at least (CL-14)", () => {
  const minute = 60_000;
  const { greeting, MAIL, RCPT, DATA, text, end } = TIMEOUTS;
  const least = [5 * minute, 5 * minute, 5 * minute, 2 * minute, 3 * minute, 10 * minute];
  [greeting, MAIL, RCPT, DATA, text, end].forEach((limit, i) => assert.ok(limit >= least[i]!));
});

for (const [at, step] of STEPS.entries()) {
  Deno.test(`a server that is silent at ${step} is waited for, but not for ever (CL-14, CL-20)`, async () => {
    const conversation = converse();
    const { server, clock } = conversation;
    await playTo(conversation, at);
    clock.advance(TIMEOUTS[step] - 1);
    assert.ok(!server.closed);
    clock.advance(1);
    assert.ok(server.closed);
    const { reply, kind = "late", textSent = false } = await failure(conversation);
    const status = step === "greeting" ? "4.4.1" : "4.4.2";
    assert.equal(reply, `451 ${status} the server does not answer`);
    assert.equal(kind, "late");
    assert.equal(textSent, step === "end");
    assert.equal(clock.pending, 0);
  });

  Deno.test(`a reply to ${step} that trickles in has no longer (CL-14)`, async () => {
    const conversation = converse();
    const { server, clock } = conversation;
    await playTo(conversation, at);
    for (let i = 0; i < 9; i++) {
      server.say("250-ok OK "[i]!);
      await server.settled();
      clock.advance(TIMEOUTS[step] / 10);
      assert.ok(!server.closed);
    }
    clock.advance(TIMEOUTS[step] / 10);
    assert.ok(server.closed);
    assert.match((await failure(conversation)).reply, /does not answer/);
  });

  for (const how of ["end", "reset"] as const) {
    Deno.test(`a server that closes at ${step} (${how}) has decided nothing (CL-20)`, async () => {
      const conversation = converse();
      await playTo(conversation, at);
      conversation.server[how]();
      const { reply, kind = "lost", textSent = false } = await failure(conversation);
      assert.match(reply, /^451 4\.4\.2 the (server closed the connection|connection .* broke)$/);
      assert.equal(kind, "lost");
      assert.equal(textSent, step === "end");
      assert.ok(conversation.server.closed);
      assert.equal(conversation.clock.pending, 0);
    });
  }

  for (
    const [what, bytes] of [
      ["another language", "SSH-2.0-OpenSSH_9.2\r\n"],
      ["a code out of range", "650 x\r\n"],
      ["octets", "\xff\xfe\x00\x80\r\n"],
      ["a line without end", "250 ".padEnd(70_000, "x")],
      ["lines without end", "250-x\r\n".repeat(10_000)],
    ] as const
  ) {
    Deno.test(`${what} at ${step} is no reply (CL-15)`, async () => {
      const conversation = converse();
      await playTo(conversation, at);
      conversation.server.say(bytes);
      const { reply, kind = "nonsense" } = await failure(conversation);
      assert.match(reply, /^451 4\.5\.0 the server's reply [ -~]{5,120}$/);
      assert.equal(kind, "nonsense");
      assert.ok(conversation.server.closed);
    });
  }

  Deno.test(`a reply to ${step} may have lines, octets and come byte by byte (CL-15)`, async () => {
    const conversation = converse();
    const { server, done } = conversation;
    await playTo(conversation, at);
    const code = REPLIES[at]!.slice(0, 3);
    for (const byte of `${code}-\xe9\r\n${code}-\r\n${code}\r\n`) server.say(byte);
    await answer(server, ...REPLIES.slice(at + 1));
    const { connection, outcome } = await done;
    assert.ok(outcome.results[0]!.reply.code === 250);
    assert.ok(connection.usable);
    connection.close();
  });
}

Deno.test("with PIPELINING each reply has its own time (CL-14)", async () => {
  const { server, clock, connection } = await greeted("250-s\r\n250 PIPELINING\r\n");
  const sending = send(connection, [JONES, SMITH, GREEN]);
  await server.hear();
  for (const reply of [OK, OK, "550 no\r\n", OK]) {
    clock.advance(TIMEOUTS.RCPT - 1);
    assert.ok(!server.closed);
    server.say(reply);
    await server.settled();
  }
  await answer(server, "354 go\r\n", OK);
  assert.deepEqual(words(await sending), ["smith 550 no", "jones 250 OK", "green 250 OK"]);
  connection.close();
});

for (const code of [554, 521, 450]) {
  Deno.test(`a greeting of ${code} is refusal, and left by QUIT (CL-13, CL-27)`, async () => {
    const conversation = converse();
    const { server } = conversation;
    server.say(`${code} no mail here\r\n`);
    assert.equal(await server.hear(), "QUIT\r\n");
    server.say("221 bye\r\n");
    assert.deepEqual(await failure(conversation), {
      reply: `${code} no mail here`,
      kind: "refused",
      heard: true,
    });
    assert.ok(server.closed);
  });
}

Deno.test("after a greeting of 421 there is nothing to say (CL-13)", async () => {
  const conversation = converse();
  conversation.server.say("421 4.3.2 full\r\n");
  const { reply, kind } = await failure(conversation);
  assert.deepEqual([reply, kind], ["421 4.3.2 full", "refused"]);
  assert.deepEqual(conversation.server.written, []);
  assert.ok(conversation.server.closed);
});
