/** A server that must prove who it is: what counts as a proof, and what is done without one. */

import assert from "node:assert/strict";
import { ChannelError, Connection, type ConnectionOptions } from "../../src/relay/connection.ts";
import { replyText } from "../../src/smtp/reply.ts";
import { type Authority, type Issued, makeAuthority } from "../support/authority.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { missing, skippable } from "../support/programs.ts";
import { connectedPair, type TcpPeer } from "../support/tcp_peer.ts";

const reason = missing(["openssl"]);
const OFFER = "250-s\r\n250 STARTTLS\r\n";
const GO = "220 go\r\n";
const LOGIN = { user: "jones", password: "secret" };
const AUTH = "AUTH PLAIN AGpvbmVzAHNlY3JldA==\r\n";

interface Meeting {
  readonly peer: TcpPeer;
  readonly authority: Authority;
  /** The connection, or why there is none. */
  readonly opening: Promise<Connection | ChannelError>;
  /** What the conversation looks like to whoever is shown it. */
  readonly shown: string[];
}

/** A connection that is being opened to a server that is the test. */
async function meet(
  options: Partial<ConnectionOptions>,
  act: (meeting: Meeting) => Promise<void>,
): Promise<void> {
  await using authority = await makeAuthority();
  const { wire, peer } = await connectedPair([authority.certificate]);
  const shown: string[] = [];
  const opening = Connection.open(wire, {
    host: "me.example",
    serverName: "mx.test",
    wantsTls: true,
    verify: true,
    clock: new FakeClock(),
    observe: (who, bytes) => shown.push(`${who}: ${new TextDecoder().decode(bytes)}`),
    ...options,
  }).catch((error) => {
    assert.ok(error instanceof ChannelError);
    return error;
  });
  try {
    await act({ peer, authority, opening, shown });
  } finally {
    const connection = await opening;
    if (connection instanceof Connection) connection.close();
    peer.close();
  }
}

async function greet(peer: TcpPeer, offer = OFFER): Promise<void> {
  await peer.say("220 s\r\n");
  assert.equal(await peer.hear(), "EHLO me.example\r\n");
  await peer.say(offer);
}

/** The server's part until the handshake begins. */
async function startTls(peer: TcpPeer, { certificate, key }: Issued): Promise<void> {
  await greet(peer);
  assert.equal(await peer.hear(), "STARTTLS\r\n");
  await peer.say(GO);
  peer.startTls({ cert: certificate, key });
}

async function failure(opening: Meeting["opening"]): Promise<string> {
  const error = await opening;
  assert.ok(error instanceof ChannelError, "a connection");
  return `${error.kind}: ${replyText(error.reply)}`;
}

for (
  const [serverName, names] of [
    ["mx.test", ["mx.test"]],
    ["MX.test", ["other.test", "mx.test"]],
    ["mx.far.test", ["*.far.test"]],
    ["127.0.0.1", ["127.0.0.1"]],
    ["::1", ["::1"]],
  ] as const
) {
  Deno.test({
    ...skippable(`a certificate for ${names} proves that a server is ${serverName}`, reason),
    fn: () =>
      meet({ serverName }, async ({ peer, authority, opening }) => {
        await startTls(peer, await authority.issue(names));
        assert.equal(await peer.hear(), "EHLO me.example\r\n");
        await peer.say("250 s\r\n");
        const connection = await opening;
        assert.ok(connection instanceof Connection, String(connection));
        assert.deepEqual(connection.security, { protocol: "TLSv1.3", verified: true });
      }),
  });
}

const HOUR = 3_600_000;
const WRONG: readonly [
  what: string,
  serverName: string,
  issue: (authority: Authority) => Promise<Issued>,
  why: RegExp,
][] = [
  ["for another name", "mx.test", (one) => one.issue(["other.test"]), /does not match/],
  ["for a name below", "far.test", (one) => one.issue(["*.far.test"]), /does not match/],
  ["for names two below", "a.b.far.test", (one) => one.issue(["*.far.test"]), /does not match/],
  ["for an address alone", "mx.test", (one) => one.issue(["127.0.0.1"]), /names no host/],
  ["for another address", "127.0.0.1", (one) => one.issue(["127.0.0.2"]), /does not match/],
  ["for a name, at an address", "127.0.0.1", (one) => one.issue(["mx.test"]), /does not match/],
  [
    "that has expired",
    "mx.test",
    (one) =>
      one.issue(["mx.test"], {
        notBefore: new Date(Date.now() - 2 * HOUR),
        notAfter: new Date(Date.now() - HOUR),
      }),
    /expired|unable to verify/,
  ],
  [
    "that is not valid yet",
    "mx.test",
    (one) => one.issue(["mx.test"], { notBefore: new Date(Date.now() + HOUR) }),
    /not yet valid|unable to verify/,
  ],
  [
    "of another authority",
    "mx.test",
    async () => {
      await using other = await makeAuthority();
      return await other.issue(["mx.test"]);
    },
    /unable to verify/,
  ],
];

