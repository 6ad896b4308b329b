/** Every variable of mail.conf: its preset, what it may be, and what it says to the rest. */

import assert from "node:assert/strict";
import { type MailConf, readMailConf, type VariableName } from "../../src/config/mail_conf.ts";
import { printNetwork } from "../support/print_network.ts";
import { ConfigurationError } from "../../src/config/problem.ts";

const SYSTEM = {
  hostName: () => "system.example",
  addresses: () => [],
  stateDirectory: () => undefined,
};

async function read(content: string): Promise<MailConf> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    await Deno.writeTextFile(`${folder}/mail.conf`, content);
    return (await readMailConf(`${folder}/mail.conf`, SYSTEM)).conf;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Row {
  readonly preset: unknown;
  readonly good: readonly (readonly [text: string, value: unknown])[];
  readonly bad: readonly string[];
  /** What the message about a bad value says is right. */
  readonly hint: string;
  /** What must stand beside it. */
  readonly beside?: string;
}

const DOMAIN = "is no domain name or [address]";
const PATH = "a path has visible characters alone, one at least";
const PORT = "is no whole number from 1 to 65535";
const LISTENING_PORT = "is no whole number from 0 to 65535";
const TLS = "TLS_CERT = cert.pem\nTLS_KEY = key.pem\n";

const ROWS: { readonly [Name in VariableName]: Row } = {
  HOSTNAME: {
    preset: "system.example",
    good: [
      ["me.example", "me.example"],
      ["[109.43.197.25]", "[109.43.197.25]"],
      ["[2001:DB8::1]", "[IPv6:2001:db8::1]"],
    ],
    bad: ["", "me_example", "a b", "109.43.197.25"],
    hint: DOMAIN,
  },
  LISTEN_ADDR: {
    preset: ["127.0.0.1"],
    good: [
      ["0.0.0.0", ["0.0.0.0"]],
      ["::", ["::"]],
      ["127.0.0.1, ::1", ["127.0.0.1", "::1"]],
    ],
    bad: ["me.example", "[::1]", "127.0.0.1 ::1"],
    hint: "is no IP address, write it like 127.0.0.1, 0.0.0.0 or ::",
  },
  LISTEN_PORT: {
    preset: 25,
    good: [["2525", 2525], ["0", 0]],
    bad: ["", "smtp", "65536", "25, 587"],
    hint: LISTENING_PORT,
  },
  RELAY_PORT: { preset: 25, good: [["2525", 2525]], bad: ["", "0", "65536"], hint: PORT },
  MAX_CLIENTS: {
    preset: 1000,
    good: [["1", 1], ["1000000", 1_000_000]],
    bad: ["", "0", "1000001", "many"],
    hint: "is no whole number from 1 to 1000000",
  },
  CLIENT_TIMEOUT: {
    // RFC 5321 4.5.3.2.7 asks for five minutes (53-40).
    preset: 300,
    good: [["100", 100], ["5m", 300], ["1d", 86_400]],
    bad: ["", "0", "2d", "soon"],
    hint: "is no time from 1 to 86400 seconds, write it like 300, 90s, 5m, 4h or 5d",
  },
  LOCAL_DOMAINS: {
    preset: [],
    good: [["", []], ["a.example, b.example", ["a.example", "b.example"]]],
    bad: ["a.example b.example", "a.example, 192.0.2.1"],
    hint: DOMAIN,
  },
  RELAY_FROM: {
    preset: ["127.0.0.0/8", "::1/128"],
    good: [["none", []], ["192.0.2.0/24, ::1", ["192.0.2.0/24", "::1/128"]]],
    bad: ["all", "me.example/24", "[::1]/128"],
    hint: "is no network, write it like 192.0.2.0/24 or 2001:db8::/32",
  },
  RELAY_HOST: {
    preset: undefined,
    good: [
      ["mx.example", { host: "mx.example", port: undefined }],
      ["[192.0.2.1]:587", { host: "192.0.2.1", port: 587 }],
    ],
    bad: ["", "a:b:c"],
    hint: "is no host, write it like mx.example:25",
  },
  SPOOL_DIR: { preset: "spool", good: [["/var/spool/x", "/var/spool/x"]], bad: [""], hint: PATH },
  MIN_FREE: {
    preset: { share: 0.05, octets: 100 * 1024 ** 2 },
    good: [
      ["1G", { share: 0, octets: 1024 ** 3 }],
      ["7.5 %", { share: 0.075, octets: 0 }],
      ["50M, 2%", { share: 0.02, octets: 50 * 1024 ** 2 }],
      ["None", { share: 0, octets: 0 }],
    ],
    bad: ["", "0%", "91%", "5%, 2%", "1M, 1G", "5% 100M", "-1%", "0", "little"],
    hint: "is neither a share up to 90% nor a size of 1M or more, write it like 5%, 100M or none",
  },
  MAX_CLIENTS_PER_ADDRESS: {
    preset: 50,
    good: [["1", 1]],
    bad: ["0", "-5"],
    hint: "is no whole number from 1 to 1000000",
  },
  MAX_MESSAGE_SIZE: {
    preset: 50 * 1024 ** 2,
    // RFC 5321 4.5.3.1.7: 64 KiB at least.
    good: [["64K", 65_536], ["65536", 65_536], ["1G", 1024 ** 3]],
    bad: ["", "65535", "63K", "-1", "big"],
    hint: "is no size from 65536 to 1099511627776 bytes, write it like 50M",
  },
  MAX_RECIPIENTS: {
    preset: 1000,
    // RFC 5321 4.5.3.1.8: 100 at least (53-39).
    good: [["100", 100]],
    bad: ["99", "0"],
    hint: "is no whole number from 100 to 1000000",
  },
  RETRY_DELAYS: {
    preset: [300, 900, 1800, 3600, 7200, 14_400],
    good: [["1m", [60]], ["30, 1h,1d", [30, 3600, 86_400]]],
    bad: ["0", "5m 15m", "5m, never"],
    hint: "is no time from 1 to 2592000 seconds, write it like 300, 90s, 5m, 4h or 5d",
  },
  QUEUE_LIFETIME: {
    // RFC 5321 4.5.4.1: four to five days (CL-22).
    preset: 432_000,
    good: [["1h", 3600]],
    bad: ["59", "366d"],
    hint: "is no time from 60 to 31536000 seconds, write it like 300, 90s, 5m, 4h or 5d",
  },
  NAME_SERVER: {
    preset: undefined,
    good: [
      ["192.0.2.53", { host: "192.0.2.53", port: undefined }],
      ["[::1]:5353", { host: "::1", port: 5353 }],
    ],
    bad: ["ns.example"],
    hint: "is no IP address, write it like 192.0.2.53 or 127.0.0.1:5353",
  },
  TLS_CERT: {
    preset: undefined,
    good: [["cert.pem", "cert.pem"]],
    bad: [""],
    hint: PATH,
    beside: "TLS_KEY = key.pem\n",
  },
  TLS_KEY: {
    preset: undefined,
    good: [["key.pem", "key.pem"]],
    bad: [""],
    hint: PATH,
    beside: "TLS_CERT = cert.pem\n",
  },
  SUBMISSION_PORT: {
    preset: undefined,
    good: [["587", 587], ["0", 0]],
    bad: ["", "none", "65536"],
    hint: LISTENING_PORT,
    beside: TLS,
  },
  SUBMISSIONS_PORT: {
    preset: undefined,
    good: [["465", 465], ["0", 0]],
    bad: ["", "smtps", "65536"],
    hint: LISTENING_PORT,
    beside: TLS,
  },
  RELAY_TLS: {
    preset: "may",
    good: [["may", "may"], ["Verify", "verify"], ["none", "none"]],
    bad: ["", "must", "yes"],
    hint: "is none of may, verify, none",
  },
  RELAY_TLS_FOR: {
    preset: [],
    good: [
      ["", []],
      ["far.example:verify, [192.0.2.1]:none", [
        { domain: "far.example", tls: "verify" },
        { domain: "[192.0.2.1]", tls: "none" },
      ]],
    ],
    bad: ["far.example", "far.example verify"],
    hint: "is not of the form example.com:verify",
  },
  RELAY_LOGIN_FILE: {
    preset: undefined,
    good: [["/etc/login", "/etc/login"]],
    bad: [""],
    hint: PATH,
    beside: "RELAY_HOST = mx.example\n",
  },
  LOG_LEVEL: {
    preset: "info",
    good: [["debug", "debug"], ["WARN", "warn"], ["error", "error"]],
    bad: ["", "trace", "warning"],
    hint: "is none of debug, info, warn, error",
  },
  LOG_FORMAT: {
    preset: "text",
    good: [["json", "json"]],
    bad: ["", "xml"],
    hint: "is none of text, json",
  },
  WORKERS: {
    preset: 1,
    good: [["1", 1], ["64", 64]],
    bad: ["0", "65", "auto"],
    hint: "is no whole number from 1 to 64",
  },
};

