/** `check` on a server made up for the test: a machine, its DNS and its configuration. */

import assert from "node:assert/strict";
import { check, type CheckWorld } from "../../src/commands/check.ts";
import type { Finding } from "../../src/checks/finding.ts";
import { systemClock } from "../../src/clock.ts";
import { type Dialer, TcpDialer } from "../../src/relay/wire.ts";
import { type NameServer, startNameServer, type Table } from "../support/name_server.ts";

/** A server on which all is right. */
const TABLE: Table = {
  "example.com": { MX: [[10, "mail.example.com"]], TXT: ["v=spf1 mx -all"] },
  "mail.example.com": { A: ["192.0.2.1"], TXT: ["v=spf1 a -all"] },
  "1.2.0.192.in-addr.arpa": { PTR: ["mail.example.com"] },
  "_dmarc.example.com": { TXT: ["v=DMARC1; p=none"] },
};

const CONF = [
  "HOSTNAME = mail.example.com",
  "LOCAL_DOMAINS = example.com",
  "LISTEN_ADDR = 0.0.0.0",
];

interface ServerOptions {
  readonly table?: Table;
  /** Whom to ask instead of a server with the table. */
  readonly nameServer?: Pick<NameServer, "host" | "port">;
  readonly conf?: readonly string[];
  /** The machine's addresses. */
  readonly addresses?: readonly string[];
  readonly json?: boolean;
  /** The port on loopback that is there whatever is dialled. */
  readonly connect?: number;
}

interface Checked {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly lines: readonly string[];
}

/** No address beyond loopback is dialled by a test. */
function loopbackDialer(to: number): Dialer {
  const dialer = new TcpDialer();
  return { connect: (_address, _port, signal) => dialer.connect("127.0.0.1", to, signal) };
}

