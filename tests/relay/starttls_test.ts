/** Over to TLS and what can go wrong on the way, with real sockets (RFC 3207). */

import assert from "node:assert/strict";
import { ChannelError, Connection, TIMEOUTS } from "../../src/relay/connection.ts";
import type { Wire } from "../../src/relay/wire.ts";
import { replyText } from "../../src/smtp/reply.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { connectedPair, type TcpPeer } from "../support/tcp_peer.ts";

const JONES = { localPart: "jones", domain: "x.y" };
const OFFER = "250-s\r\n250-8BITMIME\r\n250 STARTTLS\r\n";
const OK = "250 OK\r\n";

function open(wire: Wire, clock = new FakeClock()): Promise<Connection> {
  return Connection.open(wire, {
    host: "me.example",
    serverName: "mx.test",
    wantsTls: true,
    clock,
  });
}

function send(connection: Connection, eightBit = false) {
  const text = async function* () {
    yield await Promise.resolve(new TextEncoder().encode("Hi\r\n"));
  };
  const envelope = { reversePath: null, forwardPaths: [JONES], size: 4, eightBit };
  return connection.send(envelope, text());
}

/** The server's part until it has said this to STARTTLS. */
async function greet(peer: TcpPeer, answer: string): Promise<void> {
  await peer.say("220 s\r\n");
  assert.equal(await peer.hear(), "EHLO me.example\r\n");
  await peer.say(OFFER);
  assert.equal(await peer.hear(), "STARTTLS\r\n");
  await peer.say(answer);
}

/** The server's part in a connection that STARTTLS makes nothing of. */
async function failure(act: (peer: TcpPeer, wire: Wire, clock: FakeClock) => Promise<void>) {
  const { wire, peer } = await connectedPair();
  const clock = new FakeClock();
  const [error] = await Promise.all([
    open(wire, clock).then(() => undefined, (error) => error),
    act(peer, wire, clock),
  ]);
  peer.close();
  assert.ok(error instanceof ChannelError);
  assert.equal(error.kind, "tls");
  assert.equal(error.heard, false);
  assert.equal(clock.pending, 0);
  await assert.rejects(wire.write(new Uint8Array(1)), "the connection is closed");
  return replyText(error.reply);
}

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
  Deno.test(`a message under ${maxVersion}, from an envelope nobody else has seen (CL-32)`, async () => {
    const { wire, peer } = await connectedPair();
    const sending = (async () => {
      const connection = await open(wire);
      const outcome = await send(connection);
      const { security } = connection;
      await connection.quit();
      return { outcome, security };
    })();
    await greet(peer, "220 go\r\n");
    peer.startTls({ maxVersion });
    assert.equal(await peer.hear(), "EHLO me.example\r\n");
    await peer.say("250 s\r\n");
    assert.equal(await peer.hear(), "MAIL FROM:<>\r\n");
    await peer.say(OK);
    await peer.answer(OK, "354 go\r\n", "250 taken\r\n", "221 bye\r\n");
    const { outcome, security } = await sending;
    assert.deepEqual(outcome.results.map(({ reply }) => replyText(reply)), ["250 taken"]);
    assert.deepEqual(security, { protocol: maxVersion, verified: false });
    peer.close();
  });
}

Deno.test("what is slipped in behind 220 is dropped, and what was offered in plain text forgotten (CL-32, BUG-8)", async () => {
  const { wire, peer } = await connectedPair();
  const sending = (async () => {
    const connection = await open(wire);
    const outcome = await send(connection, true);
    await connection.quit();
    return outcome;
  })();
  await greet(peer, "220 go\r\n250-evil\r\n250 8BITMIME\r\n");
  peer.startTls();
  await peer.answer("250 s\r\n", "221 bye\r\n");
  const { results } = await sending;
  assert.match(replyText(results[0]!.reply), /^554 5\.6\.3 .* does not offer 8BITMIME$/);
  peer.close();
});

