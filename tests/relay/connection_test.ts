/** Transactions over one connection: each recipient has a result, and the next one begins clean. */

import assert from "node:assert/strict";
import { ChannelError, Connection, TIMEOUTS } from "../../src/relay/connection.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeWire } from "../support/fake_wire.ts";
import { answer, GREEN, greeted, JONES, OK, send, SMITH, words } from "./conversation.ts";

Deno.test("one message after another over one connection, and QUIT at the end (CL-27)", async () => {
  const { server, connection } = await greeted();
  for (const id of ["one", "two"]) {
    const sending = send(connection);
    await answer(server, OK, OK, "354 go\r\n", `250 2.0.0 ${id}\r\n`);
    assert.deepEqual(words(await sending), [`jones 250 2.0.0 ${id}`]);
    assert.ok(connection.usable);
  }
  const quitting = connection.quit();
  assert.equal(await server.hear(), "QUIT\r\n");
  assert.ok(!server.closed, "the server closes first, or has said 221");
  server.say("221 bye\r\n");
  await quitting;
  assert.ok(server.closed);
  assert.equal(server.written.at(-1), "QUIT\r\n");
  assert.ok(!connection.usable);
});

Deno.test("all recipients of one server are in one transaction, in few writes (CL-23, CL-17)", async () => {
  const { server, connection } = await greeted("250-s\r\n250 PIPELINING\r\n");
  const sending = send(connection, [JONES, SMITH, GREEN]);
  await answer(server, OK + OK + "450 4.2.1 busy\r\n550 5.1.1 no\r\n", "354 go\r\n", OK);
  assert.deepEqual(words(await sending), [
    "smith 450 4.2.1 busy",
    "green 550 5.1.1 no",
    "jones 250 OK",
  ]);
  assert.deepEqual(server.written, [
    "EHLO me.example\r\n",
    "MAIL FROM:<>\r\nRCPT TO:<jones@x.y>\r\nRCPT TO:<smith@x.y>\r\nRCPT TO:<green@x.y>\r\n",
    "DATA\r\n",
    "Subject: Hi\r\n\r\n..body\r\n.\r\n",
  ]);
  connection.close();
});

/** What is read, in and what goes over the wire. */
Deno.test("where nobody is accepted the text is not even read (CL-16, BUG-12)", async () => {
  const { server, connection } = await greeted();
  const sending = send(connection, [JONES, SMITH]);
  await answer(server, OK, "550 a\r\n", "452 b\r\n");
  assert.deepEqual(words(await sending), ["jones 550 a", "smith 452 b"]);
  const again = send(connection);
  assert.equal(await server.hear(), "RSET\r\n");
  server.say(OK);
  await answer(server, "550 no\r\n");
  assert.deepEqual(words(await again), ["jones 550 no"]);
  assert.ok(!server.written.includes("DATA\r\n"));
  connection.close();
});

Deno.test("what was decided stays so when the connection breaks (CL-17, CL-18, CL-20)", async () => {
  const { server, connection } = await greeted();
  const sending = send(connection, [JONES, SMITH, GREEN]);
  await answer(server, OK, OK, "550 5.1.1 no\r\n", "452 too many\r\n");
  await server.hear();
  server.end();
  const outcome = await sending;
  assert.deepEqual(words(outcome), [
    "smith 550 5.1.1 no",
    "green remains",
    "jones? 451 4.4.2 the server closed the connection",
  ]);
  assert.equal(outcome.broken?.textSent, false);
  assert.ok(server.closed);
});

Deno.test("a server that closes after it accepted has accepted (CL-19)", async () => {
  const { server, connection } = await greeted();
  const sending = send(connection);
  await answer(server, OK, OK, "354 go\r\n", OK);
  server.end();
  assert.deepEqual(words(await sending), ["jones 250 OK"]);
  await connection.quit();
  assert.ok(server.closed);
});

