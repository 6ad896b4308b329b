/** Fetching policies from hosts on loopback, most of which are not what a policy host should be. */

import assert from "node:assert/strict";
import { fetchStsPolicy, StsFetchError, type StsFetchFacts } from "../../src/relay/sts_fetch.ts";
import { type Dialer, TcpDialer } from "../../src/relay/wire.ts";
import { type IssueOptions, makeAuthority } from "../support/authority.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { startMailHost } from "../support/mail_host.ts";
import { testWith } from "../support/programs.ts";
import { settled } from "../support/settled.ts";
import { type World, WorldResolver } from "./route_world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mail.x.test\r\nmax_age: 604800\r\n";
const OK = "HTTP/1.1 200 OK\r\n";
const PLAIN = `${OK}Content-Type: text/plain\r\n`;

const WORLD: World = { "mta-sts.x.test": { at: ["127.0.0.1"] } };

/** Fetches the policy of x.test. */
function fetchBy(facts: Partial<StsFetchFacts>, world = WORLD): Promise<string> {
  return fetchStsPolicy("x.test", {
    resolver: new WorldResolver(world),
    dialer: new TcpDialer(),
    clock: new FakeClock(),
    loopback: true,
    ipv6: true,
    ...facts,
  });
}

/** There must be no policy, for this reason. */
async function refused(fetching: Promise<string>, reason: RegExp): Promise<void> {
  await assert.rejects(fetching, (error) => {
    assert.ok(error instanceof StsFetchError, String(error));
    assert.match(error.message, reason);
    return true;
  });
}

/** One connection to a policy host, its handshake done. */
interface Guest {
  /** Resolves with the header of the request. */
  hear(): Promise<string>;
  say(text: string): Promise<void>;
  /** Resolves when the guest is gone. */
  gone(): Promise<void>;
}

interface HostOptions extends IssueOptions {
  /** Those in the certificate. */
  readonly names?: readonly string[];
  readonly facts?: Partial<StsFetchFacts>;
  /** What is made of the dialer that trusts the host's authority. */
  readonly dialer?: (trusting: Dialer) => Dialer;
}

/**
 * What fetching brings from a policy host that serves one connection like this. When `serve` is
 * done the host closes.
 */
async function fetchFrom(
  serve: (guest: Guest) => Promise<void>,
  { names = ["mta-sts.x.test"], facts, dialer = (trusting) => trusting, ...options }: HostOptions =
    {},
): Promise<string> {
  await using authority = await makeAuthority();
  const { certificate: cert, key } = await authority.issue(names, options);
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const serving = listener.accept().then(async (conn) => {
    using _ = conn;
    await serve(guestOf(conn));
  });
  const trusting = new TcpDialer({ ca: [authority.certificate] });
  const trusted = { port: listener.addr.port, dialer: dialer(trusting), ...facts };
  const [fetched, served] = await Promise.allSettled([fetchBy(trusted), ignoreGone(serving)]);
  if (served.status === "rejected") throw served.reason;
  if (fetched.status === "rejected") throw fetched.reason;
  return fetched.value;
}

function guestOf(conn: Deno.TlsConn): Guest {
  const buffer = new Uint8Array(64 * 1024);
  return {
    async hear() {
      let heard = "";
      while (!heard.includes("\r\n\r\n")) {
        const length = await conn.read(buffer);
        if (length === null) throw new Deno.errors.UnexpectedEof();
        heard += new TextDecoder().decode(buffer.subarray(0, length));
      }
      return heard;
    },
    async say(text) {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    },
    async gone() {
      while (await conn.read(buffer) !== null);
    },
  };
}

/** A guest that does not like what it sees goes without a word. */
async function ignoreGone(serving: Promise<void>): Promise<void> {
  const kinds = ["BrokenPipe", "ConnectionReset", "InvalidData", "UnexpectedEof"] as const;
  try {
    await serving;
  } catch (error) {
    if (!kinds.some((kind) => error instanceof Deno.errors[kind])) throw error;
  }
}

/** A host that hears the request and answers it like this. */
function answering(...pieces: readonly string[]): (guest: Guest) => Promise<void> {
  return async (guest) => {
    await guest.hear();
    for (const piece of pieces) await guest.say(piece);
  };
}

const chunked = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
const sized = (text: string) => `Content-Length: ${text.length}\r\n\r\n${text}`;

function testHost(name: string, fn: () => Promise<void>): void {
  testWith(["openssl"], name, fn);
}