/** Networks are compared as text. */
function plain(name: VariableName, conf: MailConf): unknown {
  return name === "RELAY_FROM" ? conf.RELAY_FROM.map(printNetwork) : conf[name];
}

for (const [name, row] of Object.entries(ROWS) as [VariableName, Row][]) {
  const beside = row.beside ?? "";

  Deno.test(`${name}: preset`, async () => {
    assert.deepEqual(plain(name, await read("")), row.preset);
  });

  for (const [text, value] of row.good) {
    Deno.test(`${name} = ${text}`, async () => {
      assert.deepEqual(plain(name, await read(`${beside}${name} = ${text}\n`)), value);
    });
  }

  for (const text of row.bad) {
    Deno.test(`${name} = ${text}: is refused in words that say what is right`, async () => {
      await assert.rejects(read(`${beside}\n# one more line\n${name}=${text}\n`), (error) => {
        assert.ok(error instanceof ConfigurationError, String(error));
        const [problem, ...more] = error.problems;
        assert.deepEqual(more, []);
        assert.equal(problem!.line, beside.split("\n").length + 2);
        assert.match(problem!.file, /\/mail\.conf$/);
        assert.match(problem!.message, new RegExp(`^${name}: \\S`));
        assert.ok(problem!.message.includes(row.hint), problem!.message);
        assert.equal(error.message, `${problem!.file}:${problem!.line}: ${problem!.message}`);
        return true;
      });
    });
  }
}

Deno.test("there is a row for each variable", async () => {
  const set = Object.keys(await read("")).filter((name) => !(name in ROWS));
  assert.deepEqual(set, []);
});