Deno.test("421 in a transaction is its result, and the end", async () => {
  const { server, connection } = await greeted();
  const sending = send(connection);
  await answer(server, OK, "421 4.3.2 leaving\r\n");
  const outcome = await sending;
  assert.deepEqual(words(outcome), ["jones 421 4.3.2 leaving"]);
  assert.equal(outcome.broken, undefined);
  assert.ok(server.closed);
  assert.ok(!connection.usable);
  await connection.quit();
});

for (
  const [what, act] of [
    ["closes", (server: FakeWire) => server.end()],
    ["says 421", (server: FakeWire) => server.say("421 4.4.2 waited too long\r\n")],
    ["adds something", (server: FakeWire) => server.say(OK)],
  ] as const
) {
  Deno.test(`a server that ${what} between transactions is not sent another one`, async () => {
    const { server, connection } = await greeted();
    act(server);
    await server.settled();
    assert.ok(!connection.usable);
    const outcome = await send(connection, [JONES, SMITH]);
    assert.deepEqual(outcome.broken?.undecided, [JONES, SMITH]);
    assert.equal(outcome.broken?.textSent, false);
    assert.deepEqual(server.written, ["EHLO me.example\r\n"]);
    const quitting = connection.quit();
    await quitting;
    assert.ok(server.closed);
  });
}

Deno.test("QUIT is not waited for long, and nothing about it is an error (CL-27)", async () => {
  for (const act of ["silent", "end", "reset"] as const) {
    const { server, clock, connection } = await greeted();
    const quitting = connection.quit();
    await server.hear();
    if (act === "silent") clock.advance(TIMEOUTS.QUIT);
    else server[act]();
    await quitting;
    assert.ok(server.closed);
    await connection.quit();
    connection.close();
  }
});

Deno.test("closing breaks what is being sent", async () => {
  const { server, connection } = await greeted();
  const sending = send(connection);
  await server.hear();
  connection.close();
  assert.deepEqual(words(await sending), ["jones? 451 4.4.2 the connection to the server broke"]);
});

Deno.test("both sides are shown, all but the text", async () => {
  const server = new FakeWire();
  const seen: string[] = [];
  const opening = Connection.open(server, {
    host: "me.example",
    serverName: "mx.test",
    wantsTls: false,
    clock: new FakeClock(),
    observe: (who, bytes) => seen.push(`${who} ${new TextDecoder().decode(bytes).trim()}`),
  });
  server.say("220 s\r\n");
  await answer(server, "250 s\r\n");
  const connection = await opening;
  const sending = send(connection);
  await answer(server, OK, OK, "354 go\r\n", OK);
  await sending;
  assert.deepEqual(seen, [
    ...["server 220 s", "client EHLO me.example", "server 250 s"],
    ...["client MAIL FROM:<>", "server 250 OK", "client RCPT TO:<jones@x.y>", "server 250 OK"],
    ...["client DATA", "server 354 go", "server 250 OK"],
  ]);
  connection.close();
});

Deno.test("why a handshake failed is told in printable words, and not at length (BUG-29)", async () => {
  const server = new FakeWire();
  // A certificate is the server's, and so are the names that are told of it.
  const why = `wrong name: DNS:\x1b[2J\r\n250 \u2028\u00e4${"x".repeat(100_000)}`;
  server.secure = () => Promise.reject(new Error(why));
  const opening = Connection.open(server, {
    host: "me.example",
    serverName: "mx.test",
    wantsTls: true,
    clock: new FakeClock(),
  });
  server.say("220 s\r\n");
  await answer(server, "250-s\r\n250 STARTTLS\r\n", "220 go\r\n");
  const error = await opening.then(() => undefined, (error) => error);
  assert.ok(error instanceof ChannelError);
  const [line = ""] = error.reply.lines;
  assert.match(line, /^TLS failed: wrong name: DNS:\?\[2J\?\?250 \?\?x+$/);
  assert.ok(line.length < 300, `${line.length} characters`);
});