testHost("a web server's policy is fetched as it is", async () => {
  await using authority = await makeAuthority();
  const { certificate: cert, key } = await authority.issue(["mta-sts.x.test"]);
  const asked: string[] = [];
  await using server = Deno.serve({
    ...{ hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
    handler: ({ method, url }) => {
      asked.push(`${method} ${url}`);
      return new Response(POLICY, { headers: { "content-type": "text/plain; charset=utf-8" } });
    },
  });
  const clock = new FakeClock();
  const dialer = new TcpDialer({ ca: [authority.certificate] });
  const facts = { port: server.addr.port, dialer, clock };
  assert.equal(await fetchBy(facts), POLICY);
  assert.equal(await fetchBy(facts), POLICY);
  const url = "GET https://mta-sts.x.test/.well-known/mta-sts.txt";
  assert.deepEqual(asked, [url, url]);
  assert.equal(clock.pending, 0);
});

testHost("the request is one for the policy alone, and the connection ends with it", async () => {
  let heard = "";
  await fetchFrom(async (guest) => {
    heard = await guest.hear();
    await guest.say(PLAIN + sized(POLICY));
    await guest.gone();
  });
  const [line, ...fields] = heard.trimEnd().split("\r\n");
  assert.equal(line, "GET /.well-known/mta-sts.txt HTTP/1.1");
  assert.deepEqual(fields.map((field) => field.toLowerCase()).sort(), [
    "accept: text/plain",
    "connection: close",
    "host: mta-sts.x.test",
  ]);
});

const GOOD: Readonly<Record<string, string>> = {
  "of a known length": PLAIN + sized(POLICY),
  "in chunks": `${PLAIN}Transfer-Encoding: chunked\r\n\r\n${chunked(POLICY)}0\r\n\r\n`,
  "with a media type in capitals": `${OK}Content-Type: TEXT/Plain;x=y\r\n${sized(POLICY)}`,
  "after an interim answer": `HTTP/1.1 100 Continue\r\n\r\n${PLAIN}${sized(POLICY)}`,
  "of HTTP/1.0": PLAIN.replace("1.1", "1.0") + sized(POLICY),
};

for (const [what, answer] of Object.entries(GOOD)) {
  testHost(`a policy is taken ${what}, in one piece or octet by octet`, async () => {
    assert.equal(await fetchFrom(answering(answer)), POLICY);
    assert.equal(await fetchFrom(answering(...answer)), POLICY);
  });
}

testHost("a policy of 64 KiB is taken, one that is longer is not", async () => {
  const longest = "x".repeat(64 * 1024);
  assert.equal(await fetchFrom(answering(PLAIN + sized(longest))), longest);
  await refused(fetchFrom(answering(PLAIN + sized(longest + "x"))), /longer than 64 KiB/);
});

const REDIRECT = "HTTP/1.1 301 Moved\r\nLocation: https://mta-sts.x.test/a\r\n";

const BAD: Readonly<Record<string, readonly [answer: string, reason: RegExp]>> = {
  "is a redirect": [REDIRECT + sized(""), /answers 301$/],
  "is not found": ["HTTP/1.1 404 Not Found\r\n" + sized(POLICY), /answers 404$/],
  "is partial": [PLAIN.replace("200", "206") + sized(POLICY), /answers 206$/],
  "is without content": ["HTTP/1.1 204 No Content\r\n\r\n", /answers 204$/],
  "is HTML": [
    `${OK}Content-Type: text/html\r\n${sized(POLICY)}`,
    /not text\/plain but "text\/html"/,
  ],
  "is almost text": [`${OK}Content-Type: text/plainer\r\n${sized(POLICY)}`, /"text\/plainer"/],
  "has no media type": [OK + sized(POLICY), /not text\/plain but ""/],
  "is cut off": [PLAIN + sized(POLICY).slice(0, -1), /^no answer from mta-sts\.x\.test: /],
  "is cut off between two chunks": [
    `${PLAIN}Transfer-Encoding: chunked\r\n\r\n${chunked(POLICY)}`,
    /^no answer from /,
  ],
  "ends with the connection": [`${PLAIN}\r\n${POLICY}`, /does not tell the policy's length$/],
  "is of a coding without an end": [
    `${PLAIN}Transfer-Encoding: gzip\r\n\r\n${POLICY}`,
    /does not tell the policy's length$/,
  ],
  "has two lengths": [`${PLAIN}Content-Length: 9\r\n${sized(POLICY)}`, /^no answer from /],
  "has a wrong chunk": [`${PLAIN}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, /^no answer from /],
  "changes the protocol": ["HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", /answers 101$/],
  "is no HTTP": ["220 mta-sts.x.test ESMTP\r\n", /^no answer from /],
  "is nothing": ["", /^no answer from /],
};

for (const [what, [answer, reason]] of Object.entries(BAD)) {
  testHost(`an answer that ${what} is no policy`, async () => {
    await refused(fetchFrom(answering(answer)), reason);
  });
}

/** What a host says again and again. */
const ENDLESS: Readonly<Record<string, readonly [start: string, again: string, reason: RegExp]>> = {
  header: [PLAIN, `X: ${"y".repeat(1000)}\r\n`, /^no answer from /],
  "field of a header": [`${PLAIN}X: `, "y".repeat(1000), /^no answer from /],
  "row of interim answers": ["", "HTTP/1.1 100 Continue\r\n\r\n".repeat(40), /says too much/],
  body: [`${PLAIN}Content-Length: 9999999\r\n\r\n`, "mx: mail.x.test\r\n".repeat(60), /longer/],
  "row of chunks": [
    `${PLAIN}Transfer-Encoding: chunked\r\n\r\n`,
    chunked("mx: mail.x.test\r\n".repeat(60)),
    /longer than 64 KiB/,
  ],
  "extension of a chunk": [
    `${PLAIN}Transfer-Encoding: chunked\r\n\r\n5;`,
    "x".repeat(1000),
    /^no answer from |says too much/,
  ],
};

for (const [what, [start, again, reason]] of Object.entries(ENDLESS)) {
  testHost(`an endless ${what} is no policy`, async () => {
    const talking = async (guest: Guest) => {
      await guest.hear();
      await guest.say(start);
      for (;;) await guest.say(again);
    };
    await refused(fetchFrom(talking), reason);
  });
}

const TLS_FAILED = /^TLS with mta-sts\.x\.test failed: /;

const CERTIFICATES: Readonly<Record<string, HostOptions>> = {
  "of another name": { names: ["x.test", "mta-sts.y.test"] },
  "of a name two labels above": { names: ["*.test"] },
  "of the host's address": { names: ["127.0.0.1"] },
  "that has expired": { notAfter: new Date(Date.now() - MINUTE) },
  "that is not valid yet": { notBefore: new Date(Date.now() + HOUR) },
  "of an authority that nobody trusts": { dialer: () => new TcpDialer() },
};

for (const [what, options] of Object.entries(CERTIFICATES)) {
  testHost(`a host with a certificate ${what} is not even asked`, async () => {
    let heard: string | undefined;
    const listening = async (guest: Guest) => {
      heard = await guest.hear();
    };
    await refused(fetchFrom(listening, options), TLS_FAILED);
    assert.equal(heard, undefined);
  });
}

testHost("a certificate for all names of the domain is as good", async () => {
  const options = { names: ["*.x.test"] };
  assert.equal(await fetchFrom(answering(PLAIN + sized(POLICY)), options), POLICY);
});

Deno.test("a host that does not speak TLS has no policy", async () => {
  await using host = startMailHost({ hostname: "127.0.0.1", port: 0 }, async (peer) => {
    await peer.say(`${PLAIN}${sized(POLICY)}`);
  });
  await refused(fetchBy({ port: host.port }), TLS_FAILED);
});

Deno.test("a host that closes at once has no policy", async () => {
  await using host = startMailHost({ hostname: "127.0.0.1", port: 0 }, () => Promise.resolve());
  await refused(fetchBy({ port: host.port }), TLS_FAILED);
});

const LATE = /^it takes longer than a minute$/;

Deno.test("a host that is silent in the handshake is given a minute", async () => {
  const clock = new FakeClock();
  await using host = startMailHost({ hostname: "127.0.0.1", port: 0 }, async (peer) => {
    // A TLS record begins with its type, 22 for the handshake, and the version.
    await peer.hear("\x16\x03");
    clock.advance(MINUTE);
    await peer.hear("never");
  });
  await refused(fetchBy({ port: host.port, clock }), LATE);
  assert.equal(clock.pending, 0);
});

const BEGUN = [
  "",
  "HTTP/1.1 200",
  PLAIN,
  `${PLAIN}Content-Length: ${POLICY.length}\r\n\r\n`,
  PLAIN + sized(POLICY).slice(0, -1),
];

for (const said of BEGUN) {
  testHost(`a host that is silent after ${said.length} octets is given a minute`, async () => {
    const clock = new FakeClock();
    const stalling = async (guest: Guest) => {
      await guest.hear();
      await guest.say(said);
      clock.advance(MINUTE);
      await guest.gone();
    };
    await refused(fetchFrom(stalling, { facts: { clock } }), LATE);
    assert.equal(clock.pending, 0);
  });
}

testHost("what comes slowly is given a minute altogether", async () => {
  const clock = new FakeClock();
  const dripping = async (guest: Guest) => {
    await guest.hear();
    for (const octet of PLAIN + sized(POLICY)) {
      await guest.say(octet);
      clock.advance(MINUTE / 60);
    }
  };
  await refused(fetchFrom(dripping, { facts: { clock } }), LATE);
});

Deno.test("name servers that are silent are given a minute", async () => {
  const clock = new FakeClock();
  const resolver = new WorldResolver({});
  resolver.addresses = () => new Promise(() => {});
  const fetching = refused(fetchBy({ resolver, clock }), LATE);
  await clock.pass(MINUTE);
  await fetching;
  assert.equal(clock.pending, 0);
});

/** Notes where it should connect to, and does as it is told there. */
function dialerOf(connect: Dialer["connect"]): Dialer & { readonly dialed: string[] } {
  const dialed: string[] = [];
  return {
    dialed,
    connect(address, port, signal) {
      dialed.push(`${address} ${port}`);
      return connect(address, port, signal);
    },
  };
}

const unreachable = () => dialerOf(() => Promise.reject(new Error("connection refused")));

const silent = () =>
  dialerOf((_address, _port, signal) => {
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  });

Deno.test("each of the host's addresses is tried, up to four, at the port of HTTPS", async () => {
  const dialer = unreachable();
  const at = ["192.0.2.1", "2001:DB8::1", "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
  const fetching = fetchBy({ dialer }, { "mta-sts.x.test": { at } });
  await refused(fetching, /^its host cannot be reached: connection refused$/);
  const tried = ["192.0.2.1 443", "2001:db8::1 443", "192.0.2.2 443", "192.0.2.3 443"];
  assert.deepEqual(dialer.dialed, tried);
});

testHost("an address that does not answer is left for the next one", async () => {
  const clock = new FakeClock();
  const dialer = (trusting: Dialer) =>
    dialerOf((address, port, signal) => {
      if (address === "127.0.0.1") return trusting.connect(address, port, signal);
      const connecting = silent().connect(address, port, signal);
      clock.advance(15_000);
      return connecting;
    });
  const resolver = new WorldResolver({ "mta-sts.x.test": { at: ["192.0.2.1", "127.0.0.1"] } });
  const options = { facts: { clock, resolver }, dialer };
  assert.equal(await fetchFrom(answering(PLAIN + sized(POLICY)), options), POLICY);
});

Deno.test("addresses that all stay silent are given a minute", async () => {
  const clock = new FakeClock();
  const at = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"];
  const fetching = fetchBy({ dialer: silent(), clock }, { "mta-sts.x.test": { at } });
  const outcome = refused(fetching, LATE);
  await clock.pass(MINUTE);
  await outcome;
  assert.equal(clock.pending, 0);
});

Deno.test("nobody is sent to an address that no stranger's host can have", async () => {
  for (const address of ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "255.255.255.255"]) {
    const dialer = unreachable();
    const world = { "mta-sts.x.test": { at: [address] } };
    await refused(fetchBy({ dialer, loopback: false }, world), /has no usable address$/);
    assert.deepEqual(dialer.dialed, []);
  }
});

const NOWHERE: Readonly<Record<string, readonly [World, RegExp]>> = {
  "does not exist": [{}, /^mta-sts\.x\.test has no usable address$/],
  "has no address": [{ "mta-sts.x.test": {} }, /has no usable address$/],
  "is not known just now": [{ "mta-sts.x.test": "trouble" }, /cannot be looked up: trouble$/],
  "is too new for this machine": [{ "mta-sts.x.test": { at: ["2001:db8::1"] } }, /but IPv6/],
};

for (const [what, [world, reason]] of Object.entries(NOWHERE)) {
  Deno.test(`a host that ${what} has no policy`, async () => {
    const dialer = unreachable();
    await refused(fetchBy({ dialer, ipv6: false }, world), reason);
    await settled();
    assert.deepEqual(dialer.dialed, []);
  });
}
