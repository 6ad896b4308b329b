/** TCP and TLS to a server: bytes there and back, an end to every wait, and nothing left over. */

import assert from "node:assert/strict";
import { TcpDialer, type Wire } from "../../src/relay/wire.ts";
import { connectedPair, type TcpPeer, unaborted } from "../support/tcp_peer.ts";

const encoder = new TextEncoder();

/** Text until `length` octets have come. */
async function read(wire: Wire, length: number): Promise<string> {
  let text = "";
  while (text.length < length) {
    const bytes = await wire.read();
    if (!bytes) break;
    text += new TextDecoder().decode(bytes);
  }
  return text;
}

type Version = "TLSv1.2" | "TLSv1.3";

async function securedPair(name = "mx.test", version: Version = "TLSv1.3") {
  const { wire, peer } = await connectedPair();
  const socket = peer.startTls({ minVersion: version, maxVersion: version });
  return { wire: await wire.secure(name), peer, socket };
}

/** Plain and secured connections do the same. */
const KINDS: readonly (readonly [string, () => Promise<{ wire: Wire; peer: TcpPeer }>])[] = [
  ["plain text", connectedPair],
  ["TLSv1.2", () => securedPair("mx.test", "TLSv1.2")],
  ["TLSv1.3", () => securedPair("mx.test", "TLSv1.3")],
];

for (const [kind, pair] of KINDS) {
  Deno.test(`${kind}: bytes there and back`, async () => {
    const { wire, peer } = await pair();
    await wire.write(encoder.encode("EHLO a\r\n"));
    assert.equal(await peer.hear(), "EHLO a\r\n");
    await peer.say("250 b\r\n");
    assert.equal(await read(wire, 7), "250 b\r\n");
    wire.close();
    peer.close();
  });

  Deno.test(`${kind}: much, both ways at once`, async () => {
    const { wire, peer } = await pair();
    const much = "x".repeat(1_000_000);
    const hearing = (async () => {
      let length = 0;
      while (length < much.length) length += (await peer.hear())!.length;
      return length;
    })();
    const [heard, , , got] = await Promise.all([
      hearing,
      wire.write(encoder.encode(much)),
      peer.say(much),
      read(wire, much.length),
    ]);
    assert.equal(heard, much.length);
    assert.equal(got, much);
    wire.close();
    peer.close();
  });

  Deno.test(`${kind}: closing ends a pending read and a pending write, and is no error twice`, async () => {
    const { wire, peer } = await pair();
    const reading = wire.read().catch(() => null);
    const writing = assert.rejects(wire.write(new Uint8Array(50_000_000)));
    wire.close();
    wire.close();
    assert.equal(await reading, null);
    await writing;
    await assert.rejects(wire.write(new Uint8Array(1)));
    assert.equal(await wire.read().catch(() => null), null);
    peer.close();
  });

  Deno.test(`${kind}: a server that closes is at its end, or broken`, async () => {
    const { wire, peer } = await pair();
    await peer.say("421 bye\r\n");
    peer.close();
    assert.equal(await read(wire, 9), "421 bye\r\n");
    assert.equal(await wire.read().catch(() => null), null);
    wire.close();
  });
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  Deno.test(`${version}: what a server sends without end is not taken in before it is read`, async () => {
    const { wire: plain, peer } = await connectedPair();
    peer.startTls({ minVersion: version, maxVersion: version });
    let taken = 0;
    const read = plain.read.bind(plain);
    plain.read = async () => {
      const bytes = await read();
      taken += bytes?.length ?? 0;
      return bytes;
    };
    const wire = await plain.secure("mx.test");
    const said = peer.say("x".repeat(20_000_000)).catch(() => {});
    for (let i = 1; i <= 100; i++) {
      await wire.read();
      assert.ok(taken < i * 64 * 1024, `${taken} octets for ${i} reads`);
    }
    wire.close();
    peer.close();
    await said;
  });
}

Deno.test("where no server listens the system's error comes through", async () => {
  const connecting = new TcpDialer().connect("127.0.0.1", 1, unaborted());
  await assert.rejects(connecting, Deno.errors.ConnectionRefused);
});

Deno.test("a connection that takes too long can be given up", async () => {
  const reason = new Error("enough");
  await assert.rejects(new TcpDialer().connect("127.0.0.1", 1, AbortSignal.abort(reason)), reason);
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  Deno.test(`${version} is told, and that nobody vouches for the certificate`, async () => {
    const { wire, peer } = await securedPair("mx.test", version);
    assert.deepEqual(wire.security, { protocol: version, verified: false });
    await assert.rejects(wire.secure("mx.test"));
    wire.close();
    peer.close();
  });
}

for (
  const [name, shown] of [
    ["mx.test", "mx.test"],
    ["127.0.0.1", false],
    ["::1", false],
  ] as const
) {
  Deno.test(`the server is ${shown ? "" : "not "}told that it is called ${name}`, async () => {
    const { wire, peer, socket } = await securedPair(name);
    await peer.say("x");
    await wire.read();
    const { servername } = socket as { servername?: string | false };
    assert.equal(servername || false, shown);
    wire.close();
    peer.close();
  });
}

Deno.test("plain text has no security to speak of", async () => {
  const { wire, peer } = await connectedPair();
  assert.equal(wire.security, undefined);
  wire.close();
  peer.close();
});

Deno.test("a handshake with a server that speaks no TLS fails", async () => {
  const { wire, peer } = await connectedPair();
  const failing = assert.rejects(wire.secure("mx.test"));
  await peer.say("500 what is that?\r\n");
  await failing;
  wire.close();
  peer.close();
});

Deno.test("a handshake with a server that closes fails", async () => {
  const { wire, peer } = await connectedPair();
  const failing = assert.rejects(wire.secure("mx.test"));
  await peer.hear();
  peer.close();
  await failing;
  wire.close();
});

Deno.test("a handshake with a silent server lasts until it is closed", async () => {
  const { wire, peer } = await connectedPair();
  const failing = assert.rejects(wire.secure("mx.test"));
  await peer.hear();
  wire.close();
  await failing;
  peer.close();
});