async function checkServer(options: ServerOptions = {}): Promise<Checked> {
  const { table = TABLE, conf = CONF, addresses = ["127.0.0.1", "192.0.2.1"] } = options;
  await using server = await startNameServer(table);
  const { host, port } = options.nameServer ?? server;
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  const said: string[] = [];
  const complained: string[] = [];
  const world: CheckWorld = {
    system: {
      hostName: () => "host",
      addresses: () => [...addresses],
      stateDirectory: () => folder,
    },
    dialer: loopbackDialer(options.connect ?? 1),
    clock: systemClock,
    spaceOf: () => Promise.resolve({ device: 1, size: 1e12, free: 5e11, inodes: 0, freeInodes: 0 }),
    patience: 300,
    say: (text) => said.push(text),
    complain: (text) => complained.push(text),
  };
  try {
    const mail = [...conf, "LISTEN_PORT = 0", `NAME_SERVER = ${host}:${port}`, ""].join("\n");
    await Deno.writeTextFile(`${folder}/mail.conf`, mail);
    await Deno.writeTextFile(`${folder}/user.conf`, `john:${folder}/john\n`);
    const { json = false, connect } = options;
    const code = await check(`${folder}/mail.conf`, `${folder}/user.conf`, {
      json,
      connect: connect !== undefined,
    }, world);
    const out = said.map((line) => `${line}\n`).join("");
    return { code, out, err: complained.join("\n"), lines: said };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The lines below the finding about this. */
function below({ lines, out }: Checked, about: string): string[] {
  const at = lines.findIndex((line) => line.startsWith(`WRONG  ${about}: `));
  assert.ok(at >= 0, `nothing is wrong about ${about}:\n${out}`);
  const end = lines.findIndex((line, i) => i > at && !line.startsWith(" "));
  return lines.slice(at + 1, end);
}

Deno.test("a server on which all is right is good", async () => {
  const { code, out, err } = await checkServer();
  assert.deepEqual([code, err], [0, ""]);
  assert.doesNotMatch(out, /^(WRONG|\?)/m);
  for (
    const about of [
      "host name",
      "MX of example.com",
      "PTR of 192.0.2.1",
      "SPF of mail.example.com",
      "SPF of example.com",
      "DMARC of example.com",
    ]
  ) {
    assert.match(out, new RegExp(`^ok     ${about.replaceAll(".", "\\.")}: `, "m"));
  }
  assert.match(out, /\ngood\n$/);
});

interface Broken {
  readonly what: string;
  readonly table: Table;
  readonly about: string;
  readonly mend: string;
  /** How many findings there are: what hangs together is broken together. */
  readonly findings?: number;
}

const BROKEN: readonly Broken[] = [
  {
    what: "the host name's address",
    table: { "mail.example.com": { A: ["192.0.2.9"], TXT: ["v=spf1 ip4:192.0.2.1 -all"] } },
    about: "host name",
    mend: "mail.example.com.  A  192.0.2.1",
    // Neither do PTR and `mx` of SPF lead back then.
    findings: 3,
  },
  {
    what: "the MX record",
    table: {
      "example.com": { MX: [[10, "mx.other.example"]], TXT: ["v=spf1 ip4:192.0.2.1 -all"] },
      "mx.other.example": { A: ["198.51.100.7"] },
    },
    about: "MX of example.com",
    mend: "example.com.  MX  10 mail.example.com.",
  },
  {
    what: "the MX record, which names a CNAME",
    table: {
      "example.com": { MX: [[10, "mx.example.com"]], TXT: ["v=spf1 ip4:192.0.2.1 -all"] },
      "mx.example.com": { CNAME: "mail.example.com" },
    },
    about: "MX of example.com",
    mend: "example.com.  MX  10 mail.example.com.",
  },
  {
    what: "the PTR record",
    table: { "1.2.0.192.in-addr.arpa": "NXDOMAIN" },
    about: "PTR of 192.0.2.1",
    mend: "1.2.0.192.in-addr.arpa.  PTR  mail.example.com.",
  },
  {
    what: "the SPF record of the domain",
    table: { "example.com": { MX: [[10, "mail.example.com"]] } },
    about: "SPF of example.com",
    mend: 'example.com.  TXT  "v=spf1 ip4:192.0.2.1 -all"',
  },
  {
    what: "the SPF record of the host",
    table: { "mail.example.com": { A: ["192.0.2.1"], TXT: ["v=spf1 ip4:192.0.2.8 ~all"] } },
    about: "SPF of mail.example.com",
    mend: 'mail.example.com.  TXT  "v=spf1 ip4:192.0.2.1 ip4:192.0.2.8 ~all"',
  },
];

for (const { what, table, about, mend, findings = 1 } of BROKEN) {
  Deno.test(`wrong: ${what}: exit 1 with the record that mends it`, async () => {
    const checked = await checkServer({ table: { ...TABLE, ...table } });
    assert.equal(checked.code, 1);
    const lines = below(checked, about);
    assert.match(lines[0] ?? "", /^ {7}should be: \S/);
    assert.deepEqual(lines.slice(1), [`       mend:      ${mend}`]);
    const noun = findings === 1 ? "finding" : "findings";
    assert.equal(checked.lines.at(-1), `${findings} ${noun}`, checked.out);
  });
}

Deno.test("a domain without DMARC is good, with a note and the record", async () => {
  const { code, out } = await checkServer({
    table: { ...TABLE, "_dmarc.example.com": "NXDOMAIN" },
  });
  assert.equal(code, 0);
  assert.match(
    out,
    /^note {3}DMARC of example\.com: .*\n {7}mend: {6}_dmarc\.example\.com\. {2}TXT {2}"v=DMARC1; p=none"$/m,
  );
});

Deno.test("a host below its domain goes by the domain's DMARC record", async () => {
  const { lines } = await checkServer();
  const about = lines.flatMap((line) => /DMARC of \S+(?=: )/.exec(line)?.[0] ?? []);
  assert.deepEqual(about, ["DMARC of example.com"]);
});

Deno.test("behind NAT it is said what cannot be told from here", async () => {
  const { code, out } = await checkServer({ addresses: ["127.0.0.1", "10.0.0.5"] });
  assert.equal(code, 0);
  assert.match(
    out,
    /^\? {6}host name: mail\.example\.com is 192\.0\.2\.1; this machine has 10\.0\.0\.5, .*NAT/m,
  );
  assert.match(out, /^ok {5}PTR of 192\.0\.2\.1: /m);
  assert.match(out, /\ngood, 1 not known\n$/);
});

Deno.test("a silent name server is waited for once, and nothing is found", async () => {
  await using silent = await startNameServer(
    Object.fromEntries(Object.keys(TABLE).map((name) => [name, "silence"])),
  );
  const { code, out } = await checkServer({ nameServer: silent });
  assert.equal(code, 0);
  assert.equal(out.match(/no name server answers/g)?.length, 1);
  assert.match(out, /^note {3}port 25 outward: not tried/m);
  // The addresses of both families are asked for at the same time.
  assert.deepEqual(silent.questions.map(({ type }) => type).sort(), ["A", "AAAA"]);
});

Deno.test("trouble with one name is not known, and all else is checked", async () => {
  const table = { ...TABLE, "1.2.0.192.in-addr.arpa": "SERVFAIL" } as const;
  const { code, out } = await checkServer({ table });
  assert.equal(code, 0);
  assert.match(out, /^\? {6}PTR of 192\.0\.2\.1: no usable answer about PTR of .*SERVFAIL/m);
  assert.match(out, /^ok {5}SPF of example\.com/m);
});

Deno.test("what others write into DNS reaches no terminal as more than text", async () => {
  const nasty = "v=spf1 x=\x1b[2J\x9b2J\u202e\u200e\u200f\u061c\ufeff\x07 -all";
  const table: Table = {
    ...TABLE,
    "example.com": { MX: [[10, "a\x1b[31m.example.com"]], TXT: [nasty] },
    "1.2.0.192.in-addr.arpa": { PTR: ["\x1b]0;x\x07.example.com"] },
  };
  for (const json of [false, true]) {
    const { code, out } = await checkServer({ table, json });
    assert.equal(code, 1);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(out, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200e\u200f\u061c\ufeff]/);
    assert.match(out, /\\u001b\[31m/);
  }
});

Deno.test("--json holds every finding with what mends it", async () => {
  const table = { ...TABLE, "1.2.0.192.in-addr.arpa": "NXDOMAIN" } as const;
  const { code, out } = await checkServer({ table, json: true });
  assert.equal(code, 1);
  const { host, findings, problems } = JSON.parse(out);
  assert.deepEqual([host, problems], ["mail.example.com", []]);
  const wrong = findings.filter(({ state }: Finding) => state === "wrong");
  assert.equal(wrong.length, 1);
  assert.equal(wrong[0].about, "PTR of 192.0.2.1");
  assert.deepEqual(wrong[0].mend, ["1.2.0.192.in-addr.arpa.  PTR  mail.example.com."]);
});

/** A mail server on loopback with one greeting. */
async function greeting(text: string, act: (port: number) => Promise<void>): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      using open = connection;
      if (text !== "") await open.write(new TextEncoder().encode(text));
      // Until whoever came is gone. Who says nothing goes on to do so.
      while (await open.read(new Uint8Array(64)).catch(() => null) !== null) {
        if (text !== "") await open.write(new TextEncoder().encode("250 yes\r\n")).catch(() => {});
      }
    }
  })();
  try {
    await act(listener.addr.port);
  } finally {
    listener.close();
    await serving;
  }
}