for (const [what, serverName, issue, why] of WRONG) {
  Deno.test({
    ...skippable(`a certificate ${what} proves nothing, and the server hears no more`, reason),
    fn: () =>
      meet({ serverName }, async ({ peer, authority, opening }) => {
        await startTls(peer, await issue(authority));
        const reply = await failure(opening);
        assert.match(reply, /^tls: 454 4\.7\.5 TLS failed: /);
        assert.match(reply, why);
        assert.equal(await peer.hear().catch(() => null), null);
      }),
  });
  Deno.test({
    ...skippable(`a certificate ${what} will do where none is asked for, and is told`, reason),
    fn: () =>
      meet({ serverName, verify: false }, async ({ peer, authority, opening }) => {
        await startTls(peer, await issue(authority));
        await peer.hear();
        await peer.say("250 s\r\n");
        const connection = await opening;
        assert.ok(connection instanceof Connection, String(connection));
        assert.equal(connection.security?.verified, false);
      }),
  });
}

Deno.test({
  ...skippable("a certificate signed by itself proves nothing", reason),
  fn: () =>
    meet({}, async ({ peer, opening }) => {
      await greet(peer);
      await peer.hear();
      await peer.say(GO);
      peer.startTls();
      assert.match(
        await failure(opening),
        /^tls: 454 4\.7\.5 TLS failed: self-signed certificate$/,
      );
    }),
});

Deno.test({
  ...skippable("without STARTTLS, or with one that is refused, nothing is sent", reason),
  async fn() {
    await meet({}, async ({ peer, opening }) => {
      await greet(peer, "250 s\r\n");
      assert.equal(await peer.hear(), "QUIT\r\n");
      await peer.say("221 bye\r\n");
      assert.match(await failure(opening), /^tls: 454 4\.7\.4 .* does not offer STARTTLS$/);
    });
    await meet({}, async ({ peer, opening }) => {
      await greet(peer);
      assert.equal(await peer.hear(), "STARTTLS\r\n");
      await peer.say("454 4.7.0 not now\r\n");
      assert.equal(await peer.hear(), "QUIT\r\n");
      await peer.say("221 bye\r\n");
      assert.match(
        await failure(opening),
        /^tls: 454 4\.7\.4 .* refuses STARTTLS: 454 4\.7\.0 not now$/,
      );
    });
  },
});

Deno.test({
  ...skippable("the login goes to a verified server under TLS, and is shown to nobody", reason),
  fn: () =>
    meet({ login: LOGIN, verify: false }, async ({ peer, authority, opening, shown }) => {
      await startTls(peer, await authority.issue(["mx.test"]));
      await peer.hear();
      await peer.say("250-s\r\n250 AUTH PLAIN\r\n");
      assert.equal(await peer.hear(), AUTH);
      await peer.say("235 2.7.0 welcome\r\n");
      const connection = await opening;
      assert.ok(connection instanceof Connection && connection.usable);
      assert.ok(shown.includes("client: AUTH PLAIN ***\r\n"), shown.join(""));
      assert.ok(!shown.join("").includes("AGpvbm"), shown.join(""));
    }),
});

Deno.test({
  ...skippable("the login goes to nobody else, whether or not verifying was asked for", reason),
  fn: () =>
    meet({ login: LOGIN, verify: false }, async ({ peer, authority, opening, shown }) => {
      await startTls(peer, await authority.issue(["other.test"]));
      assert.match(await failure(opening), /^tls: 454 4\.7\.5 TLS failed: /);
      assert.ok(!shown.join("").includes("AUTH"));
    }),
});

Deno.test({
  ...skippable("a refused login is told apart, with what the server says", reason),
  fn: () =>
    meet({ login: LOGIN, implicitTls: true }, async ({ peer, authority, opening }) => {
      const { certificate: cert, key } = await authority.issue(["mx.test"]);
      peer.startTls({ cert, key });
      await greet(peer, "250-s\r\n250 AUTH PLAIN\r\n");
      assert.equal(await peer.hear(), AUTH);
      await peer.say("535 5.7.8 wrong\r\n");
      assert.equal(await peer.hear(), "QUIT\r\n");
      await peer.say("221 bye\r\n");
      assert.equal(await failure(opening), "login: 535 5.7.8 wrong");
    }),
});

Deno.test({
  ...skippable("TLS can begin with the connection (RFC 8314)", reason),
  fn: () =>
    meet({ implicitTls: true }, async ({ peer, authority, opening }) => {
      const { certificate: cert, key } = await authority.issue(["mx.test"]);
      peer.startTls({ cert, key });
      // What is offered under TLS already is not asked for.
      await greet(peer);
      const connection = await opening;
      assert.ok(connection instanceof Connection);
      assert.deepEqual(connection.security, { protocol: "TLSv1.3", verified: true });
    }),
});

Deno.test({
  ...skippable("what is said before such a handshake ends it (BUG-8)", reason),
  fn: () =>
    meet({ implicitTls: true, verify: false, login: LOGIN }, async ({ peer, opening, shown }) => {
      await peer.say("220 s\r\n250-s\r\n250 AUTH PLAIN\r\n235 2.7.0 welcome\r\n");
      assert.match(await failure(opening), /^tls: 454 4\.7\.5 TLS failed: /);
      assert.deepEqual(shown, []);
    }),
});