Deno.test("what is slipped in on its own ends the handshake (CL-32, BUG-8)", async () => {
  const reply = await failure(async (peer) => {
    await greet(peer, "220 go\r\n");
    await peer.hear();
    await peer.say("250-evil\r\n250 8BITMIME\r\n");
  });
  assert.match(reply, /^454 4\.7\.5 TLS failed: [ -~]+$/);
});

Deno.test("a server that leaves in the handshake fails at TLS", async () => {
  const reply = await failure(async (peer) => {
    await greet(peer, "220 go\r\n");
    await peer.hear();
    peer.close();
  });
  assert.match(reply, /^454 4\.7\.5 TLS failed: /);
});

Deno.test("a handshake is waited for, but not for ever (CL-14)", async () => {
  const reply = await failure(async (peer, _, clock) => {
    await greet(peer, "220 go\r\n");
    await peer.hear();
    clock.advance(TIMEOUTS.handshake - 1);
    assert.equal(clock.pending, 1);
    clock.advance(1);
  });
  assert.equal(reply, "454 4.7.5 TLS failed: the handshake takes too long");
});

Deno.test("a server that cannot do TLS now gets the message in plain text", async () => {
  const { wire, peer } = await connectedPair();
  const sending = (async () => {
    const connection = await open(wire);
    assert.equal(connection.security, undefined);
    const outcome = await send(connection);
    await connection.quit();
    return outcome;
  })();
  await greet(peer, "454 4.7.0 not now\r\n");
  await peer.answer(OK, OK, "354 go\r\n", "250 taken\r\n", "221 bye\r\n");
  assert.deepEqual((await sending).results.map(({ reply }) => replyText(reply)), ["250 taken"]);
  peer.close();
});

Deno.test("a server that is silent under TLS is not waited for for ever (CL-14)", async () => {
  const { wire, peer } = await connectedPair();
  const clock = new FakeClock();
  const opening = open(wire, clock).catch((error) => error);
  await greet(peer, "220 go\r\n");
  peer.startTls();
  await peer.hear();
  clock.advance(TIMEOUTS.EHLO);
  const error = await opening;
  assert.ok(error instanceof ChannelError);
  assert.equal(error.kind, "late");
  peer.close();
});

/** Replies to a message in the middle of whose text the server says this and leaves. */
async function refusal(secured: boolean, last: string): Promise<string[]> {
  const { wire, peer } = await connectedPair();
  const text = async function* () {
    for (let i = 0; i < 1000; i++) yield await Promise.resolve(new Uint8Array(65536).fill(120));
  };
  const sending = (async () => {
    const connection = await open(wire);
    const envelope = { reversePath: null, forwardPaths: [JONES], size: 1, eightBit: false };
    const { results, broken } = await connection.send(envelope, text());
    assert.ok(!connection.usable);
    return [...results.map(({ reply }) => reply), ...(broken ? [broken.reply] : [])].map(replyText);
  })();
  if (secured) {
    await greet(peer, "220 go\r\n");
    peer.startTls();
  } else await peer.say("220 s\r\n");
  await peer.answer("250 s\r\n", OK, OK, "354 go\r\n");
  await peer.hear();
  if (last !== "") await peer.say(last);
  peer.close();
  return await sending;
}

for (const secured of [false, true]) {
  const how = secured ? "under TLS" : "in plain text";
  Deno.test(`552 in the middle of the text is heard ${how} (CL-19)`, async () => {
    assert.deepEqual(await refusal(secured, "552 5.3.4 too big\r\n"), ["552 5.3.4 too big"]);
  });
  Deno.test(`a server that leaves in the middle of the text ${how} has not taken it (CL-20)`, async () => {
    const [reply, ...others] = await refusal(secured, "");
    assert.match(reply!, /^451 4\.4\.2 /);
    assert.deepEqual(others, []);
  });
}