// RELAY_HOST, for the server itself does not run.
const RELAY = [...CONF, "RELAY_HOST = [198.51.100.7]:25"];

Deno.test("--connect: a server that greets with 220 is good", async () => {
  await greeting("220 relay.example ESMTP\r\n", async (connect) => {
    const { code, out } = await checkServer({ conf: RELAY, connect });
    assert.equal(code, 0);
    assert.match(out, /^ok {5}port 25 outward: 198\.51\.100\.7 at .* greets, in plain text$/m);
  });
});

Deno.test("--connect: a server that greets with 554, or not at all, is a finding", async () => {
  await greeting("554 5.7.1 go away\r\n", async (connect) => {
    const { code, out } = await checkServer({ conf: RELAY, connect });
    assert.equal(code, 1);
    assert.match(out, /^WRONG {2}port 25 outward: .* it says 554 5\.7\.1 go away$/m);
  });
  await greeting("", async (connect) => {
    const { code, out } = await checkServer({ conf: RELAY, connect });
    assert.equal(code, 1);
    assert.match(out, /^WRONG {2}port 25 outward: .* no answer$/m);
  });
});

Deno.test("--connect reaches RELAY_HOST by its address without a name server", async () => {
  await greeting("220 relay.example\r\n", async (connect) => {
    const nameServer = { host: "127.0.0.1", port: 1 };
    const { code, out } = await checkServer({ conf: RELAY, connect, nameServer });
    assert.equal(code, 0);
    assert.match(out, /^ok {5}port 25 outward: /m);
  });
});

Deno.test("a certificate of another host is a finding", async () => {
  const [crt, key] = ["crt", "key"].map((end) => {
    return new URL(`../support/mx.test.${end}`, import.meta.url).pathname;
  });
  const conf = [...CONF, `TLS_CERT = ${crt}`, `TLS_KEY = ${key}`];
  const { code, out } = await checkServer({ conf });
  assert.equal(code, 1);
  assert.match(out, /^WRONG {2}certificate: TLS_CERT is for DNS:mx\.test$/m);
});

Deno.test("an unusable configuration is told on standard error, exit 2", async () => {
  const { code, out, err } = await checkServer({ conf: ["HOSTNAM = a"] });
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /mail\.conf:1: unknown name HOSTNAM/);
});
